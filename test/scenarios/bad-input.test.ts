/**
 * Bad input that no description tells: bytes that are no HTTP, names of what is not there, blobs that are not what they are
 * called. Each gets a problem document with its own code, and nothing changes. The rest is in api-properties.test.ts.
 */
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Stage } from '../../packages/cli/src/story/stage.ts';
import { problemSchema } from '../../packages/protocol/src/index.ts';
import { type Codes, readCodes } from '../api/judge.ts';
import { type Answer, bearer, type Call, call } from '../support/call.ts';
import { countsOf, settledSize } from '../support/changes.ts';
import { enrolByHand, type RawDevice, signedHeaders } from '../support/raw-device.ts';
import { openHouse, type RunningHouse } from '../support/running-house.ts';

interface Operation {
  readonly api: 'control' | 'devices' | 'internal';
  readonly method: string;
  /** With a value for each parameter. */
  readonly filled: string;
}

const ANNOUNCED = 64_000_000;

let house: RunningHouse;
let stage: Stage;
let tablet: RawDevice;
let credentials: { application: string; operator: string };
let codes: Codes;

beforeAll(async () => {
  house = await openHouse(6270);
  stage = await house.stage();
  tablet = await enrolByHand(house, await stage.operator.inviteDevice(stage.member));
  credentials = {
    application: await stage.applicationToken(),
    operator: await stage.operator.token(),
  };
  codes = readCodes();
}, 120_000);
afterAll(() => house?.close());

test('bytes that are no HTTP request are answered with a problem as well', async () => {
  for (const [bytes, status] of [
    ['GET / HTTP/1.1\r\nno colon\r\n\r\n', 400],
    ['\x16\x03\x01', 400],
    [`GET / HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(100_000)}\r\n\r\n`, 413],
    ['POST /v1/token HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n', 400],
  ] as const) {
    for (const port of [house.sealpost.ports.control, house.sealpost.ports.devices]) {
      const [head = '', body = ''] = (await exchangeBytes(port, bytes)).split('\r\n\r\n');
      expect(head, JSON.stringify(bytes.slice(0, 40))).toMatch(/^content-type: application\/problem\+json/im);
      expect(problemSchema.parse(JSON.parse(body))).toMatchObject({ status });
    }
  }
});

test('who or what is not known is refused by name and changes nothing', async () => {
  const message = (change: object) =>
    JSON.stringify({ flow: stage.flow, to: 'alice', content: { subject: 'a', body: 'b' }, ...change });
  const unknown: [string, string, string, string | undefined, string][] = [
    ['control', 'POST', '/v1/messages', message({ to: 'nobody' }), 'ERR_IDENTITY_MEMBER'],
    ['control', 'POST', '/v1/messages', message({ flow: 'no-such-flow' }), 'ERR_FLOWS_UNKNOWN'],
    ['control', 'POST', '/v1/messages', message({ route: { channel: 'pigeon', use: 'carry' } }), 'ERR_MESSAGES_ROUTE'],
    ['control', 'GET', '/v1/messages/0190b5f0-0000-7000-8000-000000000000', undefined, 'ERR_MESSAGES_MISSING'],
    ['devices', 'GET', `/v1/blobs/${'A'.repeat(43)}`, undefined, 'ERR_BLOBS_MISSING'],
    ['devices', 'GET', '/v1/log/tile/0/999', undefined, 'ERR_LOG_TILE_MISSING'],
    ['internal', 'GET', `/internal/v1/conversations/con_${'A'.repeat(22)}`, undefined, 'ERR_GROUPS_MISSING'],
    ['internal', 'GET', '/internal/v1/directory/nobody', undefined, 'ERR_DIRECTORY_MEMBER_UNKNOWN'],
    [
      'internal',
      'GET',
      '/internal/v1/messages/0190b5f0-0000-7000-8000-000000000000/timeline',
      undefined,
      'ERR_LOG_MESSAGE_MISSING',
    ],
  ];
  await changesNothing(async () => {
    for (const [api, method, filled, text, code] of unknown) {
      const operation = { api: api as Operation['api'], method, filled };
      const answer = await send(operation, text === undefined ? undefined : { text, type: 'application/json' });
      expect(answer.code, filled).toBe(code);
      expectRefused(operation, answer, answer.status, code);
    }
  });
});

test('a blob whose bytes are not those of its name is refused and not stored', async () => {
  const put: Operation = { api: 'internal', method: 'PUT', filled: `/internal/v1/blobs/${'A'.repeat(43)}` };
  await changesNothing(async () => {
    const wrong = await send(put, { text: 'not those bytes', type: 'application/octet-stream' });
    expect(wrong).toMatchObject({ status: 422, code: 'ERR_BLOBS_DIGEST' });
    expectRefused(put, await send(put, { text: '{}', type: 'application/json' }), 415, 'json');
    expectRefused(
      put,
      await send(put, { text: '', type: 'application/octet-stream', announced: ANNOUNCED }),
      413,
      'large',
    );
  });
});

function exchangeBytes(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('utf8')));
    // What is still being written when the other side closes is of no interest.
    socket.on('error', (cause) => (chunks.length === 0 ? reject(cause) : undefined));
  });
}

interface Body {
  readonly text: string;
  readonly type: string;
  /** A length that is announced and never sent. */
  readonly announced?: number;
}

function expectRefused(operation: Operation, answer: Answer, status: number, what: string): void {
  const where = `${operation.api} ${operation.method} ${operation.filled}: ${what}`;
  expect(answer.type, `${where} answered ${answer.status} ${answer.text.slice(0, 200)}`).toMatch(
    /^application\/problem\+json/,
  );
  const problem = problemSchema.parse(JSON.parse(answer.text));
  expect(problem.status, where).toBe(answer.status);
  expect({ where, code: problem.code, status: answer.status }).toEqual({ where, code: problem.code, status });
  expect(codes.get(problem.code), `${where}: ${problem.code} is in the reference with its status`).toBe(answer.status);
  expect(answer.text, where).not.toMatch(/\bat \S+ \(|node_modules|\.ts:\d/);
}

async function changesNothing(work: () => Promise<void>): Promise<void> {
  const before = { size: await settledSize(house), counts: await countsOf(house) };
  await work();
  expect({ size: await settledSize(house), counts: await countsOf(house) }).toEqual(before);
}

/** With every credential the operation wants, so that only the input is bad. */
async function send(operation: Operation, body: Body | undefined): Promise<Answer> {
  const { api, method, filled } = operation;
  const text = method === 'GET' ? undefined : body?.text;
  const type = text === undefined ? {} : { 'content-type': body?.type ?? '' };
  const length = body?.announced === undefined ? {} : { 'content-length': String(body.announced) };
  const request: Call = {
    method,
    url: `${house.urls[api]}${filled}`,
    headers: { ...type, ...length, ...(await credentialsOf(operation, text)) },
    ...(text === undefined ? {} : { body: text }),
    ...(api === 'internal' ? { certificate: house.controlCertificate } : {}),
  };
  return call(request);
}

async function credentialsOf(
  { api, method, filled }: Operation,
  text: string | undefined,
): Promise<Readonly<Record<string, string>>> {
  if (api === 'internal') return {};
  if (api === 'devices') {
    const decodable = !/%(?![0-9a-f]{2})/i.test(filled);
    return decodable
      ? signedHeaders(house, tablet.signer, { method, path: filled, ...(text === undefined ? {} : { body: text }) })
      : {};
  }
  if (filled === '/v1/messages')
    return { ...bearer(credentials.application), 'idempotency-key': house.surroundings.uuid() };
  return bearer(credentials.operator);
}
