/** `rcs-maap` beyond the contract: the profile's requests, what each answer means, and whose webhooks count. */
import type { Payload } from '@sealpost/protocol/carriage';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RawWebhook } from '../src/index.ts';
import { attemptTo } from './contract.ts';
import { clearOf, PAYLOAD_NAMES, PAYLOADS, replyButton } from './payloads.ts';
import { type Answering, failing, json, recordedAdapter } from './recorded-provider.ts';

const ALICE = '+491751234567';
const HOOK_TOKEN = 'hook-token-1';
const FILES = { token: 'access-token-1', hook: HOOK_TOKEN };
const SETTINGS = {
  base_url: 'https://maap.operator.example/bot/v1/',
  bot_id: 'sip:acme@bot.example',
  access_token_file: 'token',
  webhook_token_file: 'hook',
};
const ROOT = 'https://maap.operator.example/bot/v1/sip%3Aacme%40bot.example';
const taken: Answering = () => json(202, { RCSMessage: { msgId: 'maap-1', status: 'pending' } });
const adapterOf = (answer: Answering) => recordedAdapter('rcs-maap', SETTINGS, FILES, answer);

async function send(answer: Answering, payload: Payload = PAYLOADS.text, change = {}) {
  const { adapter, asked } = adapterOf(answer);
  const outcome = await adapter.send(attemptTo(ALICE, { payload, ...change }));
  return { outcome, asked, body: JSON.parse(asked[0]?.body ?? '{}') };
}

describe('requests', () => {
  it.each(PAYLOAD_NAMES)('carry a %s to one contact, with nothing about any other channel', async (kind) => {
    const { outcome, asked, body } = await send(taken, PAYLOADS[kind]);
    expect(outcome).toEqual({ kind: 'accepted', providerMessageId: 'maap-1' });
    expect(asked[0]?.url.href).toBe(`${ROOT}/messages`);
    expect(asked[0]?.headers.get('authorization')).toBe('Bearer access-token-1');
    expect(Object.keys(body)).toEqual(['RCSMessage', 'messageContact']);
    expect(body.messageContact).toEqual({ userContact: ALICE });
    expect(asked[0]?.body).not.toMatch(/fallback|sms/i);
  });

  it('show chips under a text, and a card for a title or a file whose size is known', async () => {
    expect((await send(taken, PAYLOADS.suggestions)).body.RCSMessage).toEqual({
      textMessage: 'Disk full on db1',
      suggestedChipList: {
        suggestions: [
          { reply: { displayText: 'Acknowledge', postback: { data: 'ack:42' } } },
          {
            action: {
              urlAction: { openUrl: { url: 'https://inbox.example/m/42#key' } },
              displayText: 'Open',
              postback: { data: 'open' },
            },
          },
        ],
      },
    });
    const url = 'https://files.example/chart.png';
    const file = { name: 'chart.png', mediaType: 'image/png', source: { kind: 'url' as const, url, size: 4096 } };
    const card = await send(taken, clearOf({ title: 'db1 is down', suggestions: [replyButton], file }));
    expect(card.body.RCSMessage.richcardMessage.message.generalPurposeCard).toEqual({
      layout: { cardOrientation: 'VERTICAL' },
      content: {
        media: { mediaUrl: url, mediaFileSize: 4096, mediaContentType: 'image/png', height: 'MEDIUM_HEIGHT' },
        title: 'db1 is down',
        description: 'Disk full on db1',
        suggestions: [{ reply: { displayText: 'Acknowledge', postback: { data: 'ack:42' } } }],
      },
    });
    expect((await send(taken, PAYLOADS.file)).body.RCSMessage.textMessage).toBe(`Disk full on db1\nchart.png: ${url}`);
  });

  it('are not made once the time has passed, with what does not fit, or without a token', async () => {
    const late = await send(taken, PAYLOADS.text, { expires: Date.now() - 1 });
    expect([late.outcome.kind, late.asked.length]).toEqual(['permanent', 0]);
    expect((await send(taken, clearOf({ text: 'x'.repeat(3073) }))).outcome.kind).toBe('permanent');
    const { adapter, asked } = recordedAdapter('rcs-maap', SETTINGS, {}, taken);
    expect([(await adapter.send(attemptTo(ALICE))).kind, asked.length]).toEqual(['auth-broken', 0]);
  });
});

describe('answers', () => {
  it.each([
    [400, 'permanent'],
    [401, 'auth-broken'],
    [403, 'auth-broken'],
    [404, 'downgrade'],
    [429, 'retry-after'],
    [500, 'ambiguous'],
    [503, 'ambiguous'],
  ])('%i is %s, and says so by codes alone', async (status, kind) => {
    const { outcome } = await send(() => json(status, { error: { code: 7, message: ALICE } }));
    expect(outcome).toMatchObject({ kind, reason: `${status} 7` });
  });

  it('take a code only where it has the form of one', async () => {
    const { outcome } = await send(() => json(400, { error: { code: `no ${ALICE}` } }));
    expect(outcome).toEqual({ kind: 'permanent', reason: '400' });
  });

  it('without a message, or none at all, are ambiguous; one that failed at once goes on', async () => {
    expect((await send(() => json(202, {}))).outcome.kind).toBe('ambiguous');
    expect((await send(failing('UND_ERR_SOCKET'))).outcome.kind).toBe('ambiguous');
    expect((await send(failing('ECONNREFUSED'))).outcome.kind).toBe('retry-after');
    const failed = await send(() => json(202, { RCSMessage: { msgId: 'maap-1', status: 'failed' } }));
    expect(failed.outcome.kind).toBe('downgrade');
  });
});

describe('lookup', () => {
  it('asks with the plus sign encoded, and needs a phone that shows chatbots', async () => {
    const { adapter, asked } = adapterOf(() => json(200, { capabilities: ['chat', 'chatBotCommunication'] }));
    expect(await adapter.lookup?.(ALICE)).toEqual({ kind: 'reachable', features: ['chat', 'chatBotCommunication'] });
    expect(asked[0]?.url.href).toBe(`${ROOT}/contactCapabilities?userContact=%2B491751234567`);
  });

  it.each([
    [() => json(200, { capabilities: ['chat'] }), 'unreachable'],
    [() => json(404, {}), 'unreachable'],
    [() => json(500, {}), 'unknown'],
    [() => json(200, {}), 'unknown'],
    [failing('ECONNREFUSED'), 'unknown'],
  ] as const)('says so otherwise (%#)', async (answer, kind) => {
    expect((await adapterOf(answer).adapter.lookup?.(ALICE))?.kind).toBe(kind);
  });
});

describe('taking back', () => {
  const sent = { id: attemptTo(ALICE).id, address: ALICE, providerMessageId: 'maap/1' };

  it.each([
    [204, 'revoked'],
    [404, 'too-late'],
    [409, 'too-late'],
    [429, 'retry-after'],
    [500, 'unknown'],
  ])('answered with %i is %s', async (status, kind) => {
    const { adapter, asked } = adapterOf(() => new Response(null, { status }));
    expect((await adapter.revoke?.(sent))?.kind).toBe(kind);
    expect(`${asked[0]?.method} ${asked[0]?.url}`).toBe(`PUT ${ROOT}/messages/maap%2F1/status`);
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({ RCSMessage: { status: 'cancelled' } });
  });
});

describe('webhooks', () => {
  const AT = Date.UTC(2026, 10, 24, 3);
  const hook = (body: unknown, token = HOOK_TOKEN): RawWebhook => ({
    method: 'POST',
    query: '',
    headers: { Authorization: `Bearer ${token}` },
    body: new TextEncoder().encode(JSON.stringify(body)),
  });
  const read = async (request: RawWebhook) => adapterOf(taken).adapter.webhook?.(request);
  const event = (name: string, message: object, contact: string | undefined = ALICE) => ({
    event: name,
    messageContact: { userContact: contact },
    RCSMessage: { msgId: 'm-1', timestamp: new Date(AT).toISOString(), ...message },
  });

  it.each([
    ['delivered', 'delivered'],
    ['displayed', 'read'],
    ['failed', 'failed'],
    ['cancelled', 'failed'],
  ])('of the state %s tell of a message that is %s', async (reported, status) => {
    expect(await read(hook(event('messageStatus', { status: reported })))).toEqual({
      kind: 'events',
      receipts: [{ providerMessageIds: ['m-1'], status, code: reported, at: AT }],
      inbound: [],
    });
  });

  it('bring texts, taps with their data, files and the wish to be left alone', async () => {
    const said = async (name: string, message: object, contact = ALICE) => {
      const result = await read(hook(event(name, message, contact)));
      return result?.kind === 'events' ? result.inbound : result?.kind;
    };
    const told = { id: 'm-1', address: ALICE, at: AT };
    expect(await said('message', { textMessage: 'On my way' })).toEqual([
      { ...told, content: { kind: 'text', text: 'On my way' } },
    ]);
    const reply = { displayText: 'Acknowledge', postback: { data: 'ack:42' } };
    expect(await said('response', { suggestedResponse: { response: { reply } } })).toEqual([
      { ...told, content: { kind: 'suggestion', data: 'ack:42', text: 'Acknowledge' } },
    ]);
    const fileMessage = { fileUrl: 'https://f.example/1', fileMIMEType: 'image/png' };
    expect(await said('message', { fileMessage })).toEqual([
      { ...told, content: { kind: 'file', url: 'https://f.example/1', mediaType: 'image/png' } },
    ]);
    expect(await said('message', { textMessage: 'STOP' })).toMatchObject([{ content: { kind: 'opt-out' } }]);
    expect(await said('message', { textMessage: 'Hi' }, 'anonymous')).toBe('ignored');
    expect(await said('isTyping', {})).toBe('ignored');
    expect(await said('messageStatus', { status: 'sent' })).toBe('ignored');
  });

  it('without our token are forged, and an unreadable token proves nobody', async () => {
    const body = event('messageStatus', { status: 'delivered' });
    for (const guess of ['', 'guess', `${HOOK_TOKEN}x`])
      expect(await read(hook(body, guess))).toEqual({ kind: 'forged' });
    expect(await read({ ...hook(body), headers: {} })).toEqual({ kind: 'forged' });
    const { adapter } = recordedAdapter('rcs-maap', SETTINGS, { token: 'x' }, taken);
    expect(await adapter.webhook?.(hook(body, ''))).toEqual({ kind: 'forged' });
  });

  it('that are no event are malformed, and no bytes make them throw', async () => {
    const good = hook(event('messageStatus', { status: 'delivered' }));
    expect((await read({ ...good, method: 'GET' }))?.kind).toBe('malformed');
    expect((await read({ ...good, body: new Uint8Array(600_000) }))?.kind).toBe('malformed');
    expect((await read(hook({ event: 'messageStatus' })))?.kind).toBe('malformed');
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.json(), fc.string()), async (body) => {
        const result = await read({ ...good, body: new TextEncoder().encode(body) });
        expect(['malformed', 'ignored']).toContain(result?.kind);
      }),
      { numRuns: 50 },
    );
  });
});
