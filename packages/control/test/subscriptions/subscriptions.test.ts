/**
 * From the gateway's internal routes to a subscriber's own server: control is real, and so are TLS, the database and HTTP;
 * the peer gateway hands out letters that were sealed as the dispatcher seals them.
 */
import { createPublicKey, verify } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { sealInbound } from '@sealpost/crypto/seal';
import type { Signer } from '@sealpost/crypto/signer';
import { type Database, openDatabase } from '@sealpost/platform';
import { type LogEvent, vendorNameSchema } from '@sealpost/protocol';
import { sealedInboundSchema } from '@sealpost/protocol/carriage';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  applyBundle,
  registerApplication,
  startTestControl,
  type TestControl,
  testBundle,
  tokenRequest,
} from '../support/control.ts';

interface Seen {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const NUMBER = '+4915112345678';
const SAID = 'canary-4d1b-the pump runs again';
let control: TestControl;
let database: Database;
let key: Signer;
let bearer: { readonly authorization: string };
let receiver: { readonly url: string; readonly seen: Seen[]; status: number; close(): void };
/** What the gateway has for control, and up to where control acknowledged it. */
let letters: { position: number }[];
let acknowledged: number[];
let events: { position: number; event: LogEvent }[];

beforeEach(async () => {
  [letters, acknowledged, events] = [[], [], []];
  control = await startTestControl();
  database = openDatabase(control.database.config);
  receiver = await startReceiver();
  control.config = { ...control.config, unsafe_subscriber_hosts: [new URL(receiver.url).host] };
  control.gateway.interfere = (method, path) => {
    if (path.startsWith('/internal/v1/events?')) {
      const after = Number(new URL(path, 'https://peer').searchParams.get('after'));
      return { status: 200, body: { events: events.filter(({ position }) => position > after) } };
    }
    if (path.startsWith('/internal/v1/inbound?')) return { status: 200, body: { inbound: letters } };
    if (path !== '/internal/v1/inbound/acknowledge' || method !== 'POST') return undefined;
    const [first] = letters;
    if (first !== undefined) acknowledged.push(first.position);
    letters = letters.slice(1);
    return { status: 204 };
  };
  await control.restart();
  await applyBundle(control, testBundle(control, 1));
  key = await registerApplication(control, 'pager', ['incident-alerts']);
  const token = await control.call(
    'POST',
    '/v1/token',
    await tokenRequest(control, key, 'pager', 'flow:incident-alerts'),
  );
  bearer = { authorization: `Bearer ${token.body.access_token}` };
});
afterEach(async () => {
  await database.close();
  await control[Symbol.asyncDispose]();
  receiver.close();
});

async function startReceiver() {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    seen.push({ headers: request.headers, body: await text(request) });
    response.writeHead(own.status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  const own = {
    url,
    seen,
    status: 204,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  return own;
}

async function letter(position: number, id: string, content: object): Promise<void> {
  const { trust, name } = control.organisation;
  // The only vendor the running bundle of these tests names.
  const vendor = vendorNameSchema.parse('app');
  const message = sealedInboundSchema.parse({ v: 1, vendor, inbound: { id, address: NUMBER, content, about: 'p-7' } });
  const sealed = await sealInbound(message, trust.control.inbound!, { organisation: name, vendor });
  letters.push({ position, vendor, received: control.clock.now, ...sealed } as never);
}

async function subscribe(types: readonly string[]) {
  const made = await control.call('POST', '/v1/subscriptions', { url: receiver.url, types }, bearer);
  expect(made.status).toBe(201);
  return made.body as { subscription: string; secret: string; publicKey: string };
}

const told = (count: number) => vi.waitFor(() => expect(receiver.seen.length).toBeGreaterThanOrEqual(count), 15_000);
const rows = () => database.query('rows', 'SELECT tries, dead FROM event_delivery');

test('a reply reaches the subscriber as a CloudEvent that both signatures of Standard Webhooks vouch for', async () => {
  const { secret, publicKey } = await subscribe(['sealpost.message.replied']);
  await letter(1, 'm-1', { kind: 'text', text: SAID });
  await told(1);
  const [{ headers, body } = { headers: {}, body: '' }] = receiver.seen;
  expect(headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
  const event = new Webhook(secret).verify(body, headers as Record<string, string>);
  expect(event).toMatchObject({
    specversion: '1.0',
    id: headers['webhook-id'],
    source: 'urn:sealpost:acme.example',
    type: 'sealpost.message.replied',
    data: { vendor: 'app', about: 'p-7', content: { kind: 'text', text: SAID } },
  });
  const x = Buffer.from(publicKey.replace('whpk_', ''), 'base64').toString('base64url');
  const signature = /v1a,(\S+)/.exec(String(headers['webhook-signature']))?.[1] ?? '';
  const signed = Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`);
  const jwk = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  expect(verify(null, signed, jwk, Buffer.from(signature, 'base64'))).toBe(true);
  expect(body).not.toContain(NUMBER);
  expect(control.logs.join()).not.toMatch(/canary-4d1b|4915112345678/);
  await vi.waitFor(async () => expect(await rows()).toEqual([]), 5000);
});

test('a letter told twice, or whose acknowledgement was lost, makes one event', async () => {
  await subscribe(['sealpost.message.suggestion']);
  let lost = 2;
  control.gateway.loseAnswer = (_method, path) => path.endsWith('/acknowledge') && lost-- > 0;
  await letter(1, 'm-1', { kind: 'suggestion', data: 'yes' });
  await letter(2, 'm-1', { kind: 'suggestion', data: 'yes' });
  await letter(3, 'm-2', { kind: 'suggestion', data: 'no' });
  await vi.waitFor(() => expect(acknowledged).toEqual([1, 2, 3]), 15_000);
  await told(2);
  expect(receiver.seen.map(({ body }) => JSON.parse(body).data.content.data).sort()).toEqual(['no', 'yes']);
});

test('STOP suppresses the address for the agents of the vendor, START lifts it, and subscribers hear of both', async () => {
  await subscribe(['sealpost.message.opted-out', 'sealpost.message.opted-in']);
  const suppressed = () => database.query('suppressed', 'SELECT agent FROM suppression');
  await letter(1, 'm-1', { kind: 'opt-out' });
  await vi.waitFor(async () => expect(await suppressed()).toEqual([{ agent: 'acme-incidents' }]), 10_000);
  await letter(2, 'm-2', { kind: 'opt-in' });
  await vi.waitFor(async () => expect(await suppressed()).toEqual([]), 10_000);
  await told(2);
  expect(receiver.seen.map(({ body }) => JSON.parse(body).type).sort()).toEqual([
    'sealpost.message.opted-in',
    'sealpost.message.opted-out',
  ]);
});

test('what is not taken is tried again by the schedule under the same id, dies after the last try, and can be replayed', async () => {
  const { subscription } = await subscribe(['sealpost.message.replied']);
  receiver.status = 500;
  await letter(1, 'm-1', { kind: 'text', text: SAID });
  for (let tries = 1; tries <= 10; tries += 1) {
    await vi.waitFor(async () => expect(await rows()).toEqual([{ tries, dead: tries === 10 }]), 10_000);
    control.clock.now += 30 * 3_600_000;
  }
  expect(new Set(receiver.seen.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  expect(receiver.seen).toHaveLength(10);
  const token = await control.call(
    'POST',
    '/v1/token',
    await tokenRequest(control, key, 'pager', 'flow:incident-alerts'),
  );
  bearer = { authorization: `Bearer ${token.body.access_token}` };
  const path = `/v1/subscriptions/${subscription}/dead-letters`;
  const dead = await control.call('GET', path, undefined, bearer);
  expect(dead.body.deadLetters).toMatchObject([{ tries: 10, code: 'status 500', type: 'sealpost.message.replied' }]);
  const listed = await control.call('GET', '/v1/subscriptions', undefined, bearer);
  expect(listed.body.subscriptions[0].disabled).not.toBeNull();
  receiver.status = 200;
  expect((await control.call('POST', `${path}/replay`, undefined, bearer)).body).toEqual({ replayed: 1 });
  await told(11);
  await vi.waitFor(async () => expect(await rows()).toEqual([]), 5000);
});

test('an application hears what became of its own messages, once each, and of nobody else’s', async () => {
  await subscribe(['sealpost.message.delivered', 'sealpost.message.ended']);
  const [own, others] = [control.surroundings.messageId(), control.surroundings.messageId()];
  for (const [message, principal] of [
    [own, 'application:pager'],
    [others, 'application:other'],
  ])
    await database.query(
      'request',
      `INSERT INTO message_request (principal, key, body_hash, message, envelope, flow, recipient, state, submission, stored_at)
       VALUES ($2, 'k', '', $1, '', 'incident-alerts', 'alice', 'accepted', '', 0)`,
      [message, principal],
    );
  const at = control.clock.now;
  const device = `dev_${'A'.repeat(22)}`;
  const of = (message: string) => [
    { v: 1, kind: 'receipt.device', at, message, device, receipt: 'delivered', jws: 'a.b.c' },
    { v: 1, kind: 'receipt.device', at, message, device, receipt: 'unreadable', jws: 'a.b.c' },
    { v: 1, kind: 'message.ended', at, message, state: 'read', reason: 'read' },
  ];
  events = [...of(own), ...of(others)].map((event, position) => ({ position, event: event as LogEvent }));
  await told(2);
  await control.restart();
  await vi.waitFor(
    async () => expect(await database.query('cursor', 'SELECT position FROM event_cursor')).toEqual([{ position: 5 }]),
    10_000,
  );
  await vi.waitFor(async () => expect(await rows()).toEqual([]), 5000);
  expect(
    receiver.seen.map(({ body }) => JSON.parse(body).data).sort((a, b) => (a.by ?? '').localeCompare(b.by ?? '')),
  ).toEqual([
    { message: own, flow: 'incident-alerts', state: 'read', reason: 'read' },
    { message: own, flow: 'incident-alerts', by: 'device' },
  ]);
});

test('two nodes that send at the same time send each event once', async () => {
  await subscribe(['sealpost.message.replied']);
  const { running } = control;
  await letter(1, 'm-1', { kind: 'text', text: SAID });
  for (let position = 2; position <= 30; position += 1)
    await letter(position, `m-${position}`, { kind: 'text', text: SAID });
  const first = { stop: running.stop };
  control.running = { url: '', stop: async () => undefined };
  await control.restart();
  try {
    await told(30);
    await vi.waitFor(async () => expect(await rows()).toEqual([]), 5000);
  } finally {
    await first.stop();
  }
  const ids = receiver.seen.map(({ headers }) => headers['webhook-id']);
  expect([ids.length, new Set(ids).size]).toEqual([30, 30]);
});

test('after a rotation the new secret and the one before verify, and a day later the new one alone', async () => {
  const { subscription, secret: before } = await subscribe(['sealpost.message.replied']);
  const rotated = await control.call('POST', `/v1/subscriptions/${subscription}/secret`, undefined, bearer);
  await letter(1, 'm-1', { kind: 'text', text: SAID });
  await told(1);
  const verifies = (secret: string, { headers, body }: Seen) => {
    try {
      return new Webhook(secret).verify(body, headers as Record<string, string>) !== undefined;
    } catch (error) {
      return String(error);
    }
  };
  expect([verifies(before, receiver.seen[0]!), verifies(rotated.body.secret, receiver.seen[0]!)]).toEqual([true, true]);
  await database.query('later', 'UPDATE subscription SET earlier_until = $1', [control.clock.now]);
  await letter(2, 'm-2', { kind: 'text', text: SAID });
  await told(2);
  expect(verifies(before, receiver.seen[1]!)).toMatch(/No matching signature/);
  expect(verifies(rotated.body.secret, receiver.seen[1]!)).toBe(true);
});

test('a subscriber’s address that leads inside is asked nothing, and the letter says why', async () => {
  await control.call(
    'POST',
    '/v1/subscriptions',
    { url: 'https://localhost:1/', types: ['sealpost.message.replied'] },
    bearer,
  );
  await letter(1, 'm-1', { kind: 'text', text: SAID });
  const codes = () => database.query('codes', 'SELECT code FROM event_delivery WHERE tries > 0');
  await vi.waitFor(async () => expect(await codes()).toEqual([{ code: 'ERR_FETCH_ADDRESS' }]), 10_000);
});

test('an application subscribes only to https, its own flow, and sees only what is its own', async () => {
  const { subscription } = await subscribe(['sealpost.message.replied']);
  const ask = (body: object) => control.call('POST', '/v1/subscriptions', body, bearer);
  const types = ['sealpost.message.read'];
  for (const url of [
    'http://acme.example/',
    'https://a:b@acme.example/',
    'https://acme.example/#x',
    'ftp://acme.example',
    'x',
  ])
    expect((await ask({ url, types })).body.code).toBe('ERR_SUBSCRIPTIONS_URL');
  expect((await ask({ url: 'https://acme.example', types, flow: 'other' })).body.code).toBe('ERR_SUBSCRIPTIONS_FLOW');
  expect((await control.call('GET', '/v1/subscriptions')).status).toBe(401);
  const other = await registerApplication(control, 'other', ['incident-alerts']);
  const token = await control.call(
    'POST',
    '/v1/token',
    await tokenRequest(control, other, 'other', 'flow:incident-alerts'),
  );
  const theirs = { authorization: `Bearer ${token.body.access_token}` };
  expect((await control.call('GET', '/v1/subscriptions', undefined, theirs)).body.subscriptions).toEqual([]);
  expect((await control.call('DELETE', `/v1/subscriptions/${subscription}`, undefined, theirs)).status).toBe(404);
  expect((await control.call('DELETE', `/v1/subscriptions/${subscription}`, undefined, bearer)).status).toBe(204);
});
