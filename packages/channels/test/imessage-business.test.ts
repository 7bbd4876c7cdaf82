/**
 * `imessage-business` beyond the contract: the requests Apple gets, what its answers mean, and whose messages count.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Payload } from '@sealpost/protocol/carriage';
import fc from 'fast-check';
import { jwtVerify, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { createAdapter, type RawWebhook } from '../src/index.ts';
import { attemptTo } from './contract.ts';
import { clearOf, PAYLOAD_NAMES, PAYLOADS, replyButton } from './payloads.ts';
import { contextOf } from './recorded-provider.ts';

const ALICE = 'urn:mbid:AQAAY491751234567+/=';
const BUSINESS = 'a884eddf-0000-4000-8000-0000000000b5';
const MSP = '5ab1e000-0000-4000-8000-0000000000f5';
const KEY = new TextEncoder().encode('thirty-two bytes of some secret!');
const FILES: Record<string, string> = { secret: Buffer.from(KEY).toString('base64') };
const SETTINGS = { msp_id: MSP, business_id: BUSINESS, secret_file: 'secret' };
const EXTENSION =
  'com.apple.messages.MSMessageExtensionBalloonPlugin:0000000000:com.apple.icloud.apps.messages.business.extension';

interface Sending {
  readonly payload?: Payload;
  readonly settings?: object;
  readonly files?: Record<string, string>;
  readonly address?: string;
  readonly expires?: number;
}

async function send(
  answer: () => Response,
  { payload = PAYLOADS.text, settings, files, address, expires }: Sending = {},
) {
  const asked: { url: string; headers: Headers; body: Buffer }[] = [];
  const recording: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const body = gunzipSync(new Uint8Array(await request.arrayBuffer()));
    asked.push({ url: `${request.method} ${request.url}`, headers: request.headers, body });
    return answer();
  };
  const context = contextOf(files ?? FILES, { fetch: recording });
  const adapter = createAdapter('imessage-business', { ...SETTINGS, ...settings }, context);
  const attempt = attemptTo(address ?? ALICE, { payload, ...(expires === undefined ? {} : { expires }) });
  const outcome = await adapter.send(attempt);
  expect(JSON.stringify(outcome)).not.toContain('491751234567');
  return { attempt, outcome, asked, body: JSON.parse(asked[0]?.body.toString() ?? 'null') };
}
const taken = () => new Response(null, { status: 200 });

describe('requests', () => {
  it.each(PAYLOAD_NAMES)('carry a %s, packed, under the attempt’s id and with a token of ours', async (kind) => {
    const { attempt, outcome, asked, body } = await send(taken, { payload: PAYLOADS[kind] });
    expect(outcome).toEqual({ kind: 'accepted', providerMessageId: attempt.id });
    expect(asked).toHaveLength(1);
    expect(asked[0]?.url).toBe('POST https://mspgw.push.apple.com/v1/message');
    expect(Object.fromEntries(asked[0]?.headers ?? [])).toMatchObject({
      id: attempt.id,
      'source-id': BUSINESS,
      'destination-id': ALICE,
      'content-encoding': 'gzip',
      'content-type': 'application/json',
    });
    const token = asked[0]?.headers.get('authorization')?.replace('Bearer ', '') ?? '';
    const { payload: claims, protectedHeader } = await jwtVerify(token, KEY);
    expect([protectedHeader.alg, claims.iss, claims.aud]).toEqual(['HS256', MSP, undefined]);
    expect(body).toMatchObject({ v: 1, id: attempt.id, sourceId: BUSINESS, destinationId: ALICE });
    const said = JSON.stringify(body);
    const payload: Payload = PAYLOADS[kind];
    expect(said).toContain(payload.text);
    if (payload.kind !== 'clear')
      expect(body).toMatchObject({ type: 'text', body: expect.stringContaining(payload.url) });
  });

  const replies = (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      kind: 'reply' as const,
      text: `Answer ${index}`,
      data: `do:${index}`,
    }));

  it.each([2, 5])('show %i replies as a quick reply that brings our own data back', async (count) => {
    const { attempt, body } = await send(taken, { payload: clearOf({ title: 'db1', suggestions: replies(count) }) });
    expect(body).toMatchObject({
      type: 'interactive',
      interactiveData: {
        bid: EXTENSION,
        data: {
          version: '1.0',
          requestIdentifier: attempt.id,
          'quick-reply': {
            summaryText: 'db1\n\nDisk full on db1',
            items: replies(count).map(({ text, data }) => ({ identifier: data, title: text })),
          },
        },
      },
    });
  });

  it.each([1, 6, 11])('show %i replies as a list to pick one from', async (count) => {
    const { body } = await send(taken, { payload: clearOf({ suggestions: replies(count) }) });
    expect(body.interactiveData.receivedMessage).toEqual({ style: 'small', title: 'Disk full on db1' });
    expect(body.interactiveData.data.listPicker.sections).toEqual([
      {
        order: 0,
        multipleSelection: false,
        items: replies(count).map(({ text, data }, order) => ({
          identifier: data,
          title: text,
          order,
          style: 'default',
        })),
      },
    ]);
  });

  it('write suggestions out beside a long text, and where the settings say so', async () => {
    const text = 'x'.repeat(401);
    const long = await send(taken, { payload: clearOf({ text, suggestions: replies(2) }) });
    expect(long.body).toMatchObject({ type: 'text', body: `${text}\n→ Answer 0\n→ Answer 1` });
    const payload = clearOf({ suggestions: [replyButton] });
    const written = await send(taken, { payload, settings: { suggestions: 'written' } });
    expect(written.body).toMatchObject({ type: 'text', body: 'Disk full on db1\n→ Acknowledge' });
  });

  it.each<[string, Sending, object]>([
    ['an expired attempt', { expires: Date.now() - 1 }, { kind: 'permanent', reason: 'expired' }],
    [
      'a number, which never wrote first',
      { address: '+491751234567' },
      { kind: 'downgrade', reason: 'has not written first' },
    ],
    ['a name that would break a header', { address: 'urn:mbid:a\r\nid: b' }, { kind: 'downgrade' }],
    [
      'a file without a place of its own',
      {
        payload: clearOf({ file: { name: 'a.png', mediaType: 'image/png', source: { kind: 'bytes', data: 'AAAA' } } }),
      },
      { kind: 'permanent', reason: 'file-unsupported' },
    ],
    [
      'a text longer than Apple is given',
      { payload: clearOf({ text: 'x'.repeat(20_000), suggestions: replies(1) }) },
      { kind: 'permanent', reason: 'text-too-long' },
    ],
    ['an unreadable secret', { files: {} }, { kind: 'auth-broken', reason: 'secret file unreadable' }],
    ['a secret that is no base64', { files: { secret: 'no base64' } }, { kind: 'auth-broken' }],
    ['an empty secret', { files: { secret: '' } }, { kind: 'auth-broken' }],
  ])('are not made for %s', async (_, sending, outcome) => {
    const sent = await send(taken, sending);
    expect(sent.outcome).toMatchObject(outcome);
    expect(sent.asked).toEqual([]);
  });
});

describe('answers', () => {
  it.each([
    [200, 'accepted'],
    [302, 'ambiguous'],
    [400, 'permanent'],
    [401, 'auth-broken'],
    [403, 'auth-broken'],
    [404, 'downgrade'],
    [408, 'ambiguous'],
    [410, 'downgrade'],
    [413, 'permanent'],
    [429, 'retry-after'],
    [500, 'ambiguous'],
    [503, 'ambiguous'],
  ])('of %i mean %s', async (status, kind) => {
    expect((await send(() => new Response(`No ${ALICE}`, { status }))).outcome.kind).toBe(kind);
  });

  it.each([
    ['ECONNREFUSED', 'retry-after'],
    ['ECONNRESET', 'ambiguous'],
  ])('that never come are told apart by whether anything left us: %s', async (code, kind) => {
    const broken = () => {
      throw new TypeError('fetch failed', { cause: Object.assign(new Error('failed'), { code }) });
    };
    expect((await send(broken)).outcome.kind).toBe(kind);
  });
});

const tokenOf = (change: { aud?: string; iss?: string; exp?: number } = { aud: MSP }, key = KEY) =>
  new SignJWT({ ...change, iat: 1_700_000_000 }).setProtectedHeader({ alg: 'HS256' }).sign(key);
const message = (change: object = {}) => ({
  v: 1,
  type: 'text',
  id: 'b1d0d0de-0000-4000-8000-000000000001',
  sourceId: ALICE,
  destinationId: BUSINESS,
  body: 'On my way',
  ...change,
});
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const post = (body: Uint8Array, token: string, change: Partial<RawWebhook> = {}): RawWebhook => ({
  method: 'POST',
  query: '',
  headers: { authorization: `Bearer ${token}` },
  body,
  ...change,
});
const read = (request: RawWebhook, files = FILES) =>
  createAdapter('imessage-business', SETTINGS, contextOf(files)).webhook?.(request);
const genuine = async (value: unknown) => read(post(bytes(value), await tokenOf()));

describe('messages', () => {
  it.each([
    [
      'another secret',
      () => tokenOf({ aud: MSP }, new TextEncoder().encode('thirty-two bytes of some secreT!')),
      FILES,
    ],
    ['another MSP', () => tokenOf({ aud: BUSINESS }), FILES],
    ['no audience, like our own tokens', () => tokenOf({ iss: MSP }), FILES],
    ['a token that has expired', () => tokenOf({ aud: MSP, exp: 1_700_000_100 }), FILES],
    ['no signature', async () => `${btoa('{"alg":"none"}')}.${btoa(`{"aud":"${MSP}"}`)}.`.replaceAll('=', ''), FILES],
    ['no token', async () => '', FILES],
    ['a token where our secret cannot be read', () => tokenOf(), {}],
  ])('with %s are forged', async (_, token, files) => {
    expect(await read(post(bytes(message()), await token()), files)).toEqual({ kind: 'forged' });
  });

  it('bring what a person says, packed or not', async () => {
    const inbound = [{ id: message().id, address: ALICE, content: { kind: 'text', text: 'On my way' } }];
    expect(await genuine(message())).toEqual({ kind: 'events', receipts: [], inbound });
    const packed = new Uint8Array(gzipSync(bytes(message())));
    expect(await read(post(packed, await tokenOf()))).toEqual({ kind: 'events', receipts: [], inbound });
  });

  it('bring STOP and the end of the conversation as an opt-out, and each file under an id of its own', async () => {
    expect(await genuine(message({ body: 'stop' }))).toMatchObject({ inbound: [{ content: { kind: 'opt-out' } }] });
    const closed = message({ type: 'close', body: undefined });
    expect(await genuine(closed)).toMatchObject({ inbound: [{ address: ALICE, content: { kind: 'opt-out' } }] });
    const attachments = [{ name: 'a.heic', mimeType: 'image/heic', key: '00aa', url: 'https://mmcs.example' }];
    expect(await genuine(message({ body: 'See \uFFFC', attachments }))).toMatchObject({
      inbound: [
        { id: message().id, content: { kind: 'text' } },
        { id: `${message().id}-1`, content: { kind: 'file', name: 'a.heic', mediaType: 'image/heic' } },
      ],
    });
  });

  it('bring what was picked of a quick reply or a list, and the message it answers', async () => {
    const picked = (data: object) =>
      genuine(
        message({
          type: 'interactive',
          body: undefined,
          interactiveData: { data: { requestIdentifier: 'ours', ...data } },
        }),
      );
    const expected = {
      inbound: [
        {
          id: message().id,
          address: ALICE,
          about: 'ours',
          content: { kind: 'suggestion', data: 'ack:42', text: 'Acknowledge' },
        },
      ],
    };
    const items = [
      { identifier: 'no', title: 'No' },
      { identifier: 'ack:42', title: 'Acknowledge' },
    ];
    expect(await picked({ 'quick-reply': { selectedIdentifier: 'ack:42', selectedIndex: 1, items } })).toMatchObject(
      expected,
    );
    expect(await picked({ listPicker: { sections: [{ items: [items[1]] }] } })).toMatchObject(expected);
  });

  it.each([
    ['another business', message({ destinationId: 'other' })],
    ['somebody who types', message({ type: 'typing_start', body: undefined })],
    ['an answer of another extension', message({ type: 'interactive', interactiveData: { data: { event: {} } } })],
    [
      'an answer too large to come along',
      message({ type: 'interactive', interactiveDataRef: { url: 'https://mmcs.example' } }),
    ],
    ['nothing but a space', message({ body: ' ' })],
  ])('of %s say nothing', async (_, value) => {
    expect((await genuine(value))?.kind).toBe('ignored');
  });

  it('are refused where they are too large, also unpacked, or in no known form, and never make the adapter throw', async () => {
    const token = await tokenOf();
    const bomb = new Uint8Array(gzipSync(bytes(message({ body: ' '.repeat(600_000) }))));
    for (const body of [new Uint8Array(512 * 1024 + 1), bomb, bytes({}), Uint8Array.of(0x1f, 0x8b, 8)])
      expect((await read(post(body, token)))?.kind).toBe('malformed');
    expect((await read(post(bytes(message()), token, { method: 'GET' })))?.kind).toBe('malformed');
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.jsonValue(), async (raw, value) => {
        expect((await read(post(raw, token)))?.kind).toBe('malformed');
        expect((await genuine(message({ type: 'interactive', interactiveData: value })))?.kind).toBe('ignored');
      }),
      { numRuns: 200 },
    );
  });
});
