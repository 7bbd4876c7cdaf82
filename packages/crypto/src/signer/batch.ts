/**
 * One signature for a whole submission: the Merkle root over its envelopes is signed and each envelope carries its path,
 * so each is verifiable alone (DESIGN section 7, batch signatures).
 */
import { type BatchStatement, type Envelope, type Submission, type Timestamp, toBase64url } from '@sealpost/protocol';
import { batchStatementBytes, batchTree, leafHash } from '../verify/batch-tree.ts';
import { envelopeDigest } from '../verify/envelope-id.ts';
import type { Signer } from './signer.ts';

const BATCH_LIMIT = 1000;

export interface BatchTerms {
  readonly audience: string;
  readonly bundle: number;
  readonly expires: Timestamp;
}

export async function signBatch(
  envelopes: readonly Envelope[],
  { audience, bundle, expires }: BatchTerms,
  signer: Signer,
): Promise<Submission> {
  if (envelopes.length === 0 || envelopes.length > BATCH_LIMIT)
    throw new TypeError('a batch holds 1 to 1000 envelopes');
  if (envelopes.some((envelope) => envelope.bundle !== bundle)) {
    throw new TypeError('an envelope names another bundle than its batch');
  }
  const { root, paths } = batchTree(envelopes.map((envelope) => leafHash(envelopeDigest(envelope))));
  const statement: BatchStatement = {
    context: 'sealpost/batch/v1',
    audience,
    bundle,
    expires,
    key: signer.keyId,
    root: toBase64url(root),
    size: envelopes.length,
  };
  return {
    statement,
    signature: toBase64url(await signer.sign(batchStatementBytes(statement))),
    envelopes: envelopes.map((envelope, index) => ({ envelope, index, path: (paths[index] ?? []).map(toBase64url) })),
  };
}
