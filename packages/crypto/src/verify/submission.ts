/**
 * The gateway's check of a submission: one signature over the batch statement, then the Merkle path of each envelope.
 * Whether the statement's bundle is the running one, and each envelope's own expiry, are the caller's to decide.
 */

import {
  type BatchStatement,
  type EnvelopeId,
  envelopeIdSchema,
  equalBytes,
  fromBase64url,
  type KeyId,
  type Submission,
  type Timestamp,
  toBase64url,
} from '@sealpost/protocol';
import { verifySignature } from '#primitives';
import type { PublicJwk } from '../signer/signer.ts';
import { batchStatementBytes, batchTree, leafHash, rootOfPath } from './batch-tree.ts';
import { envelopeDigest } from './envelope-id.ts';

export type SubmissionVerdict =
  | { readonly kind: 'ok'; readonly ids: readonly EnvelopeId[] }
  | {
      readonly kind: 'refused';
      readonly code:
        | 'audience'
        | 'expired'
        | 'unknown-key'
        | 'signature'
        | 'size'
        | 'index'
        | 'bundle'
        | 'path'
        | 'malformed';
      /** Which of `submission.envelopes`. */
      readonly index?: number;
    };

export interface SubmissionContext {
  /** Answers `undefined` for a key that may not sign submissions. */
  readonly keys: (keyId: KeyId) => PublicJwk | undefined;
  readonly audience: string;
  readonly now: Timestamp;
}

type Entry = Submission['envelopes'][number];
type Fault = Extract<SubmissionVerdict, { kind: 'refused' }>;

const refused = (code: Fault['code'], index?: number): Fault =>
  index === undefined ? { kind: 'refused', code } : { kind: 'refused', code, index };

export async function verifySubmission(
  submission: Submission,
  { keys, audience, now }: SubmissionContext,
): Promise<SubmissionVerdict> {
  const { statement, envelopes } = submission;
  if (statement.audience !== audience) return refused('audience');
  if (statement.expires <= now) return refused('expired');
  const misplaced = placesOf(statement, envelopes);
  if (misplaced !== undefined) return misplaced;
  const key = keys(statement.key);
  if (key === undefined) return refused('unknown-key');
  const signature = fromBase64url(submission.signature);
  if (signature === undefined) return refused('malformed');
  if (!(await verifySignature(key, batchStatementBytes(statement), signature))) return refused('signature');
  const digests = envelopes.map(({ envelope }) => envelopeDigest(envelope));
  return astray(statement, envelopes, digests) ?? { kind: 'ok', ids: digests.map(idOf) };
}

const idOf = (digest: Uint8Array): EnvelopeId => envelopeIdSchema.parse(toBase64url(digest));

/** Each envelope at a place of its own inside the batch, under the batch's bundle. */
function placesOf(statement: BatchStatement, envelopes: readonly Entry[]): Fault | undefined {
  if (envelopes.length > statement.size) return refused('size');
  const taken = new Set<number>();
  for (const [at, { envelope, index }] of envelopes.entries()) {
    if (index >= statement.size || taken.has(index)) return refused('index', at);
    if (envelope.bundle !== statement.bundle) return refused('bundle', at);
    taken.add(index);
  }
  return undefined;
}

/** A whole batch in order is hashed once and its paths compared; a part of one is checked path by path. */
function astray(
  statement: BatchStatement,
  envelopes: readonly Entry[],
  digests: readonly Uint8Array[],
): Fault | undefined {
  const root = fromBase64url(statement.root);
  if (root === undefined) return refused('malformed');
  const leaves = digests.map(leafHash);
  const whole = envelopes.length === statement.size && envelopes.every(({ index }, at) => index === at);
  if (whole) {
    const tree = batchTree(leaves);
    if (equalBytes(tree.root, root)) return strayPath(envelopes, tree.paths);
  }
  for (const [at, { index, path }] of envelopes.entries()) {
    const hashes = path.map((text) => fromBase64url(text)).filter((hash) => hash?.length === 32);
    const [leaf, steps] = [leaves[at], hashes.filter((hash) => hash !== undefined)];
    if (leaf === undefined || steps.length !== path.length) return refused('malformed', at);
    const reached = rootOfPath(leaf, index, statement.size, steps);
    if (reached === undefined || !equalBytes(reached, root)) return refused('path', at);
  }
  return undefined;
}

function strayPath(envelopes: readonly Entry[], expected: readonly (readonly Uint8Array[])[]): Fault | undefined {
  const spelled = new Map<Uint8Array, string>();
  const spell = (hash: Uint8Array): string => {
    const text = spelled.get(hash) ?? toBase64url(hash);
    spelled.set(hash, text);
    return text;
  };
  const at = envelopes.findIndex(({ path }, index) => {
    const steps = expected[index] ?? [];
    return path.length !== steps.length || path.some((text, i) => steps[i] === undefined || text !== spell(steps[i]));
  });
  return at === -1 ? undefined : refused('path', at);
}
