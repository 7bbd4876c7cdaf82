/**
 * Every endpoint against input that is malformed, oversized, unknown, mis-signed, replayed or unauthorized: a problem
 * document with a stable code each time, and no row changed.
 */
import { createSigningKey, type Signer } from '@sealpost/crypto/signer';
import { type Database, openDatabase } from '@sealpost/platform';
import { type ApprovalAction, problemSchema } from '@sealpost/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerMember, startTestControl, type TestControl } from '../support/control.ts';
import { createOrganisation, nonce, type TestOrganisation } from '../support/organisation.ts';

let control: TestControl;
let database: Database;
let other: TestOrganisation;
let stranger: Signer;
beforeAll(async () => {
  control = await startTestControl();
  database = openDatabase(control.database.config);
  other = await createOrganisation(control.clock.now, 'other.example');
  stranger = (await createSigningKey('EdDSA')).signer;
  await registerMember(control, 'alice');
});
afterAll(async () => {
  other[Symbol.dispose]();
  await database.close();
  await control[Symbol.asyncDispose]();
});

const TABLES = [
  'member',
  'application',
  'alert_sender',
  'approval_used',
  'invite',
  'directory_entry',
  'directory_head',
  'bundle',
];
/** Everything control keeps, except how often codes were guessed. */
const state = async () => {
  const rows = [];
  for (const table of TABLES)
    rows.push(await database.query(`test-state-${table}`, `SELECT t::text FROM ${table} t ORDER BY 1`));
  return JSON.stringify([rows, control.gateway.bundle, [...control.gateway.chains]]);
};

interface Endpoint {
  readonly method: string;
  readonly path: string;
  readonly action: ApprovalAction;
  readonly object: () => Record<string, unknown>;
  readonly limit: number;
}
const endpoints: Endpoint[] = [
  {
    method: 'POST',
    path: '/v1/members',
    action: 'member.register',
    object: () => ({ member: 'bob', displayName: 'Bob', nonce: nonce() }),
    limit: 32_768,
  },
  {
    method: 'POST',
    path: '/v1/applications',
    action: 'application.register',
    object: () => ({
      application: 'app',
      publicKey: { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) },
      flows: ['one'],
      nonce: nonce(),
    }),
    limit: 32_768,
  },
  {
    method: 'POST',
    path: '/v1/alert-senders',
    action: 'alert-sender.register',
    object: () => ({ sender: 'watch', flow: 'one', to: 'alice', secretHash: 'A'.repeat(43), nonce: nonce() }),
    limit: 32_768,
  },
  {
    method: 'POST',
    path: '/v1/invites',
    action: 'device.invite',
    object: () => ({ member: 'alice', codeHash: 'A'.repeat(43), expires: control.clock.now + 60_000, nonce: nonce() }),
    limit: 16_384,
  },
  {
    method: 'POST',
    path: '/v1/devices/revoke',
    action: 'device.revoke',
    object: () => ({ member: 'alice', device: `dev_${'A'.repeat(22)}`, reason: 'lost', nonce: nonce() }),
    limit: 16_384,
  },
  { method: 'PUT', path: '/v1/bundle', action: 'bundle.apply', object: () => ({ bundle: 'a.b.c' }), limit: 2_100_000 },
];

const sign = (action: ApprovalAction, object: unknown, change = {}) =>
  control.organisation.approve(action, object as never, control.clock.now, change);

/** What is sent instead of an honest request, and the code it is answered with. */
const attacks: [
  string,
  string,
  (endpoint: Endpoint) => Promise<{ body: unknown; headers?: Record<string, string> }>,
][] = [
  ['not JSON', 'ERR_HTTP_SYNTAX', async () => ({ body: '{"object":' })],
  ['no body', 'ERR_HTTP_SYNTAX', async () => ({ body: '' })],
  [
    'of another content type',
    'ERR_HTTP_MEDIA_TYPE',
    async () => ({ body: 'x', headers: { 'content-type': 'text/xml' } }),
  ],
  ['a list', 'ERR_HTTP_INVALID', async () => ({ body: [] })],
  ['empty', 'ERR_HTTP_INVALID', async () => ({ body: {} })],
  ['too large', 'ERR_HTTP_TOO_LARGE', async ({ limit }) => ({ body: JSON.stringify({ object: 'x'.repeat(limit) }) })],
  [
    'with an unknown member',
    'ERR_HTTP_INVALID',
    async ({ action, object }) => {
      const given = object();
      return { body: { object: given, approval: await sign(action, given), extra: 1 } };
    },
  ],
  [
    'with an unknown member in the object',
    'ERR_HTTP_INVALID',
    async ({ action, object }) => {
      const given = { ...object(), extra: 1 };
      return { body: { object: given, approval: await sign(action, given) } };
    },
  ],
  [
    'with text that tries to reach a prototype',
    'ERR_HTTP_SYNTAX',
    async () => ({ body: '{"__proto__":{"x":1},"object":{},"approval":""}' }),
  ],
  [
    'without an approval',
    'ERR_IDENTITY_APPROVAL',
    async ({ object }) => ({ body: { object: object(), approval: '' } }),
  ],
  [
    'with an approval that is no JWS',
    'ERR_IDENTITY_APPROVAL',
    async ({ object }) => ({ body: { object: object(), approval: 'a.b.c' } }),
  ],
  [
    'approved by a stranger',
    'ERR_IDENTITY_APPROVAL',
    async ({ action, object }) => {
      const given = object();
      return { body: { object: given, approval: await sign(action, given, { signer: stranger }) } };
    },
  ],
  [
    'approved by the operator, who is no approver',
    'ERR_IDENTITY_APPROVAL',
    async ({ action, object }) => {
      const given = object();
      return {
        body: { object: given, approval: await sign(action, given, { signer: control.organisation.operator }) },
      };
    },
  ],
  [
    'approved for another object',
    'ERR_IDENTITY_APPROVAL',
    async ({ action, object }) => ({
      body: { object: object(), approval: await sign(action, action === 'bundle.apply' ? { bundle: 'x' } : object()) },
    }),
  ],
  [
    'approved for another action',
    'ERR_IDENTITY_APPROVAL',
    async ({ action, object }) => {
      const given = object();
      return {
        body: {
          object: given,
          approval: await sign(action === 'device.invite' ? 'device.revoke' : 'device.invite', given),
        },
      };
    },
  ],
  [
    'approved for another organisation',
    'ERR_IDENTITY_APPROVAL',
    async ({ action, object }) => {
      const given = object();
      return { body: { object: given, approval: await sign(action, given, { organisation: 'other.example' }) } };
    },
  ],
  [
    'approved some time ago',
    'ERR_IDENTITY_APPROVAL_EXPIRED',
    async ({ action, object }) => {
      const given = object();
      return { body: { object: given, approval: await sign(action, given, { expires: control.clock.now }) } };
    },
  ],
];

describe.each(endpoints)('$method $path', (endpoint) => {
  it.each(attacks)('refuses a request that is %s', async (_what, code, attack) => {
    const before = await state();
    const { body, headers } = await attack(endpoint);
    const reply = await control.call(endpoint.method, endpoint.path, body, headers);
    expect([reply.type, reply.body.code]).toEqual(['application/problem+json', code]);
    expect(problemSchema.parse(reply.body).status).toBe(reply.status);
    expect(reply.status).toBeGreaterThanOrEqual(400);
    expect(reply.status).toBeLessThan(500);
    expect(await state()).toBe(before);
  });
});

const form = (request: Record<string, unknown>) => ({
  grant_type: 'client_credentials',
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  client_assertion: 'a.b.c',
  scope: 'flow:one',
  ...request,
});
const others: [string, string, string, string, unknown][] = [
  ['a token for another grant', 'ERR_HTTP_INVALID', 'POST', '/v1/token', form({ grant_type: 'password' })],
  ['a token with an unknown member', 'ERR_HTTP_INVALID', 'POST', '/v1/token', form({ client_secret: 'x' })],
  ['a token for rubbish', 'ERR_IDENTITY_ASSERTION', 'POST', '/v1/token', form({})],
  [
    'a token for a huge assertion',
    'ERR_HTTP_INVALID',
    'POST',
    '/v1/token',
    form({ client_assertion: 'a'.repeat(5000) }),
  ],
  ['a token request that is too large', 'ERR_HTTP_TOO_LARGE', 'POST', '/v1/token', form({ scope: 'a'.repeat(9000) })],
  [
    'an enrollment with an unknown member',
    'ERR_HTTP_INVALID',
    'POST',
    '/v1/enrollments',
    { code: 'x', name: 'n', request: 'AA', extra: 1 },
  ],
  [
    'an enrollment without a name',
    'ERR_HTTP_INVALID',
    'POST',
    '/v1/enrollments',
    { code: 'x', name: '', request: 'AA' },
  ],
  [
    'an enrollment that is too large',
    'ERR_HTTP_TOO_LARGE',
    'POST',
    '/v1/enrollments',
    { code: 'x', name: 'n', request: 'A'.repeat(20_000) },
  ],
  [
    'an enrollment with a wrong code',
    'ERR_ENROLLMENT_CODE',
    'POST',
    '/v1/enrollments',
    { code: 'x', name: 'n', request: 'AA' },
  ],
  ['a path that is not there', 'ERR_HTTP_MISSING', 'GET', '/v1/nothing', undefined],
  ['a method that is not there', 'ERR_HTTP_MISSING', 'DELETE', '/v1/bundle', undefined],
  ['a path that cannot be decoded', 'ERR_HTTP_SYNTAX', 'GET', '/v1/%E0%A4%A', undefined],
];

it.each(others)('refuses %s with %s', async (_what, code, method, path, body) => {
  const before = await state();
  const reply = await control.call(method, path, body);
  expect([reply.type, reply.body.code]).toEqual(['application/problem+json', code]);
  expect(await state()).toBe(before);
});

it('logs none of it as an error', () => {
  expect(control.logs.filter((line) => JSON.parse(line).level >= 50)).toEqual([]);
});
