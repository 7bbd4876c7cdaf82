/**
 * `rcs-infobip` beyond the contract: what requests say and never say, what each status means, and what its webhooks tell.
 */
import type { Payload } from '@sealpost/protocol/carriage';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RawWebhook } from '../src/index.ts';
import { attemptTo } from './contract.ts';
import { clearOf, PAYLOAD_NAMES, PAYLOADS, replyButton } from './payloads.ts';
import { type Answering, type Asked, failing, json, recordedAdapter } from './recorded-provider.ts';

const ALICE = '+441134960001';
const CREDENTIALS = 'sealpost:webhook-password-1';
const FILES = { key: 'api-key-1', hook: CREDENTIALS };
const SETTINGS = {
  base_url: 'https://x1y2z.api.infobip.com',
  sender: 'Acme',
  api_key_file: 'key',
  webhook_credentials_file: 'hook',
};
const status = (groupName: string, name: string) => ({ groupId: 1, groupName, id: 26, name, description: ALICE });
const idIn = ({ body }: Asked): string => JSON.parse(body).messages[0].destinations[0].messageId;
const answered =
  (groupName: string, name: string): Answering =>
  (asked) =>
    json(200, {
      bulkId: 'b',
      messages: [{ messageId: idIn(asked), status: status(groupName, name), destination: '44' }],
    });
const taken = answered('PENDING', 'PENDING_ACCEPTED');
const adapterOf = (answer: Answering) => recordedAdapter('rcs-infobip', SETTINGS, FILES, answer);

async function send(answer: Answering, payload: Payload = PAYLOADS.text, change = {}) {
  const { adapter, asked } = adapterOf(answer);
  const attempt = attemptTo(ALICE, { payload, ...change });
  return {
    outcome: await adapter.send(attempt),
    attempt,
    asked,
    message: JSON.parse(asked[0]?.body ?? '{}').messages?.[0],
  };
}

describe('requests', () => {
  it.each(PAYLOAD_NAMES)('carry a %s to one number under our id, and never by SMS or MMS instead', async (kind) => {
    const { outcome, attempt, asked, message } = await send(taken, PAYLOADS[kind]);
    expect(outcome).toEqual({ kind: 'accepted', providerMessageId: attempt.id });
    expect(asked[0]?.url.href).toBe('https://x1y2z.api.infobip.com/rcs/2/messages');
    expect(asked[0]?.headers.get('authorization')).toBe('App api-key-1');
    expect(Object.keys(JSON.parse(asked[0]?.body ?? '{}'))).toEqual(['messages']);
    expect(Object.keys(message)).toEqual(['sender', 'destinations', 'content', 'options']);
    expect(message.destinations).toEqual([{ to: '441134960001', messageId: attempt.id }]);
    expect(Object.keys(message.options)).toEqual(['validityPeriod']);
    expect(asked[0]?.body).not.toMatch(/failover/i);
  });

  it('show a card for a title or a file, a text otherwise', async () => {
    expect((await send(taken, PAYLOADS.suggestions)).message.content).toEqual({
      type: 'TEXT',
      text: 'Disk full on db1',
      suggestions: [
        { type: 'REPLY', text: 'Acknowledge', postbackData: 'ack:42' },
        { type: 'OPEN_URL', text: 'Open', postbackData: 'open', url: 'https://inbox.example/m/42#key' },
      ],
    });
    expect((await send(taken, PAYLOADS.fileCard)).message.content).toEqual({
      type: 'CARD',
      orientation: 'VERTICAL',
      alignment: 'LEFT',
      content: {
        title: 'db1 is down',
        description: 'Disk full on db1',
        media: { file: { url: 'https://files.example/chart.png' }, height: 'MEDIUM' },
        suggestions: [{ type: 'REPLY', text: 'Acknowledge', postbackData: 'ack:42' }],
      },
    });
  });

  it('put the title of a text too long for a card into the text, and cut nothing', async () => {
    const long = 'x'.repeat(2500);
    const { message } = await send(taken, clearOf({ title: 'Report', text: long }));
    expect(message.content).toEqual({ type: 'TEXT', text: `Report\n\n${long}` });
    const file = PAYLOADS.file.file;
    expect((await send(taken, clearOf({ text: long, file }))).outcome).toEqual({
      kind: 'permanent',
      reason: 'text-too-long',
    });
    const five = Array.from({ length: 5 }, (_, index) => ({ ...replyButton, text: `Choice ${index}` }));
    const card = (await send(taken, clearOf({ title: 'Report', suggestions: five }))).message.content.content;
    expect(card.suggestions).toHaveLength(4);
    expect(card.description).toContain('Choice 4');
  });

  it('say how long to keep trying: at most two days, and none is made with no time left', async () => {
    const { message } = await send(taken, PAYLOADS.text, { expires: Date.now() + 90 * 86_400_000 });
    expect(message.options.validityPeriod).toEqual({ amount: 172_800, timeUnit: 'SECONDS' });
    const late = await send(taken, PAYLOADS.text, { expires: Date.now() });
    expect([late.outcome.kind, late.asked.length]).toEqual(['permanent', 0]);
  });
});

describe('answers', () => {
  it.each([
    ['ACCEPTED', 'ACCEPTED', 'accepted'],
    ['REJECTED', 'REJECTED_NETWORK', 'downgrade'],
    ['REJECTED', 'REJECTED_ROUTE_NOT_AVAILABLE', 'downgrade'],
    ['REJECTED', 'REJECTED_NOT_ENOUGH_CREDITS', 'auth-broken'],
    ['REJECTED', 'REJECTED_SYSTEM_ERROR', 'retry-after'],
    ['REJECTED', 'REJECTED_DUPLICATE_MESSAGE_ID', 'ambiguous'],
    ['REJECTED', 'REJECTED_UNHEARD_OF', 'permanent'],
    ['REJECTED', 'constructor', 'permanent'],
    ['UNDELIVERABLE', 'UNDELIVERABLE_NOT_DELIVERED', 'downgrade'],
  ])('with the status %s %s are %s', async (group, name, kind) => {
    expect((await send(answered(group, name))).outcome.kind).toBe(kind);
  });

  it.each([
    [400, 'permanent'],
    [401, 'auth-broken'],
    [403, 'auth-broken'],
    [429, 'retry-after'],
    [500, 'ambiguous'],
    [503, 'ambiguous'],
  ])('%i is %s, and says so by codes alone', async (code, kind) => {
    const { outcome } = await send(() => json(code, { errorCode: 'E400', description: `${ALICE} is wrong` }));
    expect(outcome).toMatchObject({ kind, reason: `${code} E400` });
  });

  it('about another message, or none at all, are ambiguous', async () => {
    const other = () =>
      json(200, { messages: [{ messageId: 'other', status: status('PENDING', 'PENDING_ACCEPTED') }] });
    expect((await send(other)).outcome.kind).toBe('ambiguous');
    expect((await send(() => new Response('{"mess'))).outcome.kind).toBe('ambiguous');
    expect((await send(failing('UND_ERR_SOCKET'))).outcome.kind).toBe('ambiguous');
    expect((await send(failing('ECONNREFUSED'))).outcome.kind).toBe('retry-after');
  });
});

describe('asking what became of an attempt', () => {
  const ask = (results: unknown, code = 200) => {
    const { adapter, asked } = adapterOf(() => json(code, { results }));
    const { id } = attemptTo(ALICE);
    return { id, asked, sent: { id, address: ALICE, providerMessageId: undefined }, adapter };
  };

  it('finds it in the log by our own id', async () => {
    const { adapter, asked, sent } = ask([]);
    await adapter.query?.(sent);
    expect(asked[0]?.url.href).toBe(`https://x1y2z.api.infobip.com/rcs/2/logs?messageId=${sent.id}`);
    const found = recordedAdapter('rcs-infobip', SETTINGS, FILES, ({ url }) =>
      json(200, {
        results: [
          { messageId: url.searchParams.get('messageId'), status: status('DELIVERED', 'DELIVERED_TO_HANDSET') },
        ],
      }),
    );
    expect(await found.adapter.query?.(sent)).toEqual({ kind: 'accepted', providerMessageId: sent.id });
  });

  it('stays ambiguous where the log does not know it, knows another, or is away', async () => {
    for (const { adapter, sent } of [
      ask([]),
      ask([{ messageId: 'other', status: status('DELIVERED', 'DELIVERED_TO_HANDSET') }]),
      ask([], 503),
    ])
      expect((await adapter.query?.(sent))?.kind).toBe('ambiguous');
    const away = adapterOf(failing('ECONNREFUSED'));
    expect((await away.adapter.query?.(ask([]).sent))?.kind).toBe('ambiguous');
  });
});

describe('lookup', () => {
  it.each([
    ['ENABLED', 'reachable'],
    ['UNREACHABLE', 'unreachable'],
    ['REJECTED_NETWORK', 'unreachable'],
    ['INVALID_DESTINATION_ADDRESS', 'unreachable'],
    ['REQUEST_FAILED', 'unknown'],
    ['SOMETHING_NEW', 'unknown'],
  ])('%s is %s', async (code, kind) => {
    const { adapter, asked } = adapterOf(() =>
      json(200, { capabilityCheckResults: [{ phoneNumber: '441134960001', code }] }),
    );
    expect((await adapter.lookup?.(ALICE))?.kind).toBe(kind);
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({ sender: 'Acme', phoneNumbers: ['441134960001'] });
  });

  it('decides nothing when Infobip is away or speaks nonsense', async () => {
    for (const answer of [failing('ECONNREFUSED'), () => json(500, {}), () => json(200, {})])
      expect((await adapterOf(answer).adapter.lookup?.(ALICE))?.kind).toBe('unknown');
  });
});

describe('webhooks', () => {
  const hook = (results: unknown, credentials = CREDENTIALS): RawWebhook => ({
    method: 'POST',
    query: '',
    headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
    body: new TextEncoder().encode(JSON.stringify({ results })),
  });
  const read = async (request: RawWebhook) => adapterOf(taken).adapter.webhook?.(request);
  const report = (group: string, name: string, change = {}) => ({
    bulkId: 'b',
    messageId: 'm1',
    to: '441134960001',
    sender: 'Acme',
    sentAt: '2024-06-14T09:11:00.000+0000',
    doneAt: '2024-06-14T09:12:00.000+0000',
    status: status(group, name),
    ...change,
  });
  const AT = Date.UTC(2024, 5, 14, 9, 12);

  it('bring several reports in one body, in order, each under our id', async () => {
    const seen = {
      messageId: 'm1',
      from: 'Acme',
      to: '441134960001',
      sentAt: 'x',
      seenAt: '2024-06-14T09:12:00.000+0000',
    };
    expect(
      await read(
        hook([
          report('DELIVERED', 'DELIVERED_TO_HANDSET', { channel: 'RCS' }),
          report('PENDING', 'PENDING_ENROUTE'),
          seen,
          report('EXPIRED', 'EXPIRED_EXPIRED', { messageId: 'm2' }),
          report('UNDELIVERABLE', 'UNDELIVERABLE_NOT_DELIVERED', { messageId: 'm3', doneAt: 'soon' }),
        ]),
      ),
    ).toEqual({
      kind: 'events',
      inbound: [],
      receipts: [
        { providerMessageIds: ['m1'], status: 'delivered', code: 'DELIVERED_TO_HANDSET', at: AT },
        { providerMessageIds: ['m1'], status: 'read', code: 'SEEN', at: AT },
        { providerMessageIds: ['m2'], status: 'expired', code: 'EXPIRED_EXPIRED', at: AT },
        { providerMessageIds: ['m3'], status: 'failed', code: 'UNDELIVERABLE_NOT_DELIVERED' },
      ],
    });
  });

  it('tell when a message was carried by another channel after all', async () => {
    expect(await read(hook([report('DELIVERED', 'DELIVERED_TO_HANDSET', { channel: 'SMS' })]))).toMatchObject({
      receipts: [{ code: 'SMS DELIVERED_TO_HANDSET' }],
    });
  });

  it('bring texts, taps with their data, files and the wish to be left alone', async () => {
    const said = async (message: object, change = {}) => {
      const result = await read(
        hook([
          {
            sender: '441134960001',
            to: 'Acme',
            integrationType: 'RCS',
            receivedAt: '2024-06-14T09:12:00.000+0000',
            messageId: 'i1',
            message,
            ...change,
          },
        ]),
      );
      return result?.kind === 'events' ? result.inbound : result?.kind;
    };
    const told = { id: 'i1', address: ALICE, at: AT };
    expect(await said({ type: 'TEXT', text: 'On my way' })).toEqual([
      { ...told, content: { kind: 'text', text: 'On my way' } },
    ]);
    expect(
      await said({ type: 'SUGGESTION', text: 'Acknowledge', postbackData: 'ack:42' }, { pairedMessageId: 'm1' }),
    ).toEqual([{ ...told, about: 'm1', content: { kind: 'suggestion', data: 'ack:42', text: 'Acknowledge' } }]);
    expect(await said({ type: 'FILE', url: 'https://f.example/1', name: null, contentType: 'image/png' })).toEqual([
      { ...told, content: { kind: 'file', url: 'https://f.example/1', mediaType: 'image/png' } },
    ]);
    expect(await said({ type: 'TEXT', text: 'STOP' })).toMatchObject([{ content: { kind: 'opt-out' } }]);
    expect(await said({ type: 'LOCATION', latitude: 1 })).toBe('ignored');
    expect(await said({ type: 'TEXT', text: 'Hi' }, { to: 'Another' })).toBe('ignored');
  });

  it('without our credentials are forged', async () => {
    const good = hook([report('DELIVERED', 'DELIVERED_TO_HANDSET')]);
    expect(await read({ ...good, headers: {} })).toEqual({ kind: 'forged' });
    for (const guess of ['sealpost:guess', '', `${CREDENTIALS} `, 'sealpost'])
      expect(await read(hook([], guess))).toEqual({ kind: 'forged' });
    expect(await read({ ...good, headers: { authorization: `Bearer ${CREDENTIALS}` } })).toEqual({ kind: 'forged' });
  });

  it('that are no list of results are malformed, and no bytes make them throw', async () => {
    const good = hook([]);
    expect((await read({ ...good, method: 'GET' }))?.kind).toBe('malformed');
    expect((await read({ ...good, body: new Uint8Array(600_000) }))?.kind).toBe('malformed');
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.json(),
          fc.json().map((value) => `{"results":[${value}]}`),
        ),
        async (body) => {
          const result = await read({ ...good, body: new TextEncoder().encode(body) });
          expect(['malformed', 'ignored']).toContain(result?.kind);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('settings', () => {
  it('have no place for failover, and need the account’s own host', () => {
    for (const change of [
      { smsFailover: { sender: 'S', text: 'x' } },
      { sms_failover: true },
      { api_key: 'x' },
      { base_url: undefined },
    ])
      expect(() => recordedAdapter('rcs-infobip', { ...SETTINGS, ...change }, FILES, taken)).toThrow();
  });
});
