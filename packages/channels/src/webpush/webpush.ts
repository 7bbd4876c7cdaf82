/**
 * Web Push to a browser (RFC 8030), encrypted to its subscription (RFC 8291): the push service carries bytes it cannot
 * read. The dispatcher, which encrypts, can. The push service tells us no delivery and no reading, and nothing comes back
 * over it. The address is the subscription itself.
 */
import { createHash } from 'node:crypto';
import type { Outcome } from '@sealpost/protocol/carriage';
import webPush from 'web-push';
import type { Adapter, AdapterContext, Attempt, Capabilities, ContentLimits } from '../adapter.ts';
import { type Fitted, fit } from '../fit.ts';
import { httpCall } from '../http-call.ts';
import { secretText } from '../secret-text.ts';
import { classifyPush } from './classify.ts';
import type { WebpushSettings } from './config.ts';
import { parseSubscription, type Subscription } from './subscription-schema.ts';

/** 4096 bytes (RFC 8291 section 4) less the header of 86, the tag of 16 and the delimiter of 1 (RFC 8188 section 2). */
const MAX_PLAINTEXT_BYTES = 3993;
/** The longest push services keep a message: four weeks. */
const MAX_TTL_MS = 28 * 24 * 3_600_000;

const LIMITS: ContentLimits = {
  text: MAX_PLAINTEXT_BYTES,
  textUnit: 'bytes',
  title: 300,
  /** Browsers show two actions (Notifications API, `maxActions`); links are opened by ours, from the text. */
  suggestions: 2,
  suggestionText: 80,
  openLinks: true,
  file: 'none',
  fileBytes: 0,
  fileTypes: [],
};

const CAPABILITIES: Capabilities = {
  protection: 'vendor-e2ee',
  readers: ['our dispatcher, which encrypts'],
  address: 'handle',
  content: LIMITS,
  delivered: false,
  read: false,
  idempotent: false,
  maxTtl: MAX_TTL_MS,
  lookup: false,
  query: false,
  revoke: 'no',
  inbound: false,
  webhook: 'none',
};

export function createWebpush(settings: WebpushSettings, context: AdapterContext): Adapter {
  const http = { fetch: context.fetch, now: context.now, timeoutMs: settings.timeout };

  async function send({ id, address, payload, expires }: Attempt): Promise<Outcome> {
    const remaining = expires - context.now();
    if (remaining <= 0) return { kind: 'permanent', reason: 'expired' };
    const subscription = parseSubscription(address, settings.unsafe_plaintext);
    if (subscription === undefined) return { kind: 'permanent', reason: 'no subscription' };
    const fitted = fit(payload, LIMITS, 'Open');
    if (fitted.kind === 'refused') return { kind: 'permanent', reason: fitted.reason };
    const body = messageOf(id, fitted.message);
    // The library encrypts any length, and push services then answer 413 or cut the connection.
    if (new TextEncoder().encode(body).length > MAX_PLAINTEXT_BYTES)
      return { kind: 'permanent', reason: 'text-too-long' };
    const privateKey = await secretText(context, settings.private_key_file);
    if (privateKey === undefined || !/^[A-Za-z0-9_-]{43}$/.test(privateKey))
      return { kind: 'auth-broken', reason: 'private key file unreadable' };
    const topic = topicOf(id);
    const request = encrypted(subscription, body, {
      vapidDetails: { subject: settings.subject, publicKey: settings.public_key, privateKey },
      // Rounded down: what has expired here must not wait there.
      TTL: Math.floor(Math.min(remaining, MAX_TTL_MS) / 1000),
      urgency: 'high',
      topic,
      contentEncoding: 'aes128gcm',
    });
    if (request === undefined) return { kind: 'permanent', reason: 'no point of the curve' };
    return classifyPush(await httpCall(http, request.url, request.init), topic);
  }

  return { capabilities: CAPABILITIES, async start() {}, send, async stop() {} };
}

/** What our service worker shows; `id` lets it drop a repeat. */
function messageOf(id: string, { title, text, suggestions }: Fitted): string {
  return JSON.stringify({ v: 1, id, title, text, suggestions });
}

/** At most 32 characters of base64url (RFC 8030 section 5.4). A hash: a push service shall not link it to anything of ours. */
function topicOf(id: string): string {
  return createHash('sha256').update(id).digest('base64url').slice(0, 32);
}

/** `undefined` when the subscription's key is no point of P-256, which only the encryption notices. */
function encrypted(subscription: Subscription, body: string, options: webPush.RequestOptions) {
  try {
    const details = webPush.generateRequestDetails(subscription, body, options);
    const headers = Object.entries(details.headers)
      // The length is the client's to write.
      .filter(([name]) => name !== 'Content-Length')
      .map(([name, value]): [string, string] => [name, String(value)]);
    return {
      url: details.endpoint,
      init: { method: 'POST', headers, body: new Uint8Array(details.body) } satisfies RequestInit,
    };
  } catch {
    return undefined;
  }
}
