/**
 * `rcs-twilio` and `sms-twilio` beyond the contract: the signature beside Twilio's own library, what requests say and
 * never say, templates, and what each published code means.
 */
import { createHmac } from 'node:crypto';
import type { Payload } from '@sealpost/protocol/carriage';
import fc from 'fast-check';
import twilio from 'twilio';
import { describe, expect, it } from 'vitest';
import type { RawWebhook } from '../src/index.ts';
import { verifyTwilioSignature } from '../src/twilio/signature.ts';
import { attemptTo } from './contract.ts';
import { clearOf, openLink, PAYLOAD_NAMES, PAYLOADS, replyButton } from './payloads.ts';
import { type Answering, failing, json, recordedAdapter } from './recorded-provider.ts';
import { createTwilioSpecCheck, TWILIO_SPEC_ABSENT } from './twilio-spec.ts';

const ALICE = '+4915112345678';
const ACCOUNT = `AC${'a'.repeat(32)}`;
const SID = `SM${'0'.repeat(32)}`;
const TOKEN = 'auth-token-1';
const FILES = { 'auth-token': TOKEN, 'key-secret': 'key-secret-1' };
const HOOK = 'https://gw.example/webhooks/twilio';
const account = {
  account_sid: ACCOUNT,
  api_key_sid: `SK${'b'.repeat(32)}`,
  api_key_secret_file: 'key-secret',
  auth_token_file: 'auth-token',
  webhook_url: HOOK,
};
const SETTINGS = {
  'rcs-twilio': { ...account, sender: 'acme_agent' },
  'sms-twilio': { ...account, sender: '+15005550006' },
};
type Name = keyof typeof SETTINGS;
const NAMES: Name[] = ['rcs-twilio', 'sms-twilio'];

const taken: Answering = ({ url }) =>
  url.pathname === '/v1/Content'
    ? json(201, { sid: `HX${'1'.repeat(32)}` })
    : json(201, { sid: SID, status: 'queued' });
const refusal = (status: number, code: number) =>
  json(status, { code, message: `The number ${ALICE} is wrong`, more_info: 'https://www.twilio.com/docs', status });

const adapterOf = (name: Name, answer: Answering, change = {}) =>
  recordedAdapter(name, SETTINGS[name], FILES, answer, change);
const sendTo = (name: Name, answer: Answering, payload: Payload = PAYLOADS.text) => {
  const { adapter, asked } = adapterOf(name, answer);
  return { outcome: adapter.send(attemptTo(ALICE, { payload })), asked };
};

describe('the signature', () => {
  const vector = {
    url: 'https://mycompany.com/myapp.php?foo=1&bar=2',
    form: 'CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212',
  };
  const verify = (signature: string | undefined, url: string, form: string, token = '12345') =>
    verifyTwilioSignature(signature, url, new URLSearchParams(form), new TextEncoder().encode(token));

  it('is the one of Twilio’s documented example', () => {
    expect(verify('RSOYDt4T1cUTdK1PDd93/VVr8B8=', vector.url, vector.form)).toBe(true);
    expect(verify('RSOYDt4T1cUTdK1PDd93/VVr8B8=', vector.url, `${vector.form}&More=1`)).toBe(false);
    expect(verify('RSOYDt4T1cUTdK1PDd93/VVr8B8=', `${vector.url}&x`, vector.form)).toBe(false);
    expect(verify(undefined, vector.url, vector.form)).toBe(false);
  });

  it('is accepted exactly where Twilio’s own library accepts it, for any form and port', () => {
    const name = fc.constantFrom('To', 'Body', 'body', 'MediaUrl', 'MediaUrl0');
    const value = fc.oneof(fc.constantFrom('a', 'b'), fc.string({ unit: 'grapheme', maxLength: 12 }));
    const fields = fc.array(fc.tuple(name, value), { maxLength: 8 });
    const url = fc.constantFrom(
      'https://gw.example/hook',
      'https://gw.example:443/hook',
      'https://gw.example:8443/hook?a=1&b=%27',
      'http://gw.example/hook?x=',
      'http://gw.example:80/',
    );
    fc.assert(
      fc.property(url, url, fields, fc.boolean(), (signed, called, pairs, tampered) => {
        const form = new URLSearchParams(pairs);
        const params = Object.fromEntries(
          [...new Set(form.keys())].map((key) => [key, form.getAll(key).length > 1 ? form.getAll(key) : form.get(key)]),
        );
        const signature = twilio.getExpectedTwilioSignature(TOKEN, signed, params);
        if (tampered) form.append('Body', 'more');
        const theirs = !tampered && twilio.validateRequest(TOKEN, signature, called, params);
        expect(verifyTwilioSignature(signature, called, form, new TextEncoder().encode(TOKEN))).toBe(theirs);
      }),
      { numRuns: 300 },
    );
  });
});

describe.each(NAMES)('requests of %s', (name) => {
  it.each(PAYLOAD_NAMES)(
    'name one sender and one address for a %s, and never what could carry it elsewhere',
    async (kind) => {
      const { outcome, asked } = sendTo(name, taken, PAYLOADS[kind]);
      expect(await outcome).toEqual({ kind: 'accepted', providerMessageId: SID });
      const form = new URLSearchParams(asked.at(-1)?.body);
      const scheme = name === 'rcs-twilio' ? 'rcs:' : '';
      expect([form.get('To'), form.get('From')]).toEqual([scheme + ALICE, scheme + SETTINGS[name].sender]);
      expect([...form.keys()].filter((key) => !ALLOWED.has(key))).toEqual([]);
      expect(asked.map(({ body }) => body).join()).not.toMatch(
        /MessagingServiceSid|FallbackFrom|twilio\/text|SendAsMms/,
      );
      expect(Number(form.get('ValidityPeriod'))).toBeGreaterThan(3_500);
    },
  );

  it('are allowed by Twilio’s published API', async (context) => {
    if (TWILIO_SPEC_ABSENT !== undefined) context.skip(TWILIO_SPEC_ABSENT);
    const spec = createTwilioSpecCheck();
    for (const kind of PAYLOAD_NAMES) {
      const { outcome, asked } = sendTo(name, taken, PAYLOADS[kind]);
      await outcome;
      for (const { url, body } of asked) if (url.host === 'api.twilio.com') spec.request(body);
    }
    expect(spec.violations).toEqual([]);
    expect(spec.checked).toBe(PAYLOAD_NAMES.length);
  });

  it('never ask for more than ten hours, and are not made with less than six seconds left', async () => {
    const { adapter, asked } = adapterOf(name, taken);
    await adapter.send(attemptTo(ALICE, { expires: Date.now() + 90_000_000 }));
    expect(new URLSearchParams(asked.at(-1)?.body).get('ValidityPeriod')).toBe('36000');
    const made = asked.length;
    expect((await adapter.send(attemptTo(ALICE, { expires: Date.now() + 5_000 }))).kind).toBe('permanent');
    expect(asked).toHaveLength(made);
  });

  it('are not made without the key’s secret', async () => {
    const { adapter, asked } = recordedAdapter(name, SETTINGS[name], {}, taken);
    expect(await adapter.send(attemptTo(ALICE))).toEqual({ kind: 'auth-broken', reason: 'api key file unreadable' });
    expect(asked).toEqual([]);
  });
});
const ALLOWED = new Set([
  'To',
  'From',
  'Body',
  'MediaUrl',
  'ContentSid',
  'ContentVariables',
  'ValidityPeriod',
  'StatusCallback',
]);

describe('text messages', () => {
  it('write out what SMS cannot show, and refuse what is too long for one message', async () => {
    const { outcome, asked } = sendTo('sms-twilio', taken, PAYLOADS.fileCard);
    await outcome;
    expect(new URLSearchParams(asked[0]?.body).get('Body')).toBe(
      'db1 is down\n\nDisk full on db1\n→ Acknowledge\nchart.png: https://files.example/chart.png',
    );
    for (const name of NAMES) {
      const long = sendTo(name, taken, clearOf({ text: 'x'.repeat(1601) }));
      expect(await long.outcome).toEqual({ kind: 'permanent', reason: 'text-too-long' });
      expect(long.asked).toEqual([]);
      expect((await sendTo(name, taken, clearOf({ text: 'x'.repeat(1600) })).outcome).kind).toBe('accepted');
    }
  });
});

describe('templates', () => {
  const cards = (asked: readonly { url: URL; body: string }[]) =>
    asked.filter(({ url }) => url.pathname === '/v1/Content').map(({ body }) => JSON.parse(body));

  it('hold the shape of a card and nothing it says', async () => {
    const { outcome, asked } = sendTo('rcs-twilio', taken, PAYLOADS.card);
    await outcome;
    const [template] = cards(asked);
    expect(template.types).toEqual({
      'twilio/card': {
        title: '{{1}}',
        body: '{{2}}',
        actions: [
          { type: 'QUICK_REPLY', title: '{{3}}', id: '{{4}}' },
          { type: 'URL', title: '{{5}}', url: 'https://inbox.example/{{6}}' },
        ],
      },
    });
    expect(asked[0]?.body).not.toMatch(/Disk|db1|Acknowledge|ack:42|m\/42|#key/);
    const form = new URLSearchParams(asked[1]?.body);
    expect(JSON.parse(form.get('ContentVariables') ?? '')).toEqual({
      1: 'db1 is down',
      2: 'Disk full on db1',
      3: 'Acknowledge',
      4: 'ack:42',
      5: 'Open',
      6: 'm/42#key',
    });
    expect(Object.keys(template.variables)).toEqual(['1', '2', '3', '4', '5', '6']);
  });

  it('are made once for a shape, also for messages sent at the same time', async () => {
    const { adapter, asked } = adapterOf('rcs-twilio', taken);
    const again = clearOf({ title: 'db2 is up', text: 'All is well', suggestions: [replyButton, openLink] });
    await Promise.all([PAYLOADS.card, again].map((payload) => adapter.send(attemptTo(ALICE, { payload }))));
    await adapter.send(attemptTo(ALICE, { payload: PAYLOADS.card }));
    expect(cards(asked)).toHaveLength(1);
    expect(asked).toHaveLength(4);
  });

  it.each([
    ['a timeout', failing('UND_ERR_SOCKET')],
    ['a 500', () => json(500, {})],
    ['a nonsense answer', () => json(201, {})],
    ['a 429', () => refusal(429, 20429)],
  ])(
    'that could not be made for %s are retried, because nothing was sent, and are not remembered',
    async (_why, answer) => {
      let broken = true;
      const { adapter, asked } = adapterOf('rcs-twilio', (said) =>
        broken && said.url.pathname === '/v1/Content' ? answer(said) : taken(said),
      );
      expect((await adapter.send(attemptTo(ALICE))).kind).toBe('retry-after');
      broken = false;
      expect((await adapter.send(attemptTo(ALICE))).kind).toBe('accepted');
      expect(asked).toHaveLength(3);
    },
  );

  it('are not asked for when a reply’s data is longer than Twilio brings back', async () => {
    const payload = clearOf({ suggestions: [{ ...replyButton, data: 'x'.repeat(201) }] });
    const { outcome, asked } = sendTo('rcs-twilio', taken, payload);
    expect(await outcome).toEqual({ kind: 'permanent', reason: 'suggestion-data-too-long' });
    expect(asked).toEqual([]);
  });
});

describe('answers', () => {
  it.each([
    [400, 21211, 'downgrade'],
    [400, 21614, 'downgrade'],
    [400, 63106, 'downgrade'],
    [400, 63999, 'downgrade'],
    [400, 21610, 'permanent'],
    [400, 63014, 'permanent'],
    [400, 21617, 'permanent'],
    [400, 21606, 'auth-broken'],
    [400, 63007, 'auth-broken'],
    [401, 20003, 'auth-broken'],
    [403, 20005, 'auth-broken'],
    [404, 20404, 'auth-broken'],
    [429, 20429, 'retry-after'],
    [400, 63018, 'retry-after'],
    [500, 20500, 'ambiguous'],
    [503, 20503, 'ambiguous'],
    [307, 0, 'permanent'],
  ])('%i with code %i is %s, and says so by codes alone', async (status, code, kind) => {
    const outcome = await sendTo('sms-twilio', () => refusal(status, code)).outcome;
    expect(outcome).toMatchObject({ kind, reason: `${status} ${code}` });
  });

  it('that never came are ambiguous, and requests that never left are retried', async () => {
    expect((await sendTo('sms-twilio', failing('UND_ERR_SOCKET')).outcome).kind).toBe('ambiguous');
    expect((await sendTo('sms-twilio', failing('ECONNREFUSED')).outcome).kind).toBe('retry-after');
    expect((await sendTo('sms-twilio', () => json(201, { sid: 'nonsense' })).outcome).kind).toBe('ambiguous');
  });

  it('with a wait are repeated no sooner', async () => {
    const busy = json(429, { code: 20429 }, { 'retry-after': '7' });
    expect(await sendTo('sms-twilio', () => busy).outcome).toMatchObject({ afterMs: 7_000 });
  });
});

describe('webhooks', () => {
  const hook = (
    fields: Record<string, string>,
    change: { url?: string; token?: string; query?: string } = {},
  ): RawWebhook => {
    const query = change.query ?? '';
    const signed = change.url ?? (query === '' ? HOOK : `${HOOK}?${query}`);
    const signature = twilio.getExpectedTwilioSignature(change.token ?? TOKEN, signed, fields);
    const body = new TextEncoder().encode(new URLSearchParams(fields).toString());
    return { method: 'POST', query, headers: { 'X-Twilio-Signature': signature }, body };
  };
  const status = (change: Record<string, string> = {}) => ({
    AccountSid: ACCOUNT,
    MessageSid: SID,
    MessageStatus: 'delivered',
    From: 'rcs:acme_agent',
    To: `rcs:${ALICE}`,
    ChannelPrefix: 'rcs',
    ...change,
  });
  const inbound = (change: Record<string, string> = {}) => ({
    AccountSid: ACCOUNT,
    MessageSid: SID,
    SmsStatus: 'received',
    From: `rcs:${ALICE}`,
    To: 'rcs:acme_agent',
    Body: 'On my way',
    NumMedia: '0',
    ...change,
  });
  const read = (request: RawWebhook) => adapterOf('rcs-twilio', taken).adapter.webhook?.(request);

  it.each([
    ['delivered', '', 'delivered', 'delivered'],
    ['read', '', 'read', 'read'],
    ['undelivered', '30003', 'failed', 'undelivered 30003'],
    ['failed', '63106', 'failed', 'failed 63106'],
    ['failed', '30036', 'expired', 'failed 30036'],
    ['canceled', '', 'failed', 'canceled'],
  ])('say %s %s as %s', async (MessageStatus, ErrorCode, expected, code) => {
    expect(await read(hook(status({ MessageStatus, ErrorCode })))).toEqual({
      kind: 'events',
      receipts: [{ providerMessageIds: [SID], status: expected, code }],
      inbound: [],
    });
  });

  it.each(['queued', 'sending', 'sent', 'accepted', 'scheduled', 'something_new'])(
    'ignore the status %s',
    async (name) => {
      expect(await read(hook(status({ MessageStatus: name })))).toEqual({ kind: 'ignored', reason: `status ${name}` });
    },
  );

  it('bring texts, taps with their data, media and the wish to be left alone', async () => {
    const said = async (change: Record<string, string>) => {
      const result = await read(hook(inbound(change)));
      return result?.kind === 'events' ? result.inbound : result;
    };
    expect(await said({})).toEqual([{ id: SID, address: ALICE, content: { kind: 'text', text: 'On my way' } }]);
    expect(
      await said({
        Body: 'Acknowledge',
        ButtonText: 'Acknowledge',
        ButtonPayload: 'ack:42',
        OriginalRepliedMessageSid: SID,
      }),
    ).toEqual([
      { id: SID, address: ALICE, about: SID, content: { kind: 'suggestion', data: 'ack:42', text: 'Acknowledge' } },
    ]);
    expect(await said({ Body: 'Stop.' })).toMatchObject([{ content: { kind: 'opt-out' } }]);
    expect(await said({ Body: 'ARRET', OptOutType: 'STOP' })).toMatchObject([{ content: { kind: 'opt-out' } }]);
    expect(await said({ Body: 'START', OptOutType: 'START' })).toMatchObject([{ content: { kind: 'opt-in' } }]);
    const media = { NumMedia: '1', MediaUrl0: 'https://api.twilio.com/m/1', MediaContentType0: 'image/jpeg' };
    expect(await said({ Body: '', ...media })).toEqual([
      {
        id: `${SID}-0`,
        address: ALICE,
        content: { kind: 'file', url: 'https://api.twilio.com/m/1', mediaType: 'image/jpeg' },
      },
    ]);
    expect(await said({ ...media })).toHaveLength(2);
  });

  it('are verified for the public URL, with the query they were called by', async () => {
    expect((await read(hook(status(), { query: 'rc=1&x=%27' })))?.kind).toBe('events');
    expect(await read(hook(status(), { url: 'http://10.0.0.7:4403/webhooks/twilio' }))).toEqual({ kind: 'forged' });
    expect(await read({ ...hook(status()), query: 'added=1' })).toEqual({ kind: 'forged' });
    expect(await read(hook(status(), { token: 'guess' }))).toEqual({ kind: 'forged' });
  });

  it('of another account or sender are none of ours', async () => {
    expect((await read(hook(status({ AccountSid: `AC${'c'.repeat(32)}` }))))?.kind).toBe('ignored');
    expect((await read(hook(inbound({ To: 'rcs:another_agent' }))))?.kind).toBe('ignored');
    expect((await read(hook(status({ From: '+15005550006', To: ALICE }))))?.kind).toBe('ignored');
  });

  it('that are no message form are malformed, whatever they are', async () => {
    expect((await read({ ...hook(status()), method: 'GET' }))?.kind).toBe('malformed');
    const { MessageSid: _gone, ...without } = status();
    expect((await read(hook(without)))?.kind).toBe('malformed');
    expect((await read({ ...hook(status()), body: new Uint8Array(600_000) }))?.kind).toBe('malformed');
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.string({ maxLength: 40 }), async (body, signature) => {
        const result = await read({ method: 'POST', query: '', headers: { 'x-twilio-signature': signature }, body });
        expect(['malformed', 'forged']).toContain(result?.kind);
      }),
      { numRuns: 100 },
    );
  });

  it('signed by a mac of the right length alone are forged', async () => {
    const mac = createHmac('sha1', 'other').update('x').digest('base64');
    expect(await read({ ...hook(status()), headers: { 'x-twilio-signature': mac } })).toEqual({ kind: 'forged' });
    expect(await read({ ...hook(status()), headers: {} })).toEqual({ kind: 'forged' });
  });
});

describe('settings', () => {
  it('have no place for a Messaging Service, a secret in place, or a sender of another channel', () => {
    const bad = {
      MessagingServiceSid: 'MG1',
      messaging_service_sid: `MG${'d'.repeat(32)}`,
      auth_token: 'x',
      fallback_from: '+1',
    };
    for (const name of NAMES) {
      for (const [key, value] of Object.entries(bad))
        expect(() => recordedAdapter(name, { ...SETTINGS[name], [key]: value }, FILES, taken)).toThrow();
      expect(() => recordedAdapter(name, { ...SETTINGS[name], sender: 'rcs:agent' }, FILES, taken)).toThrow();
      expect(() => recordedAdapter(name, { ...SETTINGS[name], webhook_url: `${HOOK}?a=1` }, FILES, taken)).toThrow();
    }
    expect(() =>
      recordedAdapter('sms-twilio', { ...SETTINGS['sms-twilio'], sender: `MG${'d'.repeat(32)}` }, FILES, taken),
    ).toThrow();
  });
});
