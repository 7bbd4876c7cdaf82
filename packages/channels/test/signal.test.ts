/**
 * `signal` beyond the contract: what both servers are asked, what their answers mean, whose events count, and a real event
 * stream that breaks, falls silent and comes back.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Payload } from '@sealpost/protocol/carriage';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { type Adapter, createAdapter, type ProviderEvents, type RawWebhook } from '../src/index.ts';
import { createEventReader } from '../src/signal/event-stream.ts';
import { attemptTo, until } from './contract.ts';
import { clearOf, PAYLOAD_NAMES, PAYLOADS, replyButton } from './payloads.ts';
import { type Answering, contextOf, failing, json, recordedAdapter } from './recorded-provider.ts';

const ALICE = '+491751234567';
const ALICE_ID = '0a1b2c3d-0000-4000-8000-00000000a11c';
const ACCOUNT = '+4930123456';
const SENT = 1_700_000_000_000;
const FILES = { hook: 'hook-token' };
const RPC = { mode: 'json-rpc', base_url: 'http://signal.example:8080', account: ACCOUNT };
const REST = { mode: 'rest', base_url: 'http://signal.example:8080', account: ACCOUNT, webhook_token_file: 'hook' };

const result = (type: string, change: object = {}) => ({ recipientAddress: { number: ALICE }, type, ...change });
const rpcTaken = () =>
  json(200, { jsonrpc: '2.0', id: 'sealpost', result: { timestamp: SENT, results: [result('SUCCESS')] } });
const rpcError = (code: number, results?: object[]) => () =>
  json(200, {
    jsonrpc: '2.0',
    id: 'sealpost',
    error: {
      code,
      message: `Failed for ${ALICE}`,
      data: results === undefined ? null : { response: { timestamp: SENT, results } },
    },
  });
const restTaken = () => json(201, { timestamp: String(SENT) });
const modes = [
  ['json-rpc', RPC, rpcTaken],
  ['rest', REST, restTaken],
] as const;

async function send(settings: object, answer: Answering, payload: Payload = PAYLOADS.text, address = ALICE) {
  const { adapter, asked } = recordedAdapter('signal', settings, FILES, answer);
  const outcome = await adapter.send(attemptTo(address, { payload }));
  expect(JSON.stringify(outcome)).not.toContain(ALICE);
  return { outcome, asked };
}

describe('requests', () => {
  it.each(PAYLOAD_NAMES)('carry a %s as text, to signal-cli and to signal-cli-rest-api', async (kind) => {
    const rpc = await send(RPC, rpcTaken, PAYLOADS[kind]);
    expect(rpc.outcome).toEqual({ kind: 'accepted', providerMessageId: String(SENT) });
    expect(rpc.asked.map(({ method, url }) => `${method} ${url.pathname}`)).toEqual(['POST /api/v1/rpc']);
    const message = expect.stringContaining(PAYLOADS[kind].text);
    expect(JSON.parse(rpc.asked[0]?.body ?? '')).toEqual({
      jsonrpc: '2.0',
      id: 'sealpost',
      method: 'send',
      params: { account: ACCOUNT, recipient: [ALICE], message },
    });
    const rest = await send(REST, restTaken, PAYLOADS[kind]);
    expect(rest.outcome).toEqual(rpc.outcome);
    expect(rest.asked.map(({ method, url }) => `${method} ${url.pathname}`)).toEqual(['POST /v2/send']);
    const body = JSON.parse(rest.asked[0]?.body ?? '');
    expect(body).toEqual({ number: ACCOUNT, recipients: [ALICE], message, text_mode: 'normal' });
    if ('url' in PAYLOADS[kind]) expect(body.message).toContain(PAYLOADS[kind].url);
  });

  it('write a title and suggestions out, since Signal has neither', async () => {
    const { asked } = await send(RPC, rpcTaken, PAYLOADS.card);
    expect(JSON.parse(asked[0]?.body ?? '').params.message).toBe(
      'db1 is down\n\nDisk full on db1\n→ Acknowledge\nOpen: https://inbox.example/m/42#key',
    );
  });

  it.each(modes)(
    'of %s carry a file with a name that cannot end the data URL it stands in',
    async (mode, settings, taken) => {
      const source = { kind: 'bytes' as const, data: '-_8' };
      const payload = clearOf({ file: { name: 'a;b,c=d.png', mediaType: 'image/png', source } });
      const { asked } = await send(settings, taken, payload);
      const body = JSON.parse(asked[0]?.body ?? '');
      expect(mode === 'rest' ? body.base64_attachments : body.params.attachments).toEqual([
        'data:image/png;filename=a_b_c_d.png;base64,+/8=',
      ]);
    },
  );

  it.each(modes)(
    'of %s are not made for what is expired or too long, and no group or name is an address',
    async (_, settings, taken) => {
      const { adapter, asked } = recordedAdapter('signal', settings, FILES, taken);
      expect(await adapter.send(attemptTo(ALICE, { expires: Date.now() - 1 }))).toMatchObject({ reason: 'expired' });
      const text = '€'.repeat(20_000);
      const fits = clearOf({ text, suggestions: [replyButton] });
      const long = clearOf({ text: '€'.repeat(21_900) });
      expect(await adapter.send(attemptTo(ALICE, { payload: long }))).toEqual({
        kind: 'permanent',
        reason: 'text-too-long',
      });
      for (const address of ['group.abc=', 'u:alice.01', 'alice', '+49', '491751234567'])
        expect(await adapter.send(attemptTo(address))).toEqual({ kind: 'downgrade', reason: 'no Signal address' });
      expect(asked).toEqual([]);
      expect((await adapter.send(attemptTo(ALICE_ID, { payload: fits }))).kind).toBe('accepted');
    },
  );

  it.each(modes)('of %s that get no answer are told apart by whether anything left us', async (_, settings) => {
    expect((await send(settings, failing('ECONNREFUSED'))).outcome.kind).toBe('retry-after');
    expect((await send(settings, failing('ECONNRESET'))).outcome.kind).toBe('ambiguous');
  });
});

describe('answers', () => {
  it.each([
    ['success', [result('SUCCESS')], 'accepted'],
    ['a broken network', [result('NETWORK_FAILURE')], 'ambiguous'],
    ['nobody of that number', [result('UNREGISTERED_FAILURE')], 'downgrade'],
    ['another safety number', [result('IDENTITY_FAILURE')], 'security-stop'],
    ['too many', [result('RATE_LIMIT_FAILURE')], 'retry-after'],
    ['a type nobody has met', [result('SOMETHING_ELSE')], 'ambiguous'],
    ['nobody at all', [], 'ambiguous'],
    ['two people', [result('SUCCESS'), result('SUCCESS')], 'ambiguous'],
  ])('of signal-cli about %s end the attempt as that', async (_, results, kind) => {
    expect((await send(RPC, () => json(200, { result: { timestamp: SENT, results } }))).outcome.kind).toBe(kind);
  });

  it.each([
    [-1, 'permanent'],
    [-3, 'ambiguous'],
    [-4, 'security-stop'],
    [-5, 'retry-after'],
    [-6, 'auth-broken'],
    [-32602, 'auth-broken'],
    [-32601, 'permanent'],
    [-32603, 'ambiguous'],
    [-99, 'ambiguous'],
  ])('of signal-cli with error %i mean %s', async (code, kind) => {
    expect((await send(RPC, rpcError(code))).outcome.kind).toBe(kind);
  });

  it('of signal-cli are read by what became of the one recipient before the error’s own number', async () => {
    const failed = async (code: number, type: string, change: object = {}) =>
      (await send(RPC, rpcError(code, [result(type, change)]))).outcome;
    expect(await failed(-1, 'UNREGISTERED_FAILURE')).toEqual({
      kind: 'downgrade',
      reason: 'signal-cli -1 UNREGISTERED_FAILURE',
    });
    expect((await failed(-1, 'NETWORK_FAILURE')).kind).toBe('ambiguous');
    expect(await failed(-5, 'RATE_LIMIT_FAILURE', { retryAfterSeconds: 90 })).toMatchObject({ afterMs: 90_000 });
    expect((await failed(-5, 'RATE_LIMIT_FAILURE', { token: 'prove', retryAfterSeconds: 90 })).kind).toBe(
      'auth-broken',
    );
  });

  it.each([
    [400, {}, 'ambiguous'],
    [401, {}, 'auth-broken'],
    [404, {}, 'permanent'],
    [429, {}, 'retry-after'],
    [429, { challenge_tokens: ['prove'] }, 'auth-broken'],
    [500, {}, 'ambiguous'],
    [201, {}, 'ambiguous'],
    [302, {}, 'ambiguous'],
  ])('of signal-cli-rest-api of %i with %j mean %s', async (status, body, kind) => {
    const answer = () => json(status, { error: `Failed for ${ALICE}`, account: ACCOUNT, ...body });
    expect((await send(REST, answer)).outcome.kind).toBe(kind);
  });

  it('that are no JSON leave open whether it was sent', async () => {
    for (const [, settings] of modes)
      expect((await send(settings, () => new Response('<html>'))).outcome.kind).toBe('ambiguous');
  });

  it.each([
    [RPC, [{ recipient: ALICE, isRegistered: true }], 'reachable'],
    [RPC, [{ recipient: ALICE, isRegistered: false }], 'unreachable'],
    [RPC, [], 'unknown'],
    [REST, [{ number: ALICE, registered: true }], 'reachable'],
    [REST, [{ number: ALICE, registered: false }], 'unreachable'],
    [REST, {}, 'unknown'],
  ])('about a number decide nothing unless they say yes or no', async (settings, said, kind) => {
    const answer = () => json(200, settings === RPC ? { result: said } : said);
    const { adapter, asked } = recordedAdapter('signal', settings, FILES, answer);
    expect((await adapter.lookup?.(ALICE))?.kind).toBe(kind);
    const [{ url, body } = { url: new URL('x:'), body: '' }] = asked;
    if (settings === RPC)
      expect(JSON.parse(body)).toMatchObject({ method: 'getUserStatus', params: { recipient: [ALICE] } });
    else expect([url.pathname, url.searchParams.get('numbers')]).toEqual(['/v1/search/%2B4930123456', ALICE]);
  });
});

describe('taking back', () => {
  const now = () => SENT + 60_000;
  const sent = { ...attemptTo(ALICE), providerMessageId: String(SENT) };
  const revoke = async (settings: object, answer: Answering, change: Partial<typeof sent> = {}, clock = now) => {
    const { adapter, asked } = recordedAdapter('signal', settings, FILES, answer, { now: clock });
    return { result: await adapter.revoke?.({ ...sent, ...change }), asked };
  };

  it('names the message by its time, to signal-cli and to signal-cli-rest-api', async () => {
    const rpc = await revoke(RPC, rpcTaken);
    expect(rpc.result).toEqual({ kind: 'revoked' });
    expect(JSON.parse(rpc.asked[0]?.body ?? '')).toMatchObject({
      method: 'remoteDelete',
      params: { account: ACCOUNT, recipient: [ALICE], targetTimestamp: SENT },
    });
    const rest = await revoke(REST, restTaken);
    expect(rest.result).toEqual({ kind: 'revoked' });
    expect(rest.asked.map(({ method, url }) => `${method} ${url.pathname}`)).toEqual([
      'DELETE /v1/remote-delete/%2B4930123456',
    ]);
    expect(JSON.parse(rest.asked[0]?.body ?? '')).toEqual({ recipient: ALICE, timestamp: SENT });
  });

  it('is too late after a day, unknown without a name, and says when it may be tried again', async () => {
    const late = await revoke(RPC, rpcTaken, {}, () => SENT + 24 * 60 * 60_000);
    expect([late.result?.kind, late.asked]).toEqual(['too-late', []]);
    expect((await revoke(RPC, rpcTaken, { providerMessageId: 'x' })).result?.kind).toBe('unknown');
    expect((await revoke(RPC, rpcError(-5))).result?.kind).toBe('retry-after');
    expect((await revoke(RPC, rpcError(-3))).result?.kind).toBe('unknown');
    expect((await revoke(REST, failing('ECONNREFUSED'))).result?.kind).toBe('retry-after');
    expect((await revoke(REST, failing('ECONNRESET'))).result?.kind).toBe('unknown');
  });
});

const data = (change: object = {}) => ({
  dataMessage: { timestamp: SENT, message: 'On my way', expiresInSeconds: 0, viewOnce: false, ...change },
});
const receipt = (change: object) => ({
  receiptMessage: { when: SENT + 9, isDelivery: false, isRead: false, isViewed: false, ...change },
});
const params = (said: object, change: object = {}) => ({
  envelope: { source: ALICE, sourceNumber: ALICE, sourceUuid: ALICE_ID, sourceDevice: 1, timestamp: SENT, ...said },
  account: ACCOUNT,
  ...change,
});
const hook = (value: unknown, change: Partial<RawWebhook> = {}): RawWebhook => ({
  method: 'POST',
  query: 'token=hook-token',
  headers: {},
  body: new TextEncoder().encode(JSON.stringify(value)),
  ...change,
});
const notified = (said: object, change: object = {}) => ({
  jsonrpc: '2.0',
  method: 'receive',
  params: params(said, change),
});
const read = async (request: RawWebhook, files: Record<string, string> = FILES) =>
  recordedAdapter('signal', REST, files, restTaken).adapter.webhook?.(request);

describe('posted events', () => {
  it.each([
    ['another token', hook(notified(data()), { query: 'token=hook-tokem' }), FILES],
    ['no token', hook(notified(data()), { query: '' }), FILES],
    ['an empty token where ours cannot be read', hook(notified(data()), { query: 'token=' }), {}],
  ])('with %s are forged', async (_, request, files) => {
    expect(await read(request, files)).toEqual({ kind: 'forged' });
  });

  it('bring what a person says and the message of ours it quotes, bare, notified or subscribed to', async () => {
    const quoting = data({ quote: { id: SENT - 5, author: ACCOUNT, authorNumber: ACCOUNT } });
    const subscribed = { method: 'receive', params: { subscription: 0, result: params(quoting) } };
    for (const value of [params(quoting), notified(quoting), subscribed])
      expect(await read(hook(value))).toEqual({
        kind: 'events',
        receipts: [],
        inbound: [
          {
            id: `${ALICE_ID}:${SENT}`,
            address: ALICE,
            at: SENT,
            about: String(SENT - 5),
            content: { kind: 'text', text: 'On my way' },
          },
        ],
      });
  });

  it('bring a STOP as an opt-out, every file under an id of its own, and a person without a number by their id', async () => {
    expect(await read(hook(notified(data({ message: 'Stop.' }))))).toMatchObject({
      inbound: [{ content: { kind: 'opt-out' } }],
    });
    const attachments = [
      { contentType: 'image/png', filename: 'a.png', id: 'x', size: 3 },
      { contentType: 'audio/aac' },
    ];
    expect(await read(hook(notified(data({ message: null, attachments }))))).toMatchObject({
      inbound: [
        { id: `${ALICE_ID}:${SENT}`, content: { kind: 'file', name: 'a.png', mediaType: 'image/png' } },
        { id: `${ALICE_ID}:${SENT}-1`, content: { kind: 'file', mediaType: 'audio/aac' } },
      ],
    });
    const hidden = { ...data(), source: ALICE_ID, sourceNumber: null };
    expect(await read(hook(notified(hidden)))).toMatchObject({ inbound: [{ address: ALICE_ID }] });
    const others = data({ quote: { id: SENT - 5, authorNumber: '+4915112345678' } });
    expect(JSON.stringify(await read(hook(notified(others))))).not.toContain('about');
  });

  it.each([
    ['a group', notified(data({ message: 'STOP', groupInfo: { groupId: 'x' } }))],
    ['a reaction', notified(data({ reaction: { emoji: '👍', targetSentTimestamp: SENT } }))],
    ['a message taken back', notified(data({ remoteDelete: { timestamp: SENT } }))],
    ['our own other devices', notified({ syncMessage: { sentMessage: { message: 'x' } } })],
    ['somebody who types', notified({ typingMessage: { action: 'STARTED' } })],
    ['another account', notified(data(), { account: '+4930999999' })],
    ['a receipt of nothing', notified(receipt({ timestamps: [SENT] }))],
  ])('of %s say nothing', async (_, value) => {
    expect(await read(hook(value))).toEqual({ kind: 'ignored', reason: 'nothing was said' });
  });

  it('tell delivery and reading, each of every message named', async () => {
    expect(await read(hook(notified(receipt({ isDelivery: true, timestamps: [SENT, SENT + 1] }))))).toEqual({
      kind: 'events',
      inbound: [],
      receipts: [SENT, SENT + 1].map((at) => ({
        providerMessageIds: [String(at)],
        status: 'delivered',
        code: 'DELIVERED',
        at: SENT + 9,
      })),
    });
    for (const seen of ['isRead', 'isViewed'])
      expect(await read(hook(notified(receipt({ [seen]: true, timestamps: [SENT] }))))).toMatchObject({
        receipts: [{ status: 'read' }],
      });
  });

  it('are refused where they are too large or in no known form, and never make the adapter throw', async () => {
    expect(await read(hook({}, { body: new Uint8Array(512 * 1024 + 1) }))).toMatchObject({ kind: 'malformed' });
    expect(await read(hook(notified({}), { method: 'GET' }))).toMatchObject({ kind: 'malformed' });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.jsonValue(), async (bytes, value) => {
        expect((await read(hook({}, { body: bytes })))?.kind).toBe('malformed');
        expect((await read(hook(notified({ dataMessage: value }))))?.kind).toMatch(/^(malformed|ignored)$/);
      }),
      { numRuns: 200 },
    );
  });
});

describe('the reader of event streams', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);

  it('finds the same events however the bytes are cut and lines are ended', () => {
    const property = fc.property(
      fc.array(fc.string({ unit: 'grapheme' }).filter((text) => !/[\r\n]/.test(text) && text !== '')),
      fc.constantFrom('\n', '\r\n'),
      fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
      (events, end, cuts) => {
        const stream = bytes(
          events.map((text) => `: still here${end}event:receive${end}data: ${text}${end}${end}`).join(''),
        );
        const reader = createEventReader(10_000);
        const found: string[] = [];
        for (let at = 0; at < stream.length; ) {
          const next = at + (cuts.next().value ?? 1);
          found.push(...reader(stream.subarray(at, next)));
          at = next;
        }
        expect(found).toEqual(events);
      },
    );
    fc.assert(property);
  });

  it('joins lines of data, and passes over an event that is too large without losing the next', () => {
    const reader = createEventReader(100);
    expect(reader(bytes('data:a\rdata: b\r\rdata\r\r'))).toEqual(['a\nb']);
    for (const large of [`data:${'x'.repeat(200)}`, `data:${'x'.repeat(60)}\ndata:${'x'.repeat(60)}`])
      expect(reader(bytes(`${large}\n\ndata:after\n\n`))).toEqual(['after']);
    const cut = createEventReader(100);
    expect(cut(bytes(`data:${'x'.repeat(200)}`))).toEqual([]);
    expect(cut(bytes('\ndata:same event\n\ndata:after\n\n'))).toEqual(['after']);
  });
});

/** signal-cli's daemon as far as events go: who follows it, and what they are told. */
async function openDaemon(port = 0) {
  const followers: ServerResponse[] = [];
  const asked: string[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    asked.push(request.url ?? '');
    if (request.url === '/api/v1/check') response.writeHead(200).end();
    else if (request.url?.startsWith('/api/v1/events')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n');
      followers.push(response);
      response.on('close', () => followers.splice(followers.indexOf(response), 1));
    } else {
      request.resume();
      response.end(JSON.stringify({ result: { timestamp: SENT, results: [result('SUCCESS')] } }));
    }
  };
  const server = createServer(answer);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const bound = (server.address() as { port: number }).port;
  return {
    settings: { ...RPC, base_url: `http://127.0.0.1:${bound}` },
    port: bound,
    asked,
    followers,
    tell: (value: unknown) => {
      for (const follower of followers) follower.write(`event:receive\ndata:${JSON.stringify(value)}\n\n`);
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

describe('the event stream', () => {
  const open: { adapter?: Adapter; daemon?: Awaited<ReturnType<typeof openDaemon>> } = {};
  afterEach(async () => {
    await open.adapter?.stop();
    await open.daemon?.close();
    delete open.adapter;
    delete open.daemon;
  });

  async function follow(change: object = {}, receive?: (events: ProviderEvents) => Promise<void>) {
    const daemon = await openDaemon();
    const stored: ProviderEvents[] = [];
    const adapter = createAdapter('signal', { ...daemon.settings, ...change }, contextOf({}));
    Object.assign(open, { daemon, adapter });
    await adapter.start({ receive: receive ?? (async (events) => void stored.push(events)) });
    await until(() => daemon.followers[0], 'the stream is opened');
    return { daemon, adapter, stored };
  }

  it('brings receipts and words of this account, and passes over what is neither', async () => {
    const { daemon, stored } = await follow();
    expect(daemon.asked).toEqual(['/api/v1/check', '/api/v1/events?account=%2B4930123456']);
    daemon.tell('nonsense');
    daemon.tell(params({ typingMessage: {} }));
    daemon.tell(params(receipt({ isDelivery: true, timestamps: [SENT] })));
    daemon.tell(params(data({ message: 'STOP' })));
    await until(() => stored[1], 'both are stored');
    expect(stored).toMatchObject([
      { receipts: [{ providerMessageIds: [String(SENT)], status: 'delivered' }], inbound: [] },
      { receipts: [], inbound: [{ address: ALICE, content: { kind: 'opt-out' } }] },
    ]);
  });

  it('is opened again when it breaks', async () => {
    const { daemon, stored } = await follow();
    daemon.followers[0]?.destroy();
    await until(() => (daemon.asked.length === 4 ? daemon.followers[0] : undefined), 'it is opened again');
    daemon.tell(params(data()));
    await until(() => stored[0], 'an event of the second stream');
  });

  it('is opened again when it falls silent', async () => {
    const { daemon } = await follow({ silence: '150ms' });
    await until(() => (daemon.asked.length >= 4 ? true : undefined), 'it is opened again');
  });

  it('waits for a daemon that is not there yet', async () => {
    const gone = await openDaemon();
    await gone.close();
    const adapter = createAdapter('signal', gone.settings, contextOf({}));
    open.adapter = adapter;
    await adapter.start({ receive: async () => undefined });
    const daemon = await openDaemon(gone.port);
    open.daemon = daemon;
    await until(() => daemon.followers[0], 'the stream is opened');
  });

  it('hands an event over until it is stored, and only then the next', async () => {
    const tries: string[] = [];
    const { daemon } = await follow({}, async ({ receipts }) => {
      tries.push(receipts[0]?.providerMessageIds[0] ?? '');
      if (tries.length === 1) throw new Error('database away');
    });
    for (const at of [1, 2]) daemon.tell(params(receipt({ isRead: true, timestamps: [at] })));
    await until(() => tries[2], 'three tries');
    expect(tries).toEqual(['1', '1', '2']);
  });

  it('is closed by stop, even while it waits to try again', async () => {
    const { daemon, adapter } = await follow();
    await adapter.stop();
    await until(() => (daemon.followers.length === 0 ? true : undefined), 'the stream is closed');
    const waiting = createAdapter('signal', { ...RPC, base_url: 'http://127.0.0.1:1' }, contextOf({}));
    await waiting.start({ receive: async () => undefined });
    await waiting.stop();
    await waiting.stop();
  });

  it('leaves nothing open after stop: a process that did the same ends by itself', async () => {
    const daemon = await openDaemon();
    open.daemon = daemon;
    const job = JSON.stringify({ name: 'signal', settings: daemon.settings, files: {}, attempt: attemptTo(ALICE) });
    const child = spawn(process.execPath, [join(import.meta.dirname, 'one-attempt.ts'), job], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const said: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
    const [code] = await once(child, 'close');
    expect([code, JSON.parse(Buffer.concat(said).toString()).kind]).toEqual([0, 'accepted']);
  });
});
