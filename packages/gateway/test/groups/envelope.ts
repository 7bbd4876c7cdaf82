/** Puts an envelope where intake puts it and queues it as delivery does, for tests of what comes after. */
import { sha256 } from '@sealpost/crypto/verify';
import {
  type BlobId,
  type ConversationId,
  canonicalBytes,
  type DeviceId,
  type Envelope,
  envelopeSchema,
  toBase64url,
} from '@sealpost/protocol';
import { laneOf } from '../../src/modules/log/index.ts';
import type { Bench } from '../directory/bench.ts';

export interface EnvelopeWishes {
  readonly devices: readonly DeviceId[];
  readonly expires?: number;
  readonly blobs?: readonly BlobId[];
  /** Bytes of its device part. */
  readonly size?: number;
}

export async function storeEnvelope(
  { database, clock, log, groups, bus, organisation }: Bench,
  conversation: ConversationId,
  { devices, expires = clock.now() + 3_600_000, blobs = [], size = 64 }: EnvelopeWishes,
): Promise<Envelope> {
  const envelope = envelopeSchema.parse({
    v: 1,
    organisation: organisation.trust.organisation,
    sender: 'acme-incidents',
    message: clock.messageId(),
    conversation,
    recipient: 'alice',
    flow: 'incident-alerts',
    bundle: 1,
    classification: 'confidential',
    floor: 'e2ee',
    created: clock.now(),
    expires,
    parts: [
      { form: 'device', epoch: 1, ciphertext: toBase64url(clock.random(size)) },
      {
        form: 'carrier',
        channel: 'sms-main',
        use: 'notice',
        key: toBase64url(sha256(clock.random(8))),
        encapsulated: toBase64url(clock.random(65)),
        ciphertext: toBase64url(clock.random(64)),
      },
    ],
    blobs,
    commitment: toBase64url(clock.random(32)),
  });
  const body = canonicalBytes(envelope);
  await database.transaction(async (tx) => {
    await log.lockLane(tx, laneOf(conversation));
    await tx.query(
      'test-envelope',
      'INSERT INTO envelope (message, sender, id, lane, conversation, expires, body) VALUES ($1, $2, $3, $4, $5, $6, $7)',
      [envelope.message, envelope.sender, sha256(body), laneOf(conversation), conversation, expires, body],
    );
    await groups.enqueue(tx, devices, { kind: 'envelope', conversation, message: envelope.message, blobs });
  });
  bus.hint('queue');
  return envelope;
}
