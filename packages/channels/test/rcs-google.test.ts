/**
 * `rcs-google` beyond the contract: tokens, waits, what the request says, and which 403 is whose fault.
 */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Notice } from '@sealpost/protocol/carriage';
import { createServiceAccount } from '@sealpost/simulator';
import { describe, expect, it } from 'vitest';
import { attemptTo } from './contract.ts';
import { contextWith, createAdapter, rcsSettings } from './stages.ts';

type Step = (url: URL, init: RequestInit | undefined) => Response | Promise<Response>;
const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers });
const ALICE = '+4915112345678';

/** An adapter whose provider is a function: `api` answers agentMessages, `token` the token endpoint. */
function adapterWith(
  api: Step,
  token: Step = () => json(200, { access_token: 't', expires_in: 3600 }),
  now = Date.now,
) {
  const asked = { api: 0, token: 0 };
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const url = new URL(String(input));
    asked[url.pathname === '/token' ? 'token' : 'api'] += 1;
    return url.pathname === '/token' ? token(url, init) : api(url, init);
  };
  return { adapter: createAdapter('rcs-google', rcsSettings(1), contextWith({ fetch, now })), asked };
}

const taken: Step = (url) => json(200, { name: `phones/${ALICE}/agentMessages/${url.searchParams.get('messageId')}` });
const error = (status: number, name: string, reason?: string) =>
  json(status, {
    error: { code: status, message: `no ${ALICE}`, status: name, details: reason === undefined ? [] : [{ reason }] },
  });

describe('tokens', () => {
  it('are asked for once and used until shortly before they end', async () => {
    let now = 1_800_000_000_000;
    const { adapter, asked } = adapterWith(taken, undefined, () => now);
    const send = () => adapter.send(attemptTo(ALICE, { expires: now + 3_600_000 }));
    await Promise.all([send(), send()]);
    now += 3_500_000;
    await send();
    expect(asked.token).toBe(1);
    now += 50_000;
    await send();
    expect(asked.token).toBe(2);
  });

  it('are renewed once after a 401, and only then is it auth-broken', async () => {
    let refusals = 1;
    const api: Step = (url, init) => (refusals-- > 0 ? error(401, 'UNAUTHENTICATED') : taken(url, init));
    const { adapter, asked } = adapterWith(api);
    expect((await adapter.send(attemptTo(ALICE))).kind).toBe('accepted');
    refusals = 2;
    expect((await adapter.send(attemptTo(ALICE))).kind).toBe('auth-broken');
    expect(asked).toEqual({ api: 4, token: 3 });
  });

  it('that Google refuses to issue are auth-broken, and a token endpoint that is away is retry-after', async () => {
    const refused = adapterWith(taken, () => json(400, { error: 'invalid_grant', error_description: 'no' }));
    expect(await refused.adapter.send(attemptTo(ALICE))).toEqual({
      kind: 'auth-broken',
      reason: 'token endpoint 400 invalid_grant',
    });
    const away = adapterWith(taken, () => json(503, {}, { 'retry-after': '3' }));
    expect(await away.adapter.send(attemptTo(ALICE))).toEqual({
      kind: 'retry-after',
      afterMs: 3000,
      reason: 'token endpoint 503',
    });
    expect(away.asked.api).toBe(0);
  });

  it('need a service account file that can be read and used', async () => {
    const unreadable = createAdapter('rcs-google', rcsSettings(1, { service_account_file: 'nowhere' }), contextWith());
    expect(await unreadable.send(attemptTo(ALICE))).toEqual({
      kind: 'auth-broken',
      reason: 'service account file unreadable',
    });
    const broken = JSON.stringify({ ...JSON.parse(createServiceAccount().serviceAccountJson), private_key: 'none' });
    const unusable = createAdapter(
      'rcs-google',
      rcsSettings(1),
      contextWith({ readSecret: async () => new TextEncoder().encode(broken) }),
    );
    expect(await unusable.send(attemptTo(ALICE))).toEqual({
      kind: 'auth-broken',
      reason: 'service account key unusable',
    });
  });
});

describe('answers', () => {
  it.each([
    [429, { 'retry-after': '7' }, 7_000],
    [429, {}, 30_000],
    [503, {}, 5_000],
    [503, { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }, 0],
  ])('%i with %o is retry-after %i ms', async (status, headers, afterMs) => {
    const { adapter } = adapterWith(() => json(status, {}, headers));
    expect(await adapter.send(attemptTo(ALICE))).toMatchObject({ kind: 'retry-after', afterMs });
  });

  it.each([500, 502, 504])('%i does not rule out an effect: ambiguous', async (status) => {
    const { adapter } = adapterWith(() => json(status, {}));
    expect((await adapter.send(attemptTo(ALICE))).kind).toBe('ambiguous');
  });

  it('403 is a downgrade unless Google names our own credentials', async () => {
    const person = adapterWith(() => error(403, 'PERMISSION_DENIED'));
    expect(await person.adapter.send(attemptTo(ALICE))).toEqual({ kind: 'downgrade', reason: '403 PERMISSION_DENIED' });
    const ours = adapterWith(() => error(403, 'PERMISSION_DENIED', 'SERVICE_DISABLED'));
    expect((await ours.adapter.send(attemptTo(ALICE))).kind).toBe('auth-broken');
  });

  it('with a status nobody published is permanent and keeps the raw code', async () => {
    const { adapter } = adapterWith(() => new Response('teapot', { status: 418 }));
    expect(await adapter.send(attemptTo(ALICE))).toEqual({ kind: 'permanent', reason: '418' });
  });

  it('that name another message are ambiguous', async () => {
    const { adapter } = adapterWith(() => json(200, { name: `phones/${ALICE}/agentMessages/another` }));
    expect((await adapter.send(attemptTo(ALICE))).kind).toBe('ambiguous');
  });

  it('that redirect are not followed, so that no token goes elsewhere', async () => {
    const paths: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      paths.push(request.url);
      response.writeHead(307, { location: '/elsewhere', connection: 'close' }).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const { adapter } = adapterWith((url, init) => fetch(`http://127.0.0.1:${port}${url.pathname}`, init));
    expect(await adapter.send(attemptTo(ALICE))).toEqual({ kind: 'permanent', reason: '307' });
    expect(paths).toHaveLength(1);
    server.close();
    await once(server, 'close');
  });
});

describe('requests', () => {
  it('say the notice, one button with its link, the traffic type, and when it expires', async () => {
    let seen: { url: URL; body: unknown } | undefined;
    const { adapter } = adapterWith((url, init) => {
      seen = { url, body: JSON.parse(String(init?.body)) };
      return taken(url, init);
    });
    const attempt = attemptTo(ALICE);
    await adapter.send(attempt);
    expect(seen?.url.pathname).toBe('/v1/phones/%2B4915112345678/agentMessages');
    expect(Object.fromEntries(seen?.url.searchParams ?? [])).toEqual({
      messageId: attempt.id,
      agentId: 'acme-incidents',
    });
    const { text, url } = attempt.payload as Notice;
    expect(seen?.body).toEqual({
      contentMessage: {
        text,
        suggestions: [{ action: { text: 'Open', postbackData: 'b3Blbg==', openUrlAction: { url }, fallbackUrl: url } }],
      },
      messageTrafficType: 'TRANSACTION',
      expireTime: new Date(attempt.expires).toISOString(),
    });
  });

  it('never ask for more than fifteen days, and are not made with less than ten seconds left', async () => {
    const bodies: { expireTime: string }[] = [];
    const { adapter, asked } = adapterWith((url, init) => {
      bodies.push(JSON.parse(String(init?.body)));
      return taken(url, init);
    });
    await adapter.send(attemptTo(ALICE, { expires: Date.now() + 60 * 86_400_000 }));
    expect(Date.parse(bodies[0]?.expireTime ?? '') - Date.now()).toBeLessThan(15 * 86_400_000);
    expect((await adapter.send(attemptTo(ALICE, { expires: Date.now() + 9_000 }))).kind).toBe('permanent');
    expect(asked.api).toBe(1);
  });
});

describe('settings', () => {
  it('take Google by default and durations as people write them', async () => {
    const { rcsGoogleSettingsSchema, smsSmppSettingsSchema } = await import('../src/index.ts');
    const files = { service_account_file: 'a', client_token_file: 'b' };
    expect(rcsGoogleSettingsSchema.parse({ agent_id: 'x', ...files })).toMatchObject({
      base_url: 'https://rcsbusinessmessaging.googleapis.com',
      token_url: 'https://oauth2.googleapis.com/token',
      timeout: 10_000,
    });
    expect(
      smsSmppSettingsSchema.parse({
        host: 'h',
        system_id: 's',
        password_file: 'p',
        source_address: 'Acme',
        response_timeout: '2m',
      }),
    ).toMatchObject({ port: 2775, tls: false, window: 10, response_timeout: 120_000, enquire_link: 30_000 });
  });

  it('refuse a member they do not know, a secret written in place, and a duration without sense', () => {
    for (const change of [{ surprise: 1 }, { client_token: 'x' }, { timeout: '10 parsecs' }, { timeout: 0 }])
      expect(() => createAdapter('rcs-google', rcsSettings(1, change), contextWith())).toThrow();
  });
});
