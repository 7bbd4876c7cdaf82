/**
 * `webpush` beyond the contract: what a push service is given, that a browser can read it and nobody else, and what each
 * answer means. The browser is `web-push-testing`, which decrypts and checks the VAPID token; its push service listens on
 * every interface, so only its model is used, behind a fetch of ours.
 */
import { createRequire } from 'node:module';
import type { Payload } from '@sealpost/protocol/carriage';
import { describe, expect, it } from 'vitest';
import webPush from 'web-push';
import { attemptTo } from './contract.ts';
import { clearOf, PAYLOAD_NAMES, PAYLOADS } from './payloads.ts';
import { type Answering, failing, recordedAdapter } from './recorded-provider.ts';

interface Browser {
  notifyUrl: string;
  subscribe(options: object): Promise<{ endpoint: string; keys: object; clientHash: string }>;
  expireSubscription(hash: string): void;
  isSubscriptionExpired(hash: string): boolean;
  handleNotification(hash: string, headers: object, body: Buffer): Promise<unknown>;
  getNotifications(of: { clientHash: string }): { messages: string[] };
}
const { PushApiModel } = createRequire(import.meta.url)('web-push-testing/src/PushApiModel.js') as {
  PushApiModel: new () => Browser;
};

const KEYS = webPush.generateVAPIDKeys();
const FILES = { key: KEYS.privateKey };
const SETTINGS = { subject: 'mailto:ops@acme.example', public_key: KEYS.publicKey, private_key_file: 'key' };
const answering =
  (status: number, headers: Record<string, string> = {}): Answering =>
  () =>
    new Response(status === 204 ? null : 'subscription of Alice', { status, headers });

async function subscribed() {
  const browser = new PushApiModel();
  browser.notifyUrl = 'https://push.example/notify/';
  const { clientHash, ...subscription } = await browser.subscribe({
    userVisibleOnly: 'true',
    applicationServerKey: KEYS.publicKey,
  });
  return { browser, clientHash, address: JSON.stringify(subscription) };
}

/** The bytes as they left, which a recorded text would spoil. */
async function pushTo(address: string, payload: Payload, change: object = {}, settings: object = SETTINGS) {
  const sent: { url: string; headers: Headers; body: Buffer }[] = [];
  const { adapter } = recordedAdapter('webpush', settings, FILES, answering(201), {
    fetch: async (input, init) => {
      const request = new Request(input, init);
      sent.push({ url: request.url, headers: request.headers, body: Buffer.from(await request.arrayBuffer()) });
      return new Response(null, { status: 201 });
    },
  });
  const attempt = attemptTo(address, { payload, ...change });
  return { attempt, outcome: await adapter.send(attempt), sent };
}

describe('what a push service is given', () => {
  it.each(PAYLOAD_NAMES)('is a %s that the subscribed browser decrypts, under our VAPID identity', async (kind) => {
    const { browser, clientHash, address } = await subscribed();
    const { attempt, outcome, sent } = await pushTo(address, PAYLOADS[kind]);
    expect(outcome).toMatchObject({ kind: 'accepted', providerMessageId: sent[0]?.headers.get('topic') });
    const { headers, body } = sent[0]!;
    expect(body.toString('latin1')).not.toContain(PAYLOADS[kind].text);
    await browser.handleNotification(
      clientHash,
      {
        encoding: headers.get('content-encoding'),
        authorization: headers.get('authorization'),
        ttl: headers.get('ttl'),
      },
      body,
    );
    const [shown] = browser.getNotifications({ clientHash }).messages;
    expect(JSON.parse(shown ?? '')).toMatchObject({
      v: 1,
      id: attempt.id,
      text: expect.stringContaining(PAYLOADS[kind].text),
    });
  });

  it('must be thrown away no later than the attempt expires, and names the message by a hash', async () => {
    const { address } = await subscribed();
    const { attempt, sent } = await pushTo(address, PAYLOADS.text, { expires: Date.now() + 90_000 });
    const { headers } = sent[0]!;
    expect(Number(headers.get('ttl'))).toBeLessThanOrEqual(90);
    expect(Number(headers.get('ttl'))).toBeGreaterThan(60);
    expect(headers.get('urgency')).toBe('high');
    expect(headers.get('topic')).toMatch(/^[A-Za-z0-9_-]{32}$/);
    expect(attempt.id).not.toContain(headers.get('topic'));
  });

  it('is never longer than the 4096 bytes a push service must take, and at most that', async () => {
    const { address } = await subscribed();
    // `text` may also hold what JSON escapes, so the bound is found by trying.
    const sizes: number[] = [];
    for (const length of [3000, 3850, 3900, 3950, 3993, 4096, 20_000]) {
      const { outcome, sent } = await pushTo(address, clearOf({ text: 'x'.repeat(length) }));
      expect(sent.length).toBe(outcome.kind === 'accepted' ? 1 : 0);
      if (outcome.kind !== 'accepted') expect(outcome).toEqual({ kind: 'permanent', reason: 'text-too-long' });
      sizes.push(...sent.map(({ body }) => body.byteLength));
    }
    expect(Math.max(...sizes)).toBeLessThanOrEqual(4096);
    expect(Math.max(...sizes)).toBeGreaterThan(3900);
    const { outcome } = await pushTo(address, clearOf({ text: '"'.repeat(3000) }));
    expect(outcome).toEqual({ kind: 'permanent', reason: 'text-too-long' });
  });
});

describe('an attempt', () => {
  it.each([
    ['no JSON', 'https://push.example/1'],
    [
      'an endpoint without TLS',
      JSON.stringify({
        endpoint: 'http://push.example/1',
        keys: { p256dh: `B${'A'.repeat(86)}`, auth: 'A'.repeat(22) },
      }),
    ],
    [
      'a key that is no point of the curve',
      JSON.stringify({
        endpoint: 'https://push.example/1',
        keys: { p256dh: `B${'A'.repeat(86)}`, auth: 'A'.repeat(22) },
      }),
    ],
    [
      'a short secret',
      JSON.stringify({ endpoint: 'https://push.example/1', keys: { p256dh: `B${'A'.repeat(86)}`, auth: 'A' } }),
    ],
  ])('to a subscription with %s is refused for good and sends nothing', async (_, address) => {
    const { outcome, sent } = await pushTo(address, PAYLOADS.text);
    expect(outcome.kind).toBe('permanent');
    expect(sent).toEqual([]);
  });

  it('to an endpoint without TLS is made only where the settings say so', async () => {
    const { address } = await subscribed();
    const plain = address.replace('https:', 'http:');
    expect((await pushTo(plain, PAYLOADS.text)).sent).toEqual([]);
    expect((await pushTo(plain, PAYLOADS.text, {}, { ...SETTINGS, unsafe_plaintext: true })).sent).toHaveLength(1);
  });

  it('without our private key says that the channel needs its operator', async () => {
    const { address } = await subscribed();
    for (const files of [{}, { key: 'short' }]) {
      const { adapter, asked } = recordedAdapter('webpush', SETTINGS, files, answering(201));
      expect((await adapter.send(attemptTo(address))).kind).toBe('auth-broken');
      expect(asked).toEqual([]);
    }
  });

  it('that has expired is not made', async () => {
    const { address } = await subscribed();
    const { outcome, sent } = await pushTo(address, PAYLOADS.text, { expires: Date.now() - 1 });
    expect(outcome).toEqual({ kind: 'permanent', reason: 'expired' });
    expect(sent).toEqual([]);
  });
});

describe('an answer', () => {
  const outcomeOf = async (answer: Answering) => {
    const { address } = await subscribed();
    return recordedAdapter('webpush', SETTINGS, FILES, answer).adapter.send(attemptTo(address));
  };

  it.each([
    [200, 'accepted'],
    [201, 'accepted'],
    [202, 'accepted'],
    [204, 'ambiguous'],
    [307, 'ambiguous'],
    [400, 'permanent'],
    [401, 'auth-broken'],
    [403, 'auth-broken'],
    [404, 'downgrade'],
    [410, 'downgrade'],
    [413, 'permanent'],
    [429, 'retry-after'],
    [500, 'ambiguous'],
    [503, 'ambiguous'],
  ])('of %i means %s, and nothing of its words is repeated', async (status, kind) => {
    const outcome = await outcomeOf(answering(status));
    expect(outcome.kind).toBe(kind);
    expect(JSON.stringify(outcome)).not.toContain('Alice');
  });

  it('of 429 is waited for as long as the push service asks', async () => {
    expect(await outcomeOf(answering(429, { 'retry-after': '120' }))).toMatchObject({ afterMs: 120_000 });
  });

  it.each([
    ['ECONNREFUSED', 'retry-after'],
    ['ECONNRESET', 'ambiguous'],
  ])('that never comes is told apart by whether anything left us: %s', async (code, kind) => {
    expect((await outcomeOf(failing(code))).kind).toBe(kind);
  });
});
