/**
 * Handing a stored submission to the gateway, and believing only what its receipts key signed. The bytes are those that
 * were stored; only a statement that has run out is signed again, over the same envelopes.
 */
import type { Signer } from '@sealpost/crypto/signer';
import { verifyJws } from '@sealpost/crypto/verify';
import type { Logger, Sql, Surroundings } from '@sealpost/platform';
import {
  ACCEPTED_RECEIPT_TYPE,
  acceptedReceiptSchema,
  SealpostError,
  type Submission,
  type Trust,
} from '@sealpost/protocol';
import type { GatewayClient } from '../../gateway/gateway-client.ts';
import { reached } from '../../points.ts';
import { messagesError } from './messages-errors.ts';
import { markAccepted, replaceSubmission, type StoredRequest } from './request-store.ts';
import { signSubmission } from './seal-envelope.ts';

export interface SubmitDeps {
  readonly database: Sql;
  readonly gateway: Pick<GatewayClient, 'submit'>;
  readonly submitSigner: Signer;
  readonly trust: Trust;
  readonly surroundings: Surroundings;
  readonly logger: Logger;
}

/** A statement that ends within this may end on the way. */
const MARGIN = 10_000;

/** Answers the verified receipt, stored. A request that was accepted before is not submitted again. */
export async function submitStored(request: StoredRequest, deps: SubmitDeps): Promise<string> {
  if (request.receipt !== null) return request.receipt;
  reached('messages.stored');
  const { surroundings } = deps;
  const inForce = request.submission.statement.expires - surroundings.now() > MARGIN;
  const submission = inForce ? request.submission : await signedAgain(request, deps);
  const receipt = await submitOnce(request, submission, deps).catch(async (error) => {
    if (!(error instanceof SealpostError) || error.code !== 'ERR_ENVELOPES_STALE') throw error;
    return submitOnce(request, await signedAgain(request, deps), deps);
  });
  await requireReceipt(request, receipt, deps);
  reached('messages.submitted');
  await markAccepted(deps.database, request.message, receipt);
  reached('messages.accepted');
  return receipt;
}

/** Stored before it is sent, like the first one. */
async function signedAgain({ message, submission }: StoredRequest, deps: SubmitDeps): Promise<Submission> {
  const { trust, submitSigner: signer, surroundings, database } = deps;
  const envelopes = submission.envelopes.map(({ envelope }) => envelope);
  const signed = await signSubmission(envelopes, { trust, signer, now: surroundings.now() });
  await replaceSubmission(database, message, signed.submission);
  return signed.submission;
}

async function submitOnce(
  { envelope }: StoredRequest,
  submission: Submission,
  { gateway }: SubmitDeps,
): Promise<string> {
  const { results } = await gateway.submit(submission);
  const result = results.find((each) => each.envelope === envelope);
  if (result === undefined || results.length !== 1) throw messagesError('ERR_MESSAGES_RECEIPT');
  if (result.outcome !== 'refused') return result.receipt;
  throw messagesError('ERR_MESSAGES_REFUSED', {
    details: [{ pointer: '/envelopes/0', detail: result.code.slice(0, 64) }],
  });
}

async function requireReceipt(request: StoredRequest, receipt: string, { trust, logger }: SubmitDeps): Promise<void> {
  const verdict = await verifyJws(receipt, {
    typ: ACCEPTED_RECEIPT_TYPE,
    key: trust.gateway.receipts.jwk,
    schema: acceptedReceiptSchema,
  });
  const origin = trust.gateway.log.slice(0, trust.gateway.log.indexOf('+'));
  const reason = verdict.kind === 'refused' ? verdict.reason : mismatch(request, verdict.payload, origin);
  if (reason === undefined) return;
  logger.error('receipt refused', { code: 'ERR_MESSAGES_RECEIPT', reason, message: request.message });
  throw messagesError('ERR_MESSAGES_RECEIPT');
}

function mismatch(
  { envelope, message }: StoredRequest,
  receipt: { envelope: string; message: string; log: string },
  origin: string,
): string | undefined {
  if (receipt.envelope !== envelope) return 'envelope';
  if (receipt.message !== message) return 'message';
  return receipt.log === origin ? undefined : 'log';
}
