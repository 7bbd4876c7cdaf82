/** The endpoints against bad input: each wrong request gets a problem document with a stable code and changes nothing. */
import { createSigningKey, type Signer, signJws } from '@sealpost/crypto/signer';
import { sha256 } from '@sealpost/crypto/verify';
import { ERROR_KINDS, problemSchema, toBase64url, utf8 } from '@sealpost/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enrolDevice } from '../agents/device.ts';
import { createEstate, type Estate, nonce, random } from '../agents/estate.ts';
import {
  ALICE,
  applicationToken,
  applyBundle,
  type ControlProcess,
  PHONE,
  registerMember,
  startProcess,
  tokenOf,
} from '../agents/process.ts';

const CANARY = 'canary-7f3a-the-disk-is-full';
const SECRET = `sps_prometheus_${toBase64url(random(32))}`;
let estate: Estate;
let control: ControlProcess;
let tokens: { readonly own: string; readonly other: string; readonly approver: string; readonly expired: string };
let stranger: Signer;
const bodies: string[] = [];

beforeAll(async () => {
  estate = await createEstate();
  control = await startProcess(estate);
  await applyBundle(estate, control, 1);
  await registerMember(control);
  const secretHash = toBase64url(sha256(utf8(SECRET)));
  const object = { sender: 'prometheus', flow: 'incident-alerts', to: ALICE, secretHash, nonce: nonce() };
  await control.database.transaction((tx) => control.identity.registerAlertSender(tx, object as never));
  const device = await enrolDevice(estate, control);
  await device.upload(1);
  stranger = (await createSigningKey('EdDSA')).signer;
  const expired = await applicationToken(control, estate, 'late');
  estate.clock.offset += 301_000;
  tokens = {
    own: await applicationToken(control, estate),
    other: await applicationToken(control, estate, 'other'),
    approver: await tokenOf(control.identity, estate, estate.approver, estate.approver.keyId, 'operator'),
    expired,
  };
});
afterAll(async () => {
  await control[Symbol.asyncDispose]();
  await estate[Symbol.asyncDispose]();
});

const message = (change: object = {}) => ({
  flow: 'incident-alerts',
  to: 'alice',
  content: { subject: 'Disk', body: CANARY },
  ...change,
});
const call = async (
  method: string,
  path: string,
  token: string | undefined,
  body?: unknown,
  headers: Record<string, string> = {},
) => {
  const response = await fetch(`${control.url}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  bodies.push(text);
  return { status: response.status, type: response.headers.get('content-type') ?? '', text };
};
const send = (token: string | undefined, body: unknown, headers: Record<string, string> = {}) =>
  call('POST', '/v1/messages', token, body, { 'idempotency-key': nonce(), ...headers });
const alerts = (token: string | undefined, body: unknown) => call('POST', '/v1/alerts', token, body);
const alert = {
  status: 'firing',
  labels: {},
  annotations: { summary: CANARY },
  startsAt: '2026-11-23T12:00:00Z',
  endsAt: '2026-11-23T12:00:00Z',
  generatorURL: '',
  fingerprint: 'f',
};
const webhook = (change: object = {}) => ({
  version: '4',
  groupKey: 'g',
  status: 'firing',
  receiver: 'r',
  groupLabels: {},
  commonLabels: {},
  commonAnnotations: {},
  externalURL: '',
  alerts: [alert],
  ...change,
});
const snapshot = async () => [
  await control.database.query('test-requests', 'SELECT count(*) AS n FROM message_request'),
  await control.database.query('test-groups', 'SELECT version FROM agent_group ORDER BY agent, member'),
];

/** What is wrong, the request, and the code it gets. */
const wrong: readonly (readonly [string, () => Promise<{ status: number; type: string; text: string }>, string])[] = [
  ['no credential', () => send(undefined, message()), 'ERR_IDENTITY_UNAUTHENTICATED'],
  ['no credential and no valid body', () => send(undefined, '{'), 'ERR_IDENTITY_UNAUTHENTICATED'],
  ['a token nobody signed', () => send('e30.e30.AAAA', message()), 'ERR_IDENTITY_UNAUTHENTICATED'],
  [
    'a token that a stranger signed',
    async () => send(await signJws('at+jwt', { sub: 'monitoring', aud: 'control' }, stranger), message()),
    'ERR_IDENTITY_UNAUTHENTICATED',
  ],
  ['an expired token', () => send(tokens.expired, message()), 'ERR_IDENTITY_UNAUTHENTICATED'],
  ['an alert sender at messages', () => send(SECRET, message()), 'ERR_POLICY_DENIED'],
  ['no idempotency key', () => call('POST', '/v1/messages', tokens.own, message()), 'ERR_MESSAGES_KEY'],
  ['an empty idempotency key', () => send(tokens.own, message(), { 'idempotency-key': '' }), 'ERR_MESSAGES_KEY'],
  [
    'an idempotency key too long',
    () => send(tokens.own, message(), { 'idempotency-key': 'k'.repeat(129) }),
    'ERR_MESSAGES_KEY',
  ],
  ['broken JSON', () => send(tokens.own, '{"flow":'), 'ERR_HTTP_SYNTAX'],
  ['no JSON at all', () => send(tokens.own, 'hello', { 'content-type': 'text/csv' }), 'ERR_HTTP_MEDIA_TYPE'],
  ['an unknown field', () => send(tokens.own, message({ urgent: true })), 'ERR_HTTP_INVALID'],
  [
    'an unknown field within',
    () => send(tokens.own, message({ content: { subject: 'x', body: '', html: '<b>' } })),
    'ERR_HTTP_INVALID',
  ],
  [
    'a subject too long',
    () => send(tokens.own, message({ content: { subject: 'x'.repeat(301), body: '' } })),
    'ERR_HTTP_INVALID',
  ],
  [
    'a request too large',
    () => send(tokens.own, message({ content: { subject: 'x', body: 'y'.repeat(1_100_000) } })),
    'ERR_HTTP_TOO_LARGE',
  ],
  ['an unknown flow', () => send(tokens.own, message({ flow: 'no-such-flow' })), 'ERR_FLOWS_UNKNOWN'],
  ['an unknown recipient', () => send(tokens.own, message({ to: 'nobody' })), 'ERR_IDENTITY_MEMBER'],
  [
    'a route below the floor',
    () => send(tokens.own, message({ route: { channel: 'rcs-main', use: 'carry' } })),
    'ERR_ROUTING_BELOW_FLOOR',
  ],
  ['a message id that is none', () => call('GET', '/v1/messages/17', tokens.own), 'ERR_HTTP_INVALID'],
  [
    'a message that does not exist',
    () => call('GET', '/v1/messages/01890000-0000-7000-8000-000000000000', tokens.own),
    'ERR_MESSAGES_MISSING',
  ],
  [
    'a state asked for without credential',
    () => call('GET', '/v1/messages/01890000-0000-7000-8000-000000000000', undefined),
    'ERR_IDENTITY_UNAUTHENTICATED',
  ],
  ['the directory for an application', () => call('GET', '/v1/directory/alice', tokens.own), 'ERR_MESSAGES_OPERATOR'],
  ['the log for an application', () => call('GET', '/v1/log/export', tokens.own), 'ERR_MESSAGES_OPERATOR'],
  ['the log without credential', () => call('GET', '/v1/log/export', undefined), 'ERR_IDENTITY_UNAUTHENTICATED'],
  ['alerts without credential', () => alerts(undefined, webhook()), 'ERR_IDENTITY_UNAUTHENTICATED'],
  [
    'alerts with another secret',
    () => alerts(`sps_prometheus_${toBase64url(random(32))}`, webhook()),
    'ERR_IDENTITY_UNAUTHENTICATED',
  ],
  ['alerts of an application', () => alerts(tokens.own, webhook()), 'ERR_ALERTS_SENDER'],
  ['alerts of another version', () => alerts(SECRET, webhook({ version: '3' })), 'ERR_HTTP_INVALID'],
  ['no alerts in it', () => alerts(SECRET, webhook({ alerts: [] })), 'ERR_HTTP_INVALID'],
  ['alerts that are no JSON', () => alerts(SECRET, '['), 'ERR_HTTP_SYNTAX'],
  ['alerts too large', () => alerts(SECRET, `"${'x'.repeat(4_100_000)}"`), 'ERR_HTTP_TOO_LARGE'],
];

test.each(wrong)('%s gets a problem document with its code and changes nothing', async (_what, request, code) => {
  const before = await snapshot();
  const answer = await request();
  expect(answer.type).toContain('application/problem+json');
  const problem = problemSchema.parse(JSON.parse(answer.text));
  expect(problem).toMatchObject({ code, status: answer.status, type: `urn:sealpost:error:${code}` });
  expect(Object.values(ERROR_KINDS)).toContain(answer.status);
  expect(await snapshot()).toEqual(before);
});

test('a message is taken with 202, and a replay with another body under its key is a conflict', async () => {
  const headers = { 'idempotency-key': 'the-same' };
  const first = await send(tokens.own, message(), headers);
  expect(first.status).toBe(202);
  const before = await snapshot();
  const other = await send(tokens.own, message({ content: { subject: 'Other', body: CANARY } }), headers);
  expect([other.status, JSON.parse(other.text).code]).toEqual([409, 'ERR_MESSAGES_KEY_USED']);
  expect(JSON.parse((await send(tokens.own, message(), headers)).text)).toEqual(JSON.parse(first.text));
  expect(await snapshot()).toEqual(before);
});

test('the state of a message is for its sender and for approvers, and missing to everybody else', async () => {
  const { message: id } = JSON.parse((await send(tokens.own, message())).text);
  const own = await call('GET', `/v1/messages/${id}`, tokens.own);
  expect(JSON.parse(own.text)).toMatchObject({ message: id, flow: 'incident-alerts', to: 'alice', state: 'accepted' });
  expect((await call('GET', `/v1/messages/${id}`, tokens.approver)).status).toBe(200);
  const other = await call('GET', `/v1/messages/${id}`, tokens.other);
  expect([other.status, JSON.parse(other.text).code]).toEqual([404, 'ERR_MESSAGES_MISSING']);
});

test('an approver reads the directory with its evidence and the whole log', async () => {
  const directory = JSON.parse((await call('GET', '/v1/directory/alice', tokens.approver)).text);
  expect(directory.entries).toHaveLength(1);
  const log = await call('GET', '/v1/log/export', tokens.approver);
  expect(log.status).toBe(200);
  expect(log.text.split('\n').length).toBeGreaterThan(3);
});

test('no content, number, token or key is in any log line, problem, or row of the database', async () => {
  const keyring = (
    await control.database.query<{ conversation: string }>('test-conversations', 'SELECT conversation FROM agent_group')
  ).map(
    ({ conversation }) =>
      JSON.parse(new TextDecoder().decode(estate.keys.readSecret(`keyring-${conversation}`)))[0].key as string,
  );
  const secrets = [CANARY, PHONE, SECRET, tokens.own, tokens.approver, ...keyring];
  const tables = ['message_request', 'agent_group', 'agent', 'log_head'];
  const dump = await Promise.all(
    tables.map((table) => control.database.query(`test-dump-${table}`, `SELECT t::text AS text FROM ${table} t`)),
  );
  const problems = bodies.filter((body) => body.includes('urn:sealpost:error'));
  const seen = [...control.logs, ...problems, JSON.stringify(dump)].join('\n');
  expect(problems.length).toBeGreaterThan(20);
  for (const secret of secrets) {
    expect(seen.includes(secret)).toBe(false);
    expect(seen.includes(Buffer.from(secret).toString('hex'))).toBe(false);
  }
});
