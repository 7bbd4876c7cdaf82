/**
 * `teams` beyond the contract: what a message becomes, what each answer means, and whose activities count. Requests are
 * checked against the Bot Connector's own description (botframework-channel.json), where that is present.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Payload } from '@sealpost/protocol/carriage';
import fc from 'fast-check';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import type { RawWebhook } from '../src/index.ts';
import { attemptTo } from './contract.ts';
import { clearOf, PAYLOAD_NAMES, PAYLOADS } from './payloads.ts';
import { type Answering, failing, json, recordedAdapter } from './recorded-provider.ts';

const SPEC = join(
  process.env.SEALPOST_SPECS ?? resolve(import.meta.dirname, '../../../../shared/specs'),
  'botframework-channel.json',
);
const ALICE = '29:1XJKJMvc5GBtc2JwZq0oj8tHZmzrQgFmB39ATiQWA85gQtHieVkKilBZ9XHoq9j7Zaqt7CZ-NJWi7me2kHTL3Bw';
const ENTRA = '5e8b0f4d-2cd4-4e17-9467-b0f6a5c0c4d0';
const CHAT = 'a:17I0kl9EkpE1O9PH5TWrzrLNwnWWcfrU7QZjKR0WSfOpzbfcAg2IaydGElSo10tVr4C7Fc6GtieTJX663WuJCc1uA83n4CSr';
const CHANNEL = '19:253b1f341670408fb6fe51050b6e5ceb@thread.tacv2';
const APP = '1a0a1b2c-0000-4000-8000-00000000000a';
const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';
const SETTINGS = { mode: 'bot', app_id: APP, tenant_id: TENANT, client_secret_file: 'secret' };
const FILES = { secret: 'no outcome may hold this' };
const SERVICE = 'https://smba.trafficmanager.net/teams/';
const ROOT = 'https://smba.trafficmanager.net/teams/v3/conversations';
const TOKEN_URL = `https://login.microsoftonline.com/${TENANT}/oauth2/v2.0/token`;

const token: Answering = () => json(200, { token_type: 'Bearer', expires_in: 3599, access_token: 'token-1' });
/** Entra ID and the Connector, with the answer a test wants to the activity. */
const connector =
  (activity: Answering = () => json(201, { id: '1563480968434' })): Answering =>
  (asked) => {
    if (asked.url.href === TOKEN_URL) return token(asked);
    return asked.url.href === ROOT ? json(201, { id: CHAT }) : activity(asked);
  };

async function send(answer: Answering, payload: Payload = PAYLOADS.text, address = CHANNEL, change: object = {}) {
  const { adapter, asked } = recordedAdapter('teams', SETTINGS, FILES, answer);
  const outcome = await adapter.send(attemptTo(address, { payload, ...change }));
  expect(JSON.stringify(outcome)).not.toMatch(/Disk full|no outcome may hold|token-1/);
  return { outcome, asked, body: JSON.parse(asked.at(-1)?.body || '{}') };
}

describe('a message by a bot', () => {
  it.each(PAYLOAD_NAMES)(
    'of a %s is one activity in a conversation, under a token for the Connector alone',
    async (kind) => {
      const { outcome, asked } = await send(connector(), PAYLOADS[kind]);
      expect(outcome).toEqual({ kind: 'accepted', providerMessageId: `${CHANNEL}|1563480968434` });
      expect(asked.map(({ url }) => url.href)).toEqual([
        TOKEN_URL,
        `${ROOT}/${encodeURIComponent(CHANNEL)}/activities`,
      ]);
      expect(Object.fromEntries(new URLSearchParams(asked[0]?.body))).toEqual({
        grant_type: 'client_credentials',
        client_id: APP,
        client_secret: FILES.secret,
        scope: 'https://api.botframework.com/.default',
      });
      expect(asked[1]?.headers.get('authorization')).toBe('Bearer token-1');
      expect(asked[1]?.body).not.toMatch(/fallback|failover|sms/i);
    },
  );

  it.for(PAYLOAD_NAMES)('of a %s has only members Microsoft has published', async (kind, context) => {
    if (!existsSync(SPEC)) return context.skip(`needs ${SPEC}: set SEALPOST_SPECS`);
    const { definitions } = JSON.parse(readFileSync(SPEC, 'utf8'));
    const { body, asked } = await send(connector(), PAYLOADS[kind], ALICE);
    const unknown = (value: object, of: string) =>
      Object.keys(value).filter((name) => !(name in definitions[of].properties));
    expect(unknown(body, 'Activity')).toEqual([]);
    for (const attachment of body.attachments ?? []) expect(unknown(attachment, 'Attachment')).toEqual([]);
    expect(unknown(JSON.parse(asked[1]?.body ?? ''), 'ConversationParameters')).toEqual([]);
  });

  it.each([ALICE, ENTRA])('to a person (%s) goes into the conversation Teams names for them', async (person) => {
    const { outcome, asked } = await send(connector(), PAYLOADS.text, person);
    expect(outcome).toEqual({ kind: 'accepted', providerMessageId: `${CHAT}|1563480968434` });
    expect(JSON.parse(asked[1]?.body ?? '')).toEqual({
      bot: { id: `28:${APP}` },
      isGroup: false,
      members: [{ id: person }],
      tenantId: TENANT,
      channelData: { tenant: { id: TENANT } },
    });
  });

  it('shows a title and buttons as a card of text runs, in which no Markdown is read', async () => {
    const { body } = await send(connector(), PAYLOADS.card);
    expect(body.attachments).toEqual([
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        content: {
          type: 'AdaptiveCard',
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          version: '1.5',
          body: [
            {
              type: 'RichTextBlock',
              inlines: [{ type: 'TextRun', text: 'db1 is down', size: 'medium', weight: 'bolder' }],
            },
            { type: 'RichTextBlock', inlines: [{ type: 'TextRun', text: 'Disk full on db1' }] },
          ],
          actions: [
            {
              type: 'Action.Submit',
              title: 'Acknowledge',
              data: { sealpost: { data: 'ack:42', text: 'Acknowledge' } },
            },
            { type: 'Action.OpenUrl', title: 'Open', url: 'https://inbox.example/m/42#key' },
          ],
        },
      },
    ]);
    const plain = await send(connector(), PAYLOADS.text);
    expect(plain.body).toEqual({ type: 'message', textFormat: 'plain', text: 'Disk full on db1' });
  });

  it('too large for Teams is refused, not cut', async () => {
    const { outcome, asked } = await send(connector(), clearOf({ text: '語'.repeat(15_000) }));
    expect([outcome, asked]).toEqual([{ kind: 'permanent', reason: 'text-too-long' }, []]);
  });

  it('is not made once its time has passed, or without the client secret', async () => {
    const late = await send(connector(), PAYLOADS.text, CHANNEL, { expires: Date.now() - 1 });
    expect([late.outcome.kind, late.asked]).toEqual(['permanent', []]);
    const { adapter, asked } = recordedAdapter('teams', SETTINGS, {}, connector());
    expect([(await adapter.send(attemptTo(CHANNEL))).kind, asked]).toEqual(['auth-broken', []]);
  });
});

describe('answers of the Connector', () => {
  const error = (code: string) => ({ error: { code, message: `about ${ALICE}` } });

  it.each([
    [400, 'BadArgument', 'permanent'],
    [403, 'BotNotInConversationRoster', 'downgrade'],
    [403, 'MessageWritesBlocked', 'downgrade'],
    [403, 'BotDisabledByAdmin', 'auth-broken'],
    [403, 'InvalidBotApiHost', 'auth-broken'],
    [403, 'constructor', 'downgrade'],
    [404, 'ConversationNotFound', 'downgrade'],
    [412, 'PreconditionFailed', 'retry-after'],
    [413, 'MessageSizeTooBig', 'permanent'],
    [429, 'Throttled', 'retry-after'],
    [500, 'ServiceError', 'ambiguous'],
    [502, 'BadGateway', 'ambiguous'],
    [504, 'GatewayTimeout', 'ambiguous'],
  ])('%i %s are %s, and say so by codes alone', async (status, code, kind) => {
    const { outcome } = await send(connector(() => json(status, error(code))));
    expect(outcome).toMatchObject({ kind, reason: `${status} ${code}` });
  });

  it('that name no message, or never come, leave it open', async () => {
    for (const answer of [() => json(201, {}), () => new Response('<html>'), failing('UND_ERR_SOCKET')])
      expect((await send(connector(answer))).outcome.kind).toBe('ambiguous');
    expect((await send(connector(failing('ECONNREFUSED')))).outcome.kind).toBe('retry-after');
  });

  it('about the conversation alone leave nothing open: nothing was shown yet', async () => {
    for (const answer of [() => json(500, {}), failing('UND_ERR_SOCKET')]) {
      const atConversation: Answering = (asked) => (asked.url.href === ROOT ? answer(asked) : connector()(asked));
      expect((await send(atConversation, PAYLOADS.text, ALICE)).outcome.kind).toBe('retry-after');
    }
  });

  it('of 401 are met with one fresh token, and then our credentials are broken', async () => {
    const { outcome, asked } = await send(connector(() => json(401, {})));
    expect(outcome).toEqual({ kind: 'auth-broken', reason: '401 with a fresh token' });
    expect(asked.filter(({ url }) => url.href === TOKEN_URL)).toHaveLength(2);
  });
});

describe('taking back', () => {
  const sent = { id: attemptTo(ALICE).id, address: ALICE, providerMessageId: `${CHAT}|1563480968434` };
  const revoke = (answer: Answering, change: object = {}) =>
    recordedAdapter('teams', SETTINGS, FILES, connector(answer)).adapter.revoke?.({ ...sent, ...change });

  it('deletes the activity where it stands', async () => {
    const { adapter, asked } = recordedAdapter(
      'teams',
      SETTINGS,
      FILES,
      connector(() => new Response(null)),
    );
    expect(await adapter.revoke?.(sent)).toEqual({ kind: 'revoked' });
    expect([asked[1]?.method, asked[1]?.url.href]).toEqual([
      'DELETE',
      `${ROOT}/${encodeURIComponent(CHAT)}/activities/1563480968434`,
    ]);
  });

  it.each([
    [() => json(404, {}), 'too-late'],
    [() => json(429, {}), 'retry-after'],
    [() => json(403, {}), 'unknown'],
    [() => json(401, {}), 'unknown'],
    [failing('ECONNREFUSED'), 'retry-after'],
    [failing('UND_ERR_SOCKET'), 'unknown'],
  ] as const)('says what came of it (%#)', async (answer, kind) => {
    expect((await revoke(answer))?.kind).toBe(kind);
    expect((await revoke(answer, { providerMessageId: undefined }))?.kind).toBe('unknown');
  });
});

describe('activities', async () => {
  const NOW = Date.UTC(2026, 10, 24, 5);
  const KEYS = 'https://login.botframework.com/v1/.well-known/keys';
  const keys = await generateKeyPair('RS256');
  const stranger = await generateKeyPair('RS256');
  const published = { ...(await exportJWK(keys.publicKey)), kid: 'k1', use: 'sig', endorsements: ['msteams', 'skype'] };
  const elsewhere = { ...published, kid: 'k2', endorsements: ['webchat'] };
  const directory: Answering = ({ url }) =>
    url.href === KEYS
      ? json(200, { keys: [{ kty: 'EC' }, published, elsewhere] })
      : json(200, { issuer: 'https://api.botframework.com', jwks_uri: KEYS });

  interface Claim {
    readonly claims?: Readonly<Record<string, unknown>>;
    readonly kid?: string;
    readonly key?: CryptoKey;
  }
  async function bearer({ claims = {}, kid = 'k1', key = keys.privateKey }: Claim = {}): Promise<string> {
    const issued = NOW / 1000;
    const all = { iss: 'https://api.botframework.com', aud: APP, serviceurl: SERVICE, nbf: issued, exp: issued + 3600 };
    const jwt = new SignJWT({ ...all, ...claims }).setProtectedHeader({ alg: 'RS256', kid });
    return `Bearer ${await jwt.sign(key)}`;
  }
  const message = {
    type: 'message',
    id: '1485983408511',
    timestamp: '2026-11-24T05:00:00.511Z',
    channelId: 'msteams',
    serviceUrl: SERVICE,
    from: { id: ALICE, aadObjectId: ENTRA },
    conversation: { id: CHAT, conversationType: 'personal', tenantId: TENANT },
    recipient: { id: `28:${APP}` },
    text: 'On it',
  };
  async function request(change: object = {}, claim: Claim = {}): Promise<RawWebhook> {
    const body = new TextEncoder().encode(JSON.stringify({ ...message, ...change }));
    return { method: 'POST', query: '', headers: { Authorization: await bearer(claim) }, body };
  }
  const adapterOf = (settings: object = SETTINGS, now = () => NOW) =>
    recordedAdapter('teams', settings, FILES, directory, { now });
  const read = async (raw: RawWebhook) => adapterOf().adapter.webhook?.(raw);
  const said = async (change: object) => {
    const result = await read(await request(change));
    return result?.kind === 'events' ? result.inbound : result?.kind;
  };

  it('of a person in a personal chat are told under their Entra id', async () => {
    const common = { id: `${CHAT}|1485983408511`, address: ENTRA, at: NOW + 511 };
    expect(await said({ replyToId: '1563480968434' })).toEqual([
      { ...common, about: `${CHAT}|1563480968434`, content: { kind: 'text', text: 'On it' } },
    ]);
    expect(await said({ text: ' Stop ' })).toEqual([{ ...common, content: { kind: 'opt-out' } }]);
    expect(await said({ from: { id: ALICE } })).toMatchObject([{ address: ALICE }]);
    const files = [
      { contentType: 'text/html', content: '<p>On it</p>' },
      { contentType: 'image/png', name: 'a.png', contentUrl: 'https://smba.trafficmanager.net/a' },
    ];
    expect(await said({ text: null, attachments: files })).toMatchObject([
      { content: { kind: 'file', mediaType: 'image/png', name: 'a.png', url: 'https://smba.trafficmanager.net/a' } },
    ]);
  });

  it('bring a tap with its data, and none of a channel’s talk', async () => {
    const value = { sealpost: { data: 'ack:42', text: 'Acknowledge' } };
    const content = { kind: 'suggestion', data: 'ack:42', text: 'Acknowledge' };
    expect(await said({ text: null, value })).toMatchObject([{ address: ENTRA, content }]);
    const channel = { conversation: { id: `${CHANNEL};messageid=1`, conversationType: 'channel' } };
    expect(await said({ ...channel, text: null, value })).toMatchObject([{ address: CHANNEL, content }]);
    expect(await said({ ...channel, text: 'STOP' })).toBe('ignored');
    expect(await said({ type: 'conversationUpdate' })).toBe('ignored');
    expect(await said({ value: { other: 1 }, text: null })).toBe('ignored');
  });

  it.each<[string, Claim, object]>([
    ['another issuer', { claims: { iss: 'https://evil.example' } }, {}],
    ['another app', { claims: { aud: TENANT } }, {}],
    ['the past', { claims: { exp: NOW / 1000 - 301 } }, {}],
    ['the future', { claims: { nbf: NOW / 1000 + 301 } }, {}],
    ['no end', { claims: { exp: undefined } }, {}],
    ['another service', { claims: { serviceurl: 'https://smba.trafficmanager.net/other/' } }, {}],
    ['no service', { claims: { serviceurl: undefined } }, {}],
    ['a key not endorsed for Teams', { kid: 'k2' }, {}],
    ['an unknown key', { kid: 'k3' }, {}],
    ['a stranger', { key: stranger.privateKey }, {}],
    ['a host not listed', { claims: { serviceurl: 'https://evil.example/' } }, { serviceUrl: 'https://evil.example/' }],
    ['another channel', {}, { channelId: 'webchat' }],
  ])('under a token of %s are forged', async (_whose, claim, change) => {
    expect(await read(await request(change, claim))).toEqual({ kind: 'forged' });
  });

  it('without a token, or with one that is not signed by RS256, are forged', async () => {
    const good = await request();
    const unsigned = `${Buffer.from('{"alg":"none","kid":"k1"}').toString('base64url')}.e30.`;
    const claims = { iss: 'https://api.botframework.com', aud: APP, serviceurl: SERVICE, exp: NOW / 1000 + 60 };
    const symmetric = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
      .sign(new TextEncoder().encode(JSON.stringify(published)));
    for (const authorization of [undefined, '', 'Bearer x', `Bearer ${unsigned}`, `Bearer ${symmetric}`])
      expect(await read({ ...good, headers: { authorization } })).toEqual({ kind: 'forged' });
    expect((await read(good))?.kind).toBe('events');
  });

  it('are checked with keys asked for once, and again for an unknown key at most once in five minutes', async () => {
    let now = NOW;
    const { adapter, asked } = adapterOf(SETTINGS, () => now);
    await adapter.webhook?.(await request());
    await adapter.webhook?.(await request());
    for (let times = 0; times < 5; times += 1) await adapter.webhook?.(await request({}, { kid: `k${times + 9}` }));
    expect(asked).toHaveLength(2);
    now += 300_000;
    await adapter.webhook?.(await request({}, { kid: 'k9' }));
    expect(asked).toHaveLength(4);
    expect(asked.every(({ headers }) => headers.get('authorization') === null)).toBe(true);
  });

  it('never lead to a call of the address they name', async () => {
    const { adapter, asked } = adapterOf({ ...SETTINGS, service_hosts: ['other.example'] });
    const serviceUrl = 'https://other.example/';
    const raw = await request({ serviceUrl }, { claims: { serviceurl: serviceUrl } });
    expect((await adapter.webhook?.(raw))?.kind).toBe('events');
    expect(asked.map(({ url }) => url.hostname)).toEqual(['login.botframework.com', 'login.botframework.com']);
  });

  it('in no published form are malformed, and no bytes make them throw', async () => {
    const good = await request();
    expect((await read({ ...good, method: 'GET' }))?.kind).toBe('malformed');
    expect((await read({ ...good, body: new Uint8Array(600_000) }))?.kind).toBe('malformed');
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.json(), fc.string()), async (body) => {
        expect((await read({ ...good, body: new TextEncoder().encode(body) }))?.kind).toBe('malformed');
      }),
      { numRuns: 50 },
    );
  });
});

describe('a workflow', () => {
  const URL_OF_OPS =
    'https://prod-27.westeurope.logic.azure.com:443/workflows/abc/triggers/manual/paths/invoke?api-version=2016-06-01&sig=secret-sig';
  const settings = { mode: 'workflows', url_files: { ops: 'ops' } };
  const run = async (answer: Answering, url = URL_OF_OPS, address = 'ops', payload: Payload = PAYLOADS.card) => {
    const { adapter, asked } = recordedAdapter('teams', settings, { ops: url }, answer);
    const attempt = attemptTo(address, { payload });
    const outcome = await adapter.send(attempt);
    expect(JSON.stringify(outcome)).not.toMatch(/secret-sig|Disk full/);
    return { attempt, outcome, asked };
  };

  it.each(PAYLOAD_NAMES)('is posted a %s as one card, and names nothing back', async (kind) => {
    const { attempt, outcome, asked } = await run(
      () => new Response(null, { status: 202 }),
      URL_OF_OPS,
      'ops',
      PAYLOADS[kind],
    );
    expect(outcome).toEqual({ kind: 'accepted', providerMessageId: attempt.id });
    expect(asked.map(({ url }) => url.href)).toEqual([new URL(URL_OF_OPS).href]);
    expect(JSON.parse(asked[0]?.body ?? '')).toMatchObject({
      type: 'message',
      attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null }],
    });
    expect(asked[0]?.headers.get('authorization')).toBeNull();
  });

  it.each([
    'https://acme.webhook.office.com/webhookb2/abc',
    'https://logic.azure.com.evil.example/x',
    'http://prod-27.westeurope.logic.azure.com/x',
    'https://prod-27.westeurope.logic.azure.com:8443/x',
    'https://user@prod-27.westeurope.logic.azure.com/x',
    'https://evil.example/?.logic.azure.com',
    'not a URL',
  ])('at %s is not asked', async (url) => {
    const { outcome, asked } = await run(() => new Response(null, { status: 202 }), url);
    expect([outcome, asked]).toEqual([{ kind: 'auth-broken', reason: 'not the URL of a workflow' }, []]);
  });

  it('that the settings do not name cannot be reached', async () => {
    for (const address of ['dev', 'constructor'])
      expect((await run(() => json(202, {}), URL_OF_OPS, address)).outcome.kind).toBe('downgrade');
  });

  it.each([
    [() => json(401, {}), 'auth-broken'],
    [() => json(404, {}), 'auth-broken'],
    [() => json(400, {}), 'permanent'],
    [() => json(429, {}, { 'retry-after': '7' }), 'retry-after'],
    [() => json(502, {}), 'ambiguous'],
    [() => new Response('<html>It works!</html>'), 'ambiguous'],
    [failing('ECONNREFUSED'), 'retry-after'],
    [failing('UND_ERR_SOCKET'), 'ambiguous'],
  ] as const)('says by its status how it ended (%#)', async (answer, kind) => {
    expect((await run(answer)).outcome.kind).toBe(kind);
  });

  it('has nothing to take back, to ask or to hear', () => {
    const { adapter } = recordedAdapter('teams', settings, {}, () => json(202, {}));
    expect([adapter.revoke, adapter.query, adapter.webhook]).toEqual([undefined, undefined, undefined]);
    expect(adapter.capabilities).toMatchObject({ revoke: 'no', inbound: false, webhook: 'none' });
  });
});
