/**
 * `rcs-vonage` beyond the contract: what requests say and never say, what each answer means, and whose webhooks count.
 */
import { createHash, generateKeyPairSync } from 'node:crypto';
import type { Payload } from '@sealpost/protocol/carriage';
import fc from 'fast-check';
import { decodeProtectedHeader, jwtVerify, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import type { RawWebhook } from '../src/index.ts';
import { attemptTo } from './contract.ts';
import { clearOf, PAYLOAD_NAMES, PAYLOADS } from './payloads.ts';
import { type Answering, failing, json, recordedAdapter } from './recorded-provider.ts';

const ALICE = '+14152739164';
const APPLICATION = '70af4457-1d44-4d5c-a5e5-7f6e5b3a1c11';
const UUID = 'aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab';
const SECRET = 'signature-secret-1';
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PEM = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const FILES = { key: PEM, secret: SECRET };
const SETTINGS = {
  application_id: APPLICATION,
  private_key_file: 'key',
  signature_secret_file: 'secret',
  sender: 'Acme',
};
const taken: Answering = () => json(202, { message_uuid: UUID });
const problem = (status: number, code: string) => () =>
  json(status, { type: `https://developer.vonage.com/api-errors/messages#${code}`, title: ALICE, detail: ALICE });
const adapterOf = (answer: Answering, change = {}) => recordedAdapter('rcs-vonage', SETTINGS, FILES, answer, change);

async function send(answer: Answering, payload: Payload = PAYLOADS.text, change = {}) {
  const { adapter, asked } = adapterOf(answer);
  const attempt = attemptTo(ALICE, { payload, ...change });
  const outcome = await adapter.send(attempt);
  return { outcome, attempt, asked, body: JSON.parse(asked[0]?.body ?? '{}') };
}

describe('requests', () => {
  it.each(PAYLOAD_NAMES)('carry a %s by RCS alone: there is no failover in them', async (kind) => {
    const { outcome, attempt, asked, body } = await send(taken, PAYLOADS[kind]);
    expect(outcome).toEqual({ kind: 'accepted', providerMessageId: UUID });
    expect(asked[0]?.url.href).toBe('https://api.nexmo.com/v1/messages');
    expect(body).toMatchObject({ channel: 'rcs', from: 'Acme', to: '14152739164', client_ref: attempt.id });
    expect(asked[0]?.body).not.toMatch(/failover/i);
  });

  it('show a card for a title or a file, a text with chips otherwise', async () => {
    expect((await send(taken, PAYLOADS.suggestions)).body).toMatchObject({
      message_type: 'text',
      text: 'Disk full on db1',
      suggestions: [
        { type: 'reply', text: 'Acknowledge', postback_data: 'ack:42' },
        { type: 'open_url', text: 'Open', url: 'https://inbox.example/m/42#key', postback_data: 'open' },
      ],
    });
    expect((await send(taken, PAYLOADS.fileCard)).body).toMatchObject({
      message_type: 'custom',
      custom: {
        contentMessage: {
          richCard: {
            standaloneCard: {
              cardContent: {
                title: 'db1 is down',
                description: 'Disk full on db1',
                media: { contentInfo: { fileUrl: 'https://files.example/chart.png' } },
                suggestions: [{ reply: { text: 'Acknowledge', postbackData: 'ack:42' } }],
              },
            },
          },
        },
      },
    });
  });

  it('are signed by the application with RS256, each with a token of its own', async () => {
    const { adapter, asked } = adapterOf(taken);
    await adapter.send(attemptTo(ALICE));
    await adapter.send(attemptTo(ALICE));
    const tokens = asked.map(({ headers }) => headers.get('authorization')?.replace('Bearer ', '') ?? '');
    expect(new Set(tokens).size).toBe(2);
    const { payload } = await jwtVerify(tokens[0] ?? '', publicKey, { algorithms: ['RS256'] });
    expect(payload).toMatchObject({ application_id: APPLICATION, jti: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(decodeProtectedHeader(tokens[0] ?? '').alg).toBe('RS256');
  });

  it('are at most three days long, and none is made when less than 20 seconds are left', async () => {
    const long = await send(taken, PAYLOADS.text, { expires: Date.now() + 90 * 86_400_000 });
    expect(long.body.ttl).toBe(259_200);
    const late = await send(taken, PAYLOADS.text, { expires: Date.now() + 10_000 });
    expect([late.outcome.kind, late.asked.length]).toEqual(['permanent', 0]);
  });

  it('are not made with what does not fit, or without a usable key', async () => {
    expect((await send(taken, clearOf({ text: 'x'.repeat(3073) }))).outcome).toEqual({
      kind: 'permanent',
      reason: 'text-too-long',
    });
    for (const files of [{ secret: SECRET }, { ...FILES, key: 'no key' }]) {
      const { adapter, asked } = recordedAdapter('rcs-vonage', SETTINGS, files, taken);
      expect([(await adapter.send(attemptTo(ALICE))).kind, asked.length]).toEqual(['auth-broken', 0]);
    }
  });
});

describe('answers', () => {
  it.each([
    [422, '1000', 'retry-after'],
    [429, '1000', 'retry-after'],
    [422, '1020', 'permanent'],
    [422, '1050', 'downgrade'],
    [422, '1070', 'auth-broken'],
    [422, '1120', 'auth-broken'],
    [422, '1170', 'downgrade'],
    [422, 'constructor', 'permanent'],
    [401, 'unauthorized', 'auth-broken'],
    [402, 'low-balance', 'auth-broken'],
    [403, 'forbidden', 'auth-broken'],
    [500, '1030', 'ambiguous'],
    [503, '1100', 'ambiguous'],
  ])('%i %s are %s, and say so by codes alone', async (status, code, kind) => {
    expect((await send(problem(status, code))).outcome).toMatchObject({ kind, reason: `${status} ${code}` });
  });

  it('without a message, or none at all, are ambiguous; a connection that never opened may be tried again', async () => {
    expect((await send(() => json(202, {}))).outcome.kind).toBe('ambiguous');
    expect((await send(() => new Response('{"mess', { status: 202 }))).outcome.kind).toBe('ambiguous');
    expect((await send(failing('UND_ERR_SOCKET'))).outcome.kind).toBe('ambiguous');
    expect((await send(failing('ECONNREFUSED'))).outcome.kind).toBe('retry-after');
  });
});

describe('taking back', () => {
  const sent = { id: attemptTo(ALICE).id, address: ALICE, providerMessageId: UUID };

  it('asks the server of the agent’s region', async () => {
    const { adapter, asked } = adapterOf(() => json(200, {}));
    expect(await adapter.revoke?.(sent)).toEqual({ kind: 'revoked' });
    expect(`${asked[0]?.method} ${asked[0]?.url}`).toBe(`PATCH https://api-eu.nexmo.com/v1/messages/${UUID}`);
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({ status: 'revoked' });
  });

  it.each([
    [404, 'too-late'],
    [422, 'too-late'],
    [429, 'retry-after'],
    [500, 'unknown'],
    [401, 'unknown'],
  ])('answered with %i is %s', async (status, kind) => {
    expect((await adapterOf(problem(status, 'x')).adapter.revoke?.(sent))?.kind).toBe(kind);
  });

  it('of a message without a name is not tried', async () => {
    const { adapter, asked } = adapterOf(taken);
    expect((await adapter.revoke?.({ ...sent, providerMessageId: undefined }))?.kind).toBe('unknown');
    expect(asked).toEqual([]);
  });
});

describe('webhooks', () => {
  const NOW = Date.UTC(2026, 10, 24, 3);
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  interface Proof {
    claims?: object;
    secret?: string;
    alg?: string;
    age?: number;
  }
  async function hook(body: unknown, { claims = {}, secret = SECRET, alg = 'HS256', age = 0 }: Proof = {}) {
    const text = JSON.stringify(body);
    const token = await new SignJWT({
      payload_hash: sha256(text),
      application_id: APPLICATION,
      iss: 'Vonage',
      ...claims,
    })
      .setProtectedHeader({ alg, typ: 'JWT' })
      .setIssuedAt(Math.floor((NOW - age) / 1000))
      .sign(new TextEncoder().encode(secret));
    const headers = { Authorization: `Bearer ${token}` };
    return { method: 'POST', query: '', headers, body: new TextEncoder().encode(text) } satisfies RawWebhook;
  }
  const read = (request: RawWebhook) => adapterOf(taken, { now: () => NOW }).adapter.webhook?.(request);
  const status = (change = {}) => ({
    message_uuid: UUID,
    to: '14152739164',
    from: 'Acme',
    timestamp: '2026-11-24T02:59:00Z',
    channel: 'rcs',
    status: 'delivered',
    ...change,
  });
  const said = async (change: object) => {
    const common = { message_uuid: 'in-1', to: 'Acme', from: '14152739164', channel: 'rcs' };
    const result = await read(await hook({ ...common, ...change }));
    return result?.kind === 'events' ? result.inbound : result?.kind;
  };

  it.each([
    ['delivered', 'delivered'],
    ['read', 'read'],
    ['rejected', 'failed'],
    ['undeliverable', 'failed'],
  ])('with the status %s tell of a message that is %s', async (reported, meant) => {
    const error = { type: 'https://developer.vonage.com/api-errors/messages#1330', title: 'x', detail: ALICE };
    const receipt = { providerMessageIds: [UUID], status: meant, code: `${reported} 1330`, at: NOW - 60_000 };
    expect(await read(await hook(status({ status: reported, error })))).toEqual({
      kind: 'events',
      receipts: [receipt],
      inbound: [],
    });
  });

  it('on the way, of another channel or another application are none of ours', async () => {
    expect((await read(await hook(status({ status: 'submitted' }))))?.kind).toBe('ignored');
    expect((await read(await hook(status({ channel: 'sms' }))))?.kind).toBe('ignored');
    expect((await read(await hook(status(), { claims: { application_id: UUID } })))?.kind).toBe('ignored');
  });

  it('bring texts, taps with their data, files and the wish to be left alone', async () => {
    const told = { id: 'in-1', address: ALICE };
    expect(await said({ message_type: 'text', text: 'On my way' })).toEqual([
      { ...told, content: { kind: 'text', text: 'On my way' } },
    ]);
    expect(await said({ message_type: 'reply', reply: { id: 'ack:42', title: 'Acknowledge' } })).toEqual([
      { ...told, content: { kind: 'suggestion', data: 'ack:42', text: 'Acknowledge' } },
    ]);
    expect(await said({ message_type: 'file', file: { url: 'https://f.example/1', name: 'a.pdf' } })).toEqual([
      { ...told, content: { kind: 'file', url: 'https://f.example/1', name: 'a.pdf' } },
    ]);
    expect(await said({ message_type: 'text', text: 'stop' })).toMatchObject([{ content: { kind: 'opt-out' } }]);
    expect(await said({ message_type: 'location' })).toBe('ignored');
    expect(await said({ message_type: 'text', text: 'Hi', to: 'Another' })).toBe('ignored');
  });

  it('are forged without Vonage’s own fresh token over this very body', async () => {
    const good = await hook(status());
    const other = await hook(status({ status: 'read' }));
    expect((await read(good))?.kind).toBe('events');
    for (const request of [
      { ...good, headers: {} },
      { ...good, headers: other.headers },
      { ...good, headers: { Authorization: 'Bearer x.y.z' } },
      await hook(status(), { secret: 'guess' }),
      await hook(status(), { alg: 'HS512' }),
      await hook(status(), { claims: { iss: 'Someone' } }),
      await hook(status(), { claims: { payload_hash: undefined } }),
      await hook(status(), { age: 400_000 }),
      await hook(status(), { age: -400_000 }),
    ])
      expect(await read(request)).toEqual({ kind: 'forged' });
  });

  it('are not proved by a token of our own application: the algorithm is pinned', async () => {
    const good = await hook(status());
    const token = await new SignJWT({ payload_hash: sha256(JSON.stringify(status())), iss: 'Vonage' })
      .setProtectedHeader({ alg: 'RS256' })
      .setIssuedAt(NOW / 1000)
      .sign(privateKey);
    const headers = { authorization: `Bearer ${token}` };
    expect(await read({ ...good, headers })).toEqual({ kind: 'forged' });
    const spki = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const { adapter } = recordedAdapter('rcs-vonage', SETTINGS, { key: PEM, secret: spki }, taken, { now: () => NOW });
    expect(await adapter.webhook?.({ ...good, headers })).toEqual({ kind: 'forged' });
  });

  it('are never proved by an empty or unreadable secret', async () => {
    const good = await hook(status());
    for (const files of [{ key: PEM }, { key: PEM, secret: '' }]) {
      const { adapter } = recordedAdapter('rcs-vonage', SETTINGS, files, taken, { now: () => NOW });
      expect(await adapter.webhook?.(good)).toEqual({ kind: 'forged' });
    }
  });

  it('that are in no published form are malformed, and no bytes make them throw', async () => {
    const good = await hook(status());
    expect((await read({ ...good, method: 'GET' }))?.kind).toBe('malformed');
    expect((await read({ ...good, body: new Uint8Array(600_000) }))?.kind).toBe('malformed');
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.json(), fc.string()), async (body) => {
        const result = await read({ ...good, body: new TextEncoder().encode(body) });
        expect(['malformed', 'forged']).toContain(result?.kind);
      }),
      { numRuns: 50 },
    );
  });
});

describe('settings', () => {
  it('have no place for failover', () => {
    for (const change of [{ failover: [] }, { application_id: 'x' }, { private_key: PEM }])
      expect(() => recordedAdapter('rcs-vonage', { ...SETTINGS, ...change }, FILES, taken)).toThrow();
  });
});
