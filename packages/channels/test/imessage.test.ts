/**
 * `imessage` beyond the contract: the requests BlueBubbles gets, what its answers mean, and whose events count.
 */
import type { Payload } from '@sealpost/protocol/carriage';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RawWebhook } from '../src/index.ts';
import { attemptTo } from './contract.ts';
import { clearOf, PAYLOAD_NAMES, PAYLOADS } from './payloads.ts';
import { type Answering, failing, json, recordedAdapter } from './recorded-provider.ts';

const ALICE = '+491751234567';
const GUID = '8F9F2D3A-93F4-4B9C-8D7E-0B9E5C4C6E11';
const FILES = { password: 'p&ss word', hook: 'hook-token' };
const SETTINGS = { base_url: 'https://mac.example:1234', password_file: 'password', webhook_token_file: 'hook' };
const taken: Answering = () => json(200, { status: 200, message: 'Message sent!', data: { guid: GUID } });

async function send(answer: Answering, payload: Payload = PAYLOADS.text, files: Record<string, string> = FILES) {
  const { adapter, asked } = recordedAdapter('imessage', SETTINGS, files, answer);
  const attempt = attemptTo(ALICE, { payload });
  return { attempt, outcome: await adapter.send(attempt), asked };
}

describe('requests', () => {
  it.each(PAYLOAD_NAMES)('carry a %s as text to an iMessage conversation, which cannot become SMS', async (kind) => {
    const { attempt, outcome, asked } = await send(taken, PAYLOADS[kind]);
    expect(outcome).toEqual({ kind: 'accepted', providerMessageId: GUID });
    expect(asked.map(({ url }) => [url.pathname, url.searchParams.get('password')])).toEqual([
      ['/api/v1/message/text', FILES.password],
    ]);
    const body = JSON.parse(asked[0]?.body ?? '');
    expect(body).toEqual({
      chatGuid: `iMessage;-;${ALICE}`,
      tempGuid: attempt.id,
      message: expect.stringContaining(PAYLOADS[kind].text),
      method: 'apple-script',
    });
    if ('url' in PAYLOADS[kind]) expect(body.message).toContain(PAYLOADS[kind].url);
  });

  it('are not made for an expired attempt, a file without a place of its own, or an unreadable password', async () => {
    const { adapter, asked } = recordedAdapter('imessage', SETTINGS, FILES, taken);
    expect(await adapter.send(attemptTo(ALICE, { expires: Date.now() - 1 }))).toMatchObject({ reason: 'expired' });
    const source = { kind: 'bytes' as const, data: 'AAAA' };
    const file = clearOf({ file: { name: 'a.png', mediaType: 'image/png', source } });
    expect(await adapter.send(attemptTo(ALICE, { payload: file }))).toMatchObject({ reason: 'file-unsupported' });
    const locked = await send(taken, PAYLOADS.text, {});
    expect(locked.outcome.kind).toBe('auth-broken');
    expect([...asked, ...locked.asked]).toEqual([]);
  });
});

describe('answers', () => {
  it.each([
    [400, 'ambiguous'],
    [401, 'auth-broken'],
    [403, 'auth-broken'],
    [404, 'downgrade'],
    [413, 'permanent'],
    [429, 'retry-after'],
    [500, 'ambiguous'],
    [504, 'ambiguous'],
  ])('of %i mean %s', async (status, kind) => {
    const { outcome } = await send(() => json(status, { status, message: `No ${ALICE}`, data: { guid: GUID } }));
    expect(outcome.kind).toBe(kind);
    expect(JSON.stringify(outcome)).not.toContain(ALICE);
  });

  it('without a message id leave open whether it was sent', async () => {
    expect((await send(() => new Response('<html>'))).outcome.kind).toBe('ambiguous');
  });

  it.each([
    ['ECONNREFUSED', 'retry-after'],
    ['ECONNRESET', 'ambiguous'],
  ])('that never come are told apart by whether anything left us: %s', async (code, kind) => {
    expect((await send(failing(code))).outcome.kind).toBe(kind);
  });

  it.each([
    [json(200, { data: { available: true } }), 'reachable'],
    [json(200, { data: { available: false } }), 'unreachable'],
    [json(500, {}), 'unknown'],
    [json(200, {}), 'unknown'],
  ])('about availability decide nothing unless they say yes or no', async (answer, kind) => {
    const { adapter, asked } = recordedAdapter('imessage', SETTINGS, FILES, () => answer);
    expect((await adapter.lookup?.(ALICE))?.kind).toBe(kind);
    expect(asked[0]?.url.searchParams.get('address')).toBe(ALICE);
  });
});

const message = (change: object = {}) => ({
  guid: GUID,
  text: 'On my way',
  isFromMe: false,
  handle: { address: ALICE },
  chats: [{ guid: `iMessage;-;${ALICE}` }],
  attachments: [],
  dateCreated: 1_700_000_000_000,
  ...change,
});
const hook = (type: string, data: unknown, change: Partial<RawWebhook> = {}): RawWebhook => ({
  method: 'POST',
  query: 'token=hook-token',
  headers: {},
  body: new TextEncoder().encode(JSON.stringify({ type, data })),
  ...change,
});
const read = async (request: RawWebhook, files: Record<string, string> = FILES) =>
  recordedAdapter('imessage', SETTINGS, files, taken).adapter.webhook?.(request);

describe('events', () => {
  it.each([
    ['another token', hook('new-message', message(), { query: 'token=hook-tokem' }), FILES],
    ['no token', hook('new-message', message(), { query: '' }), FILES],
    ['an empty token where ours cannot be read', hook('new-message', message(), { query: 'token=' }), {}],
  ])('with %s are forged', async (_, request, files) => {
    expect(await read(request, files)).toEqual({ kind: 'forged' });
  });

  it('bring what a person says, and the message it answers', async () => {
    expect(await read(hook('new-message', message({ threadOriginatorGuid: 'ours' })))).toEqual({
      kind: 'events',
      receipts: [],
      inbound: [
        {
          id: GUID,
          address: ALICE,
          at: 1_700_000_000_000,
          about: 'ours',
          content: { kind: 'text', text: 'On my way' },
        },
      ],
    });
  });

  it('bring a STOP as an opt-out, and every file beside the text under an id of its own', async () => {
    expect(await read(hook('new-message', message({ text: 'Stop.' })))).toMatchObject({
      inbound: [{ content: { kind: 'opt-out' } }],
    });
    const attachments = [{ transferName: 'a.heic', mimeType: 'image/heic' }];
    expect(await read(hook('new-message', message({ text: 'See \uFFFC', attachments })))).toMatchObject({
      inbound: [
        { id: GUID, content: { kind: 'text' } },
        { id: `${GUID}-1`, content: { kind: 'file', name: 'a.heic', mediaType: 'image/heic' } },
      ],
    });
  });

  it.each([
    ['our own words', message({ isFromMe: true })],
    ['a group', message({ text: 'STOP', chats: [{ guid: 'iMessage;+;chat42' }] })],
    ['a tapback', message({ associatedMessageGuid: `p:0/${GUID}` })],
  ])('of %s are nobody’s answer', async (_, data) => {
    expect(await read(hook('new-message', data))).toEqual({ kind: 'ignored', reason: 'nothing was said' });
  });

  it('tell delivery and reading by both names a message may be known by', async () => {
    const data = message({
      isFromMe: true,
      tempGuid: 'attempt',
      dateDelivered: 1_700_000_001_000,
      dateRead: 1_700_000_002_000,
    });
    expect(await read(hook('updated-message', data))).toMatchObject({
      receipts: [
        { providerMessageIds: [GUID, 'attempt'], status: 'delivered', at: 1_700_000_001_000 },
        { providerMessageIds: [GUID, 'attempt'], status: 'read', at: 1_700_000_002_000 },
      ],
    });
  });

  it.each([
    ['message-send-error', {}],
    ['updated-message', { error: 22 }],
  ])('of failure in %s are told as such and not as delivery', async (type, change) => {
    const data = message({ isFromMe: true, dateDelivered: 1_700_000_001_000, ...change });
    expect(await read(hook(type, data))).toMatchObject({ receipts: [{ status: 'failed' }] });
  });

  it('are refused where they are too large or in no known form, and never make the adapter throw', async () => {
    expect(await read(hook('new-message', {}))).toMatchObject({ kind: 'malformed' });
    expect(await read(hook('typing-indicator', {}))).toMatchObject({ kind: 'ignored' });
    expect(await read(hook('x', {}, { body: new Uint8Array(512 * 1024 + 1) }))).toMatchObject({ kind: 'malformed' });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.jsonValue(), async (bytes, data) => {
        expect((await read(hook('x', {}, { body: bytes })))?.kind).toMatch(/^(malformed|ignored)$/);
        expect((await read(hook('new-message', data)))?.kind).toMatch(/^(malformed|ignored|events)$/);
      }),
      { numRuns: 200 },
    );
  });
});
