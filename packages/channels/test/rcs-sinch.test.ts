/**
 * `rcs-sinch` beyond the contract: the signature by Sinch's own vector, tokens, what requests say and never say, and
 * what callbacks tell.
 */
import { createHmac } from 'node:crypto';
import type { Payload } from '@sealpost/protocol/carriage';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RawWebhook } from '../src/index.ts';
import { verifySinchSignature } from '../src/rcs-sinch/signature.ts';
import { attemptTo } from './contract.ts';
import { clearOf, PAYLOAD_NAMES, PAYLOADS, replyButton } from './payloads.ts';
import { type Answering, failing, json, recordedAdapter } from './recorded-provider.ts';

const ALICE = '+46702571492';
const APP = '01E3S8B6YCMRNR0GGM94H80ACX';
const SECRET = 'webhook-secret-1';
const FILES = { secret: 'key-secret-1', hook: SECRET };
const SETTINGS = {
  project_id: 'c36f3d3d-1513-4edd-ae42-11995557ff61',
  app_id: APP,
  key_id: 'key-1',
  key_secret_file: 'secret',
  webhook_secret_file: 'hook',
};
const MESSAGE = '01FVAWD1JP5PPB3KEZCBKGN0ES';
const withTokens =
  (answer: Answering): Answering =>
  (asked) =>
    asked.url.pathname === '/oauth2/token'
      ? json(200, { access_token: 't1', expires_in: 3599, token_type: 'bearer' })
      : answer(asked);
const taken = withTokens(() => json(200, { message_id: MESSAGE, accepted_time: '2026-11-24T02:00:00Z' }));
const adapterOf = (answer: Answering) => recordedAdapter('rcs-sinch', SETTINGS, FILES, answer);

async function send(answer: Answering, payload: Payload = PAYLOADS.text, change = {}) {
  const { adapter, asked } = adapterOf(answer);
  const attempt = attemptTo(ALICE, { payload, ...change });
  const outcome = await adapter.send(attempt);
  return { outcome, attempt, asked, body: JSON.parse(asked[1]?.body ?? '{}') };
}

describe('requests', () => {
  it.each(PAYLOAD_NAMES)('carry a %s to one identity on RCS, and leave Sinch no other channel', async (kind) => {
    const { outcome, attempt, asked, body } = await send(taken, PAYLOADS[kind]);
    expect(outcome).toEqual({ kind: 'accepted', providerMessageId: MESSAGE });
    expect(asked[1]?.url.href).toBe(
      `https://eu.conversation.api.sinch.com/v1/projects/${SETTINGS.project_id}/messages:send`,
    );
    const { message, ttl, ...rest } = body;
    expect(rest).toEqual({
      app_id: APP,
      recipient: { identified_by: { channel_identities: [{ channel: 'RCS', identity: ALICE }] } },
      message_metadata: attempt.id,
      processing_strategy: 'DISPATCH_ONLY',
    });
    expect(ttl).toMatch(/^3(600|59\d)s$/);
    expect(Object.keys(message)).toHaveLength(1);
    expect(asked[1]?.body).not.toMatch(/channel_priority_order|SMS|fallback/i);
  });

  it('show choices below a text, a card for a title or a file, and cut nothing', async () => {
    expect((await send(taken, PAYLOADS.suggestions)).body.message).toEqual({
      choice_message: {
        text_message: { text: 'Disk full on db1' },
        choices: [
          { text_message: { text: 'Acknowledge' }, postback_data: 'ack:42' },
          { url_message: { title: 'Open', url: 'https://inbox.example/m/42#key' } },
        ],
      },
    });
    expect((await send(taken, PAYLOADS.fileCard)).body.message).toEqual({
      card_message: {
        title: 'db1 is down',
        description: 'Disk full on db1',
        media_message: { url: 'https://files.example/chart.png' },
        choices: [{ text_message: { text: 'Acknowledge' }, postback_data: 'ack:42' }],
      },
    });
    const eleven = Array.from({ length: 11 }, (_, index) => ({ ...replyButton, text: `Choice ${index}` }));
    const { choice_message } = (await send(taken, clearOf({ suggestions: eleven }))).body.message;
    expect(choice_message.choices).toHaveLength(10);
    expect(choice_message.text_message.text).toContain('Choice 10');
    const long = await send(taken, clearOf({ text: 'x'.repeat(3073) }));
    expect([long.outcome, long.asked.length]).toEqual([{ kind: 'permanent', reason: 'text-too-long' }, 0]);
  });

  it('are not made with less than three seconds left', async () => {
    const { outcome, asked } = await send(taken, PAYLOADS.text, { expires: Date.now() + 2_000 });
    expect([outcome.kind, asked.length]).toEqual(['permanent', 0]);
  });
});

describe('tokens', () => {
  it('are asked for under the key, and renewed once after a 401', async () => {
    let refusals = 1;
    const once = withTokens(() => (refusals-- > 0 ? json(401, {}) : json(200, { message_id: MESSAGE })));
    const { outcome, asked } = await send(once);
    expect(outcome.kind).toBe('accepted');
    expect(asked.map(({ url }) => url.host)).toEqual([
      'auth.sinch.com',
      'eu.conversation.api.sinch.com',
      'auth.sinch.com',
      'eu.conversation.api.sinch.com',
    ]);
    expect(asked[0]?.headers.get('authorization')).toBe(
      `Basic ${Buffer.from('key-1:key-secret-1').toString('base64')}`,
    );
    expect(asked[0]?.body).toBe('grant_type=client_credentials');
    expect((await send(withTokens(() => json(401, {})))).outcome.kind).toBe('auth-broken');
  });

  it('that Sinch refuses are auth-broken, and a token endpoint that is away is retry-after', async () => {
    expect((await send(() => json(401, { error: 'invalid_client' }))).outcome).toEqual({
      kind: 'auth-broken',
      reason: 'token endpoint 401 invalid_client',
    });
    expect((await send(() => json(503, {}))).outcome.kind).toBe('retry-after');
    expect((await send(failing('UND_ERR_SOCKET'))).outcome.kind).toBe('retry-after');
    const unreadable = recordedAdapter('rcs-sinch', SETTINGS, {}, taken);
    expect((await unreadable.adapter.send(attemptTo(ALICE))).kind).toBe('auth-broken');
    expect(unreadable.asked).toEqual([]);
  });
});

describe('answers', () => {
  it.each([
    [400, 'INVALID_ARGUMENT', 'permanent'],
    [403, 'PERMISSION_DENIED', 'auth-broken'],
    [404, 'NOT_FOUND', 'auth-broken'],
    [429, 'RESOURCE_EXHAUSTED', 'retry-after'],
    [500, 'INTERNAL', 'ambiguous'],
    [503, 'UNAVAILABLE', 'ambiguous'],
  ])('%i %s is %s, and says so by codes alone', async (status, name, kind) => {
    const { outcome } = await send(
      withTokens(() => json(status, { error: { code: status, message: ALICE, status: name } })),
    );
    expect(outcome).toMatchObject({ kind, reason: `${status} ${name}` });
  });

  it('that name no message, or never came, are ambiguous', async () => {
    for (const answer of [() => json(200, {}), () => new Response('{"mes'), failing('UND_ERR_SOCKET')])
      expect((await send(withTokens(answer))).outcome.kind).toBe('ambiguous');
  });
});

/** Of sinch-sdk-node, packages/sdk-client/tests/utils/authorization.helper.test.ts. */
const VECTOR = {
  body: '{"app_id":"","accepted_time":"2021-10-18T17:49:13.813615Z","project_id":"e2df3a34-a71b-4448-9db5-a8d2baad28e4","contact_create_notification":{"contact":{"id":"01FJA8B466Y0R2GNXD78MD9SM1","channel_identities":[{"channel":"SMS","identity":"48123456789","app_id":""}],"display_name":"New Test Contact","email":"new.contact@email.com","external_id":"","metadata":"","language":"EN_US"}},"message_metadata":""}',
  nonce: '01FJA8B4A7BM43YGWSG9GBV067',
  timestamp: 1_634_579_353,
  secret: 'foo_secret1234',
  signature: '6bpJoRmFoXVjfJIVglMoJzYXxnoxRujzR4k2GOXewOE=',
};
const signed = (body: string, signature: string, timestamp: number, nonce: string): RawWebhook => ({
  method: 'POST',
  query: '',
  headers: {
    'x-sinch-webhook-signature': signature,
    'x-sinch-webhook-signature-algorithm': 'HmacSHA256',
    'x-sinch-webhook-signature-nonce': nonce,
    'x-sinch-webhook-signature-timestamp': String(timestamp),
  },
  body: new TextEncoder().encode(body),
});

describe('the signature', () => {
  const { body, nonce, timestamp, secret, signature } = VECTOR;
  const verify = (request: RawWebhook, now = timestamp) =>
    verifySinchSignature(request, new TextEncoder().encode(secret), now * 1000);

  it('is the one of Sinch’s own example', () => {
    expect(verify(signed(body, signature, timestamp, nonce))).toBe(true);
    expect(verify(signed(`${body} `, signature, timestamp, nonce))).toBe(false);
    expect(verify(signed(body, signature, timestamp + 1, nonce))).toBe(false);
    expect(verify(signed(body, signature, timestamp, `${nonce}1`))).toBe(false);
    expect(verify({ ...signed(body, signature, timestamp, nonce), headers: {} })).toBe(false);
  });

  it('is good for a day, as long as Sinch may try again, and five minutes ahead of our clock', () => {
    const request = signed(body, signature, timestamp, nonce);
    expect([86_400, 86_401, -300, -301].map((late) => verify(request, timestamp + late))).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  it('by another algorithm is none', () => {
    const request = signed(body, signature, timestamp, nonce);
    expect(verify({ ...request, headers: { ...request.headers, 'x-sinch-webhook-signature-algorithm': 'none' } })).toBe(
      false,
    );
  });
});

describe('callbacks', () => {
  const hook = (event: object, secret = SECRET): RawWebhook => {
    const body = JSON.stringify({
      app_id: APP,
      project_id: SETTINGS.project_id,
      accepted_time: '2026-11-24T02:00:00.500Z',
      ...event,
    });
    const timestamp = Math.floor(Date.now() / 1000);
    const mac = createHmac('sha256', secret).update(`${body}.n1.${timestamp}`).digest('base64');
    return signed(body, mac, timestamp, 'n1');
  };
  const read = async (request: RawWebhook) => adapterOf(taken).adapter.webhook?.(request);
  const AT = Date.UTC(2026, 10, 24, 2, 0, 0, 500);
  const rcs = { channel: 'RCS', identity: '46702571492', app_id: '' };
  const report = (status: string, reason?: object) => ({
    message_delivery_report: { message_id: MESSAGE, status, channel_identity: rcs, reason, metadata: 'attempt-1' },
  });

  it.each([
    ['DELIVERED', undefined, 'delivered', 'DELIVERED'],
    ['READ', undefined, 'read', 'READ'],
    ['FAILED', { code: 'RECIPIENT_NOT_REACHABLE', description: ALICE }, 'failed', 'FAILED RECIPIENT_NOT_REACHABLE'],
    ['FAILED', { code: 'MESSAGE_EXPIRED' }, 'expired', 'FAILED MESSAGE_EXPIRED'],
    [
      'FAILED',
      { code: 'CHANNEL_FAILURE', sub_code: 'INACTIVE_SENDER' },
      'failed',
      'FAILED CHANNEL_FAILURE INACTIVE_SENDER',
    ],
  ])('say %s %o as %s', async (reported, reason, status, code) => {
    expect(await read(hook(report(reported, reason)))).toEqual({
      kind: 'events',
      receipts: [{ providerMessageIds: [MESSAGE], status, code, at: AT }],
      inbound: [],
    });
  });

  it.each(['QUEUED_ON_CHANNEL', 'SWITCHING_CHANNEL', 'SOMETHING_NEW'])('ignore the status %s', async (status) => {
    expect((await read(hook(report(status))))?.kind).toBe('ignored');
  });

  it('bring texts, taps with their data, files and the wish to be left alone', async () => {
    const said = async (contact_message: object, channel_identity: object = rcs) => {
      const result = await read(
        hook({ message: { id: 'i1', direction: 'TO_APP', contact_message, channel_identity } }),
      );
      return result?.kind === 'events' ? result.inbound : result?.kind;
    };
    const told = { id: 'i1', address: ALICE, at: AT };
    expect(await said({ text_message: { text: 'On my way' } })).toEqual([
      { ...told, content: { kind: 'text', text: 'On my way' } },
    ]);
    expect(await said({ choice_response_message: { message_id: MESSAGE, postback_data: 'ack:42' } })).toEqual([
      { ...told, about: MESSAGE, content: { kind: 'suggestion', data: 'ack:42' } },
    ]);
    expect(await said({ media_message: { url: 'https://f.example/1' } })).toEqual([
      { ...told, content: { kind: 'file', url: 'https://f.example/1' } },
    ]);
    expect(await said({ text_message: { text: 'stop' } })).toMatchObject([{ content: { kind: 'opt-out' } }]);
    expect(await said({ location_message: {} })).toBe('ignored');
    expect(await said({ text_message: { text: 'Hi' } }, { channel: 'SMS', identity: '46702571492' })).toBe('ignored');
  });

  it('bring opt-outs whatever became of their registration, and opt-ins only where one succeeded', async () => {
    const consent = (status: string) => ({ request_id: 'r1', channel: 'RCS', identity: '46702571492', status });
    for (const status of ['OPT_OUT_SUCCEEDED', 'OPT_OUT_FAILED'])
      expect(await read(hook({ opt_out_notification: consent(status) }))).toMatchObject({
        inbound: [{ id: 'r1', address: ALICE, content: { kind: 'opt-out' } }],
      });
    expect(await read(hook({ opt_in_notification: consent('OPT_IN_SUCCEEDED') }))).toMatchObject({
      inbound: [{ content: { kind: 'opt-in' } }],
    });
    expect((await read(hook({ opt_in_notification: consent('OPT_IN_FAILED') })))?.kind).toBe('ignored');
    const unnamed = hook({ opt_out_notification: { channel: 'RCS', identity: ALICE } });
    const ids = await Promise.all([read(unnamed), read(unnamed)]);
    expect(ids[0]).toEqual(ids[1]);
  });

  it('of another app are none of ours, unsigned ones are forged, and no callbacks at all are malformed', async () => {
    expect((await read(hook({ ...report('DELIVERED'), app_id: 'ANOTHER' })))?.kind).toBe('ignored');
    expect(await read(hook(report('DELIVERED'), 'guess'))).toEqual({ kind: 'forged' });
    expect(await read({ ...hook(report('DELIVERED')), headers: {} })).toEqual({ kind: 'forged' });
    expect((await read({ ...hook({}), method: 'GET' }))?.kind).toBe('malformed');
    expect((await read({ ...hook({}), body: new Uint8Array(600_000) }))?.kind).toBe('malformed');
    await fc.assert(
      fc.asyncProperty(fc.json(), async (body) => {
        const result = await read({ ...hook({}), body: new TextEncoder().encode(body) });
        expect(['malformed', 'forged']).toContain(result?.kind);
      }),
      { numRuns: 100 },
    );
  });
});

describe('settings', () => {
  it('have no place for another channel or a secret in place', () => {
    for (const change of [{ channel_priority_order: ['RCS', 'SMS'] }, { sms_sender: 'Acme' }, { key_secret: 'x' }])
      expect(() => recordedAdapter('rcs-sinch', { ...SETTINGS, ...change }, FILES, taken)).toThrow();
  });
});
