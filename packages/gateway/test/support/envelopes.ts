/**
 * Envelopes for tests and benches: a bundle with one flow, a conversation of its agent with one person, and envelopes that
 * meet every rule, whose device part is a well-formed MLS frame around random bytes.
 */
import { randomBytes } from 'node:crypto';
import { encodeAuthenticatedData } from '@sealpost/crypto/seal';
import { createSigningKey, type Signer, signBatch, signJws } from '@sealpost/crypto/signer';
import { agentUri, memberDeviceUri, sha256 } from '@sealpost/crypto/verify';
import type { Database, Surroundings } from '@sealpost/platform';
import {
  APPROVAL_TYPE,
  BUNDLE_TYPE,
  bundleSchema,
  canonicalBytes,
  concatBytes,
  conversationIdSchema,
  deviceIdSchema,
  type Envelope,
  envelopeSchema,
  type MessageId,
  memberIdSchema,
  type Submission,
  toBase64url,
  utf8,
} from '@sealpost/protocol';
import type { Organisation } from './organisation.ts';

export const FLOW = 'incident-alerts';
export const AGENT = 'acme-incidents';
const HOUR = 3_600_000;

export function bundleOf(organisation: Organisation, now: number, changes: Record<string, unknown> = {}) {
  return bundleSchema.parse({
    v: 1,
    organisation: organisation.trust.organisation,
    version: 1,
    issued: now,
    expires: now + 24 * HOUR,
    agents: [{ name: AGENT, displayName: 'Incidents' }],
    flows: [
      {
        name: FLOW,
        purpose: 'Incidents',
        agent: AGENT,
        classification: 'confidential',
        floor: 'e2ee',
        ladder: [
          { channel: 'app', adapter: 'app', use: 'carry', after: 0 },
          { channel: 'rcs-main', adapter: 'rcs-google', use: 'notice', after: 30_000 },
        ],
        notice: { text: 'A message is waiting.', url: 'https://inbox.acme.example/' },
        inspection: [],
        expires: 4 * HOUR,
      },
    ],
    policies: [],
    ...changes,
  });
}

/** The bundle signed by the operator, and the approver's approval of exactly that. */
export async function signedBundle(organisation: Organisation, bundle: unknown, now: number) {
  const { operator, approver } = organisation.keys;
  const jws = await signJws(BUNDLE_TYPE, bundle, operator.signer);
  const approval = {
    v: 1,
    organisation: organisation.trust.organisation,
    action: 'bundle.apply',
    object: toBase64url(sha256(canonicalBytes({ bundle: jws }))),
    approver: approver.signer.keyId,
    issued: now,
    expires: now + HOUR,
  };
  return { bundle: jws, approval: await signJws(APPROVAL_TYPE, approval, approver.signer) };
}

export function conversationOf(number: number) {
  return conversationIdSchema.parse(`con_${String(number).padStart(22, 'c')}`);
}

export function memberOf(number: number) {
  return memberIdSchema.parse(`person-${number}`);
}

export function deviceOf(number: number) {
  return deviceIdSchema.parse(`dev_${String(number).padStart(22, 'd')}`);
}

/**
 * Rows as enrollment and a first commit leave them: conversation `number` in epoch 1 with one device of its person. Answers
 * the key that all these devices sign with.
 */
export async function seedConversations(
  database: Database,
  organisation: Organisation,
  count: number,
): Promise<Signer> {
  const { trust } = organisation;
  const { signer } = await createSigningKey('ES256');
  for (let number = 0; number < count; number++) {
    const [conversation, member] = [conversationOf(number), memberOf(number)];
    const device = deviceOf(number);
    const uri = memberDeviceUri(trust.organisation, member, device);
    await database.query(
      'seed-2',
      'INSERT INTO device (device, member, key_id, public_jwk, uri, chain, not_after) VALUES ($1, $2, $3, $4, $5, $6, $7)',
      [device, member, `${number}`.padStart(43, 'k'), JSON.stringify(signer.publicJwk), uri, [], 8e15],
    );
    await database.query('seed-3', 'INSERT INTO conversation (conversation, creator, epoch) VALUES ($1, $2, 1)', [
      conversation,
      agentUri(trust.organisation, 'acme-incidents' as never),
    ]);
    await database.query('seed-4', 'INSERT INTO conversation_device (conversation, device) VALUES ($1, $2)', [
      conversation,
      device,
    ]);
  }
  return signer;
}

export interface EnvelopeWish {
  readonly number?: number;
  readonly size?: number;
  readonly changes?: Record<string, unknown>;
  readonly epoch?: number;
}

export function makeEnvelope(
  organisation: Organisation,
  surroundings: Pick<Surroundings, 'now' | 'messageId'>,
  { number = 0, size = 600, changes = {}, epoch = 1 }: EnvelopeWish = {},
): Envelope {
  const [now, message] = [surroundings.now(), surroundings.messageId()];
  const commitment = toBase64url(randomBytes(32));
  const conversation = conversationOf(number);
  const frame = mlsFrame(conversation, epoch, encodeAuthenticatedData({ message, commitment }), randomBytes(size));
  return envelopeSchema.parse({
    v: 1,
    organisation: organisation.trust.organisation,
    sender: AGENT,
    message,
    conversation,
    recipient: memberOf(number),
    flow: FLOW,
    bundle: 1,
    classification: 'confidential',
    floor: 'e2ee',
    created: now,
    expires: now + HOUR,
    parts: [{ form: 'device', epoch, ciphertext: toBase64url(frame) }, noticePart(organisation)],
    blobs: [],
    commitment,
    ...changes,
  });
}

export function noticePart(organisation: Organisation, changes: Record<string, unknown> = {}) {
  return {
    form: 'carrier',
    channel: 'rcs-main',
    use: 'notice',
    key: organisation.trust.dispatch.id,
    encapsulated: toBase64url(randomBytes(65)),
    ciphertext: toBase64url(randomBytes(256)),
    ...changes,
  };
}

export function submit(
  organisation: Organisation,
  envelopes: readonly Envelope[],
  now: number,
  changes: { audience?: string; expires?: number } = {},
): Promise<Submission> {
  const terms = {
    audience: organisation.trust.gateway.audience,
    bundle: envelopes[0]!.bundle,
    expires: now + 60_000,
    ...changes,
  };
  return signBatch(envelopes, terms, organisation.keys.submit.signer);
}

/** RFC 9420 section 6.3: an MLSMessage with a PrivateMessage of content type application. */
export function mlsFrame(
  group: string,
  epoch: number,
  data: Uint8Array,
  sealed: Uint8Array,
  contentType = 1,
): Uint8Array {
  const number = new Uint8Array(8);
  new DataView(number.buffer).setBigUint64(0, BigInt(epoch));
  const body = [
    vector(utf8(group)),
    number,
    Uint8Array.of(contentType),
    vector(data),
    vector(randomBytes(28)),
    vector(sealed),
  ];
  return concatBytes(Uint8Array.of(0, 1, 0, 2), ...body);
}

function vector(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  const prefix =
    length < 64
      ? [length]
      : length < 16_384
        ? [0x40 | (length >> 8), length & 255]
        : [0x80 | (length >> 24), (length >> 16) & 255, (length >> 8) & 255, length & 255];
  return concatBytes(Uint8Array.from(prefix), bytes);
}

/** Another message id under the same everything else, for conflicts. */
export function withMessage(envelope: Envelope, message: MessageId): Envelope {
  return { ...envelope, message };
}
