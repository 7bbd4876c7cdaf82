/**
 * From content to a signed submission. The content is committed to, encrypted for the conversation, and from there on only
 * sealed forms exist: one for devices, one content-free notice for each carrier step whose address control has.
 */
import { commitmentOf, encodeAuthenticatedData, sealCarrier } from '@sealpost/crypto/seal';
import { type Signer, signBatch } from '@sealpost/crypto/signer';
import { envelopeId } from '@sealpost/crypto/verify';
import {
  type CarrierPart,
  type Classification,
  type CompiledFlow,
  canonicalBytes,
  type Envelope,
  type EnvelopeId,
  envelopeSchema,
  type LadderStep,
  type MemberId,
  type MessageId,
  type Submission,
  type Timestamp,
  type Trust,
  toBase64url,
} from '@sealpost/protocol';
import type { Content } from '@sealpost/protocol/content';
import type { OpenConversation } from '../agents/index.ts';
import { messagesError } from './messages-errors.ts';

/** What is to be sent, decided and in clear, in memory only. */
export interface Draft {
  readonly message: MessageId;
  readonly flow: CompiledFlow;
  readonly bundle: number;
  readonly to: MemberId;
  readonly content: Omit<Content, 'v' | 'openingKey'>;
  readonly classification: Classification;
  readonly notices: readonly LadderStep[];
  readonly created: Timestamp;
}

/** Ready for MLS: the canonical content, and what is authenticated beside it. */
export interface Committed {
  readonly plaintext: Uint8Array;
  readonly authenticatedData: Uint8Array;
  readonly commitment: string;
}

/** The device part holds at most 350,000 letters of base64url, MLS framing and padding included. */
const CONTENT_LIMIT = 240_000;
const OPENING_KEY_LENGTH = 32;
/** How long a signed statement may be submitted; after that the same envelopes are signed again. */
export const STATEMENT_LIFETIME = 120_000;

export function commitContent(
  { content, flow, message }: Draft,
  { conversation }: OpenConversation,
  random: (length: number) => Uint8Array,
): Committed {
  const openingKey = random(OPENING_KEY_LENGTH);
  const plaintext = canonicalBytes({ v: 1, ...content, openingKey: toBase64url(openingKey) } satisfies Content);
  if (plaintext.length > CONTENT_LIMIT) throw messagesError('ERR_MESSAGES_TOO_LARGE');
  const commitment = commitmentOf({ openingKey, content: plaintext, sender: flow.agent, conversation, message });
  openingKey.fill(0);
  return { plaintext, authenticatedData: encodeAuthenticatedData({ message, commitment }), commitment };
}

/** None where the flow has no notice to give, or the member no number. */
export async function sealNotices(draft: Draft, phone: string | undefined, trust: Trust): Promise<CarrierPart[]> {
  const { flow, message, created } = draft;
  const { notice } = flow;
  if (notice === undefined || phone === undefined) return [];
  const { organisation, dispatch } = trust;
  return Promise.all(
    draft.notices.map(({ channel }) =>
      sealCarrier(
        {
          v: 1,
          message,
          channel,
          address: phone,
          expires: created + flow.expires,
          payload: { kind: 'notice', text: notice.text, url: notice.url },
        },
        {
          dispatchKeyId: dispatch.id,
          publicKey: dispatch.publicKey,
          organisation,
          message,
          flow: flow.name,
          channel,
          use: 'notice',
        },
      ),
    ),
  );
}

export function buildEnvelope(
  draft: Draft,
  { conversation, epoch }: OpenConversation,
  sealed: { readonly ciphertext: Uint8Array; readonly notices: readonly CarrierPart[]; readonly commitment: string },
  { organisation }: Trust,
): Envelope {
  const { flow, message, to, bundle, classification, created, content } = draft;
  return envelopeSchema.parse({
    v: 1,
    organisation,
    sender: flow.agent,
    message,
    conversation,
    recipient: to,
    flow: flow.name,
    bundle,
    classification,
    floor: flow.floor,
    created,
    expires: created + flow.expires,
    parts: [{ form: 'device', epoch, ciphertext: toBase64url(sealed.ciphertext) }, ...sealed.notices],
    blobs: [...new Set(content.attachments.map(({ blob }) => blob))],
    commitment: sealed.commitment,
  });
}

export async function signSubmission(
  envelopes: readonly Envelope[],
  { trust, signer, now }: { readonly trust: Trust; readonly signer: Signer; readonly now: Timestamp },
): Promise<{ submission: Submission; envelope: EnvelopeId }> {
  const [first] = envelopes;
  if (first === undefined) throw new TypeError('a submission holds an envelope');
  const terms = { audience: trust.gateway.audience, bundle: first.bundle, expires: now + STATEMENT_LIFETIME };
  return { submission: await signBatch(envelopes, terms, signer), envelope: envelopeId(first) };
}
