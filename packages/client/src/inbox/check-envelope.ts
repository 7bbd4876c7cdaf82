/**
 * The checks an envelope must pass before anything of it is shown, in order: meant for us, opened by MLS, sent by the
 * agent it names, authenticated data, content, commitment. The sender is the leaf MLS authenticated; nothing in the
 * payload says who somebody is.
 */
import type { GroupState, MlsEngine } from '@sealpost/crypto/mls';
import { decodeAuthenticatedData, verifyCommitment } from '@sealpost/crypto/open';
import { parseUri } from '@sealpost/crypto/verify';
import {
  canonicalJson,
  type Envelope,
  fromBase64url,
  fromUtf8,
  type MessageId,
  type Timestamp,
} from '@sealpost/protocol';
import { type Content, contentSchema } from '@sealpost/protocol/content';
import type { ClientErrorCode } from '../client-errors.ts';
import type { DeviceIdentity } from '../device.ts';
import { jsonOf } from '../http.ts';

export type EnvelopeVerdict =
  | { readonly kind: 'ok'; readonly content: Content; readonly sender: string; readonly next: GroupState }
  /** `next` when MLS opened it: the ratchet has moved, whatever else is wrong. */
  | { readonly kind: 'refused'; readonly code: ClientErrorCode; readonly next?: GroupState };

export interface EnvelopeContext {
  readonly engine: MlsEngine;
  readonly identity: DeviceIdentity;
  /** `undefined` when this device is not in the conversation. */
  readonly state: GroupState | undefined;
  /** The id the gateway queued it under. */
  readonly message: MessageId;
  readonly now: Timestamp;
}

export async function checkEnvelope(envelope: Envelope, context: EnvelopeContext): Promise<EnvelopeVerdict> {
  const { engine, state, now } = context;
  const part = devicePartOf(envelope);
  if (!isForUs(envelope, context) || part === undefined) return { kind: 'refused', code: 'ERR_CLIENT_ENVELOPE' };
  if (state === undefined) return { kind: 'refused', code: 'ERR_CLIENT_CONVERSATION' };
  const opened = await engine.receive(state, part.ciphertext, now);
  if (opened.kind === 'refused')
    return { kind: 'refused', code: opened.reason === 'epoch' ? 'ERR_CLIENT_EPOCH' : 'ERR_CLIENT_DECRYPT' };
  // A commit hidden in an envelope is not applied: only the conversation's own queue changes its members.
  if (opened.kind !== 'application') return { kind: 'refused', code: 'ERR_CLIENT_DECRYPT' };
  const { next, sender } = opened;
  const refused = (code: ClientErrorCode): EnvelopeVerdict => ({ kind: 'refused', code, next });
  if (opened.epoch !== BigInt(part.epoch)) return refused('ERR_CLIENT_EPOCH');
  if (!isNamedAgent(sender.credential.uri, envelope)) return refused('ERR_CLIENT_SENDER');
  if (!agrees(opened.authenticatedData, envelope)) return refused('ERR_CLIENT_AUTHENTICATED_DATA');
  const content = contentIn(opened.plaintext);
  if (content === undefined) return refused('ERR_CLIENT_CONTENT');
  if (!commits(envelope, content, opened.plaintext)) return refused('ERR_CLIENT_COMMITMENT');
  return { kind: 'ok', content, sender: sender.credential.uri, next };
}

function isForUs(envelope: Envelope, { identity, message }: EnvelopeContext): boolean {
  const { organisation, member } = identity;
  return envelope.organisation === organisation && envelope.recipient === member && envelope.message === message;
}

function devicePartOf(envelope: Envelope): { readonly epoch: number; readonly ciphertext: Uint8Array } | undefined {
  const [part, ...more] = envelope.parts.filter(({ form }) => form === 'device');
  if (part?.form !== 'device' || more.length > 0) return undefined;
  const ciphertext = fromBase64url(part.ciphertext);
  return ciphertext === undefined ? undefined : { epoch: part.epoch, ciphertext };
}

function isNamedAgent(uri: string, envelope: Envelope): boolean {
  const named = parseUri(uri);
  return named?.kind === 'agent' && named.organisation === envelope.organisation && named.agent === envelope.sender;
}

function agrees(authenticatedData: Uint8Array, { message, commitment }: Envelope): boolean {
  const signed = decodeAuthenticatedData(authenticatedData);
  return signed?.message === message && signed.commitment === commitment;
}

/** Canonical only: a content has one spelling, the one that was committed to. */
function contentIn(plaintext: Uint8Array): Content | undefined {
  const parsed = contentSchema.safeParse(jsonOf(plaintext));
  if (!parsed.success) return undefined;
  try {
    return canonicalJson(parsed.data) === fromUtf8(plaintext) ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

function commits(
  { sender, conversation, message, commitment }: Envelope,
  content: Content,
  plaintext: Uint8Array,
): boolean {
  const openingKey = fromBase64url(content.openingKey);
  if (openingKey === undefined) return false;
  return verifyCommitment({ openingKey, content: plaintext, sender, conversation, message, commitment });
}
