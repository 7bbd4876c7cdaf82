/**
 * Bad input at every operation that the three OpenAPI documents name: each gets a problem document with a code from the
 * tables, none is our fault, and nothing changes.
 */
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Stage } from '../../packages/cli/src/story/stage.ts';
import { flowNameSchema, memberIdSchema, problemSchema } from '../../packages/protocol/src/index.ts';
import { type Answer, bearer, type Call, call } from '../support/call.ts';
import { countsOf, settledSize } from '../support/changes.ts';
import { enrolByHand, type RawDevice, signedHeaders } from '../support/raw-device.ts';
import { openHouse, type RunningHouse } from '../support/running-house.ts';
import {
  type Components,
  type JsonSchema,
  sampleOf,
  withStrangers,
  withWrongTypes,
} from '../support/schema-samples.ts';

interface Operation {
  readonly api: 'control' | 'devices' | 'internal';
  readonly method: string;
  readonly path: string;
  /** `path` with a value for each parameter. */
  readonly filled: string;
  readonly body: JsonSchema | undefined;
  readonly parameters: readonly { readonly in: string; readonly name: string; readonly schema: JsonSchema }[];
  readonly components: Components;
}

/** Members its senders may add later are ignored there, as Alertmanager's documentation reserves them. */
const OPEN_FOR_MORE = '/v1/alerts';
const ANNOUNCED = 64_000_000;

let house: RunningHouse;
let stage: Stage;
let tablet: RawDevice;
let operations: Operation[];
let credentials: { application: string; operator: string; alerts: string };
/** Kind and status by code, from the reference. */
let codes: Map<string, number>;

beforeAll(async () => {
  house = await openHouse(6270);
  stage = await house.stage();
  tablet = await enrolByHand(house, await stage.operator.inviteDevice(stage.member));
  credentials = {
    application: await stage.applicationToken(),
    operator: await stage.operator.token(),
    alerts: await stage.operator.registerAlertSender(
      memberIdSchema.parse('alertmanager-bad'),
      flowNameSchema.parse(stage.flow),
      stage.member,
    ),
  };
  operations = [
    ...(await operationsOf('control')),
    ...(await operationsOf('devices')),
    ...(await operationsOf('internal')),
  ];
  const reference = await readFile(join(import.meta.dirname, '../../docs/reference/errors.md'), 'utf8');
  codes = new Map(
    [...reference.matchAll(/`(ERR_\w+)` \| [\w-]+ \((\d{3})\)/g)].map(([, code = '', status]) => [
      code,
      Number(status),
    ]),
  );
}, 120_000);
afterAll(() => house?.close());

test('the OpenAPI documents name every operation, and each schema they refer to is there', async () => {
  expect(operations.map(({ api, method, path }) => `${api} ${method} ${path}`)).toEqual(
    expect.arrayContaining([
      'control POST /v1/messages',
      'devices POST /v1/receipts',
      'internal POST /internal/v1/envelopes',
    ]),
  );
  expect(operations.length).toBeGreaterThan(30);
  for (const { body, components } of operations) if (body !== undefined) sampleOf(body, components);
  expect(codes.size).toBeGreaterThan(100);
});

test('JSON that is not JSON is refused at every operation and changes nothing', async () => {
  await eachRefused(bodied(), ['{', '', '{"v":1', '[1,2', '"', '{"__proto__":{"a":1}}', '\0'].map(rawBody), 400);
});

test('another media type is refused at every operation and changes nothing', async () => {
  const types = ['text/plain', 'application/xml', 'multipart/form-data; boundary=x', 'application/jose', ''];
  const wrong = types.map(
    (type) =>
      (operation: Operation): Body => ({ text: '{}', ...sampleBody(operation), type }),
  );
  await eachRefused(bodied(), wrong, 415);
});

test('a member nobody knows is refused wherever an object is closed, named, and changes nothing', async () => {
  const closed = bodied().filter(({ path }) => path !== OPEN_FOR_MORE);
  await changesNothing(async () => {
    for (const operation of closed) {
      const variants = withStrangers(operation.body!, operation.components);
      expect(variants, operation.path).not.toEqual([]);
      for (const { where, value } of variants) {
        const answer = await send(operation, { text: JSON.stringify(value), type: 'application/json' });
        expectRefused(operation, answer, 400, where);
        expect(answer.text, `${operation.path} ${where}`).toContain('surprise');
      }
    }
  });
});

test('a value of another type is refused at every place and changes nothing', async () => {
  await changesNothing(async () => {
    for (const operation of bodied()) {
      for (const { where, value } of withWrongTypes(operation.body!, operation.components)) {
        const answer = await send(operation, { text: JSON.stringify(value), type: 'application/json' });
        expectRefused(operation, answer, 400, where);
      }
      for (const text of ['null', '[]', '7', '"text"', 'true'])
        expectRefused(operation, await send(operation, { text, type: 'application/json' }), 400, text);
    }
  });
});

test('a body larger than an operation takes is refused before it is sent, and changes nothing', async () => {
  const announced = () => ({ text: '', type: 'application/json', announced: ANNOUNCED });
  await eachRefused(bodied(), [announced], 413);
});

test('an address or a parameter that is not one is refused and changes nothing', async () => {
  await changesNothing(async () => {
    for (const operation of operations) {
      const { path, filled, parameters } = operation;
      for (const bad of [`${filled}/nowhere`, `${filled}%`, `/nowhere${path}`]) {
        const answer = await send({ ...operation, filled: bad }, sampleBody(operation));
        expect([400, 401, 404], `${path} ${bad}`).toContain(answer.status);
        expectRefused(operation, answer, answer.status, bad);
      }
      expectRefused(operation, await send({ ...operation, method: 'DELETE' }, undefined), 404, 'DELETE');
      for (const parameter of parameters.filter(
        ({ schema }) => schema.pattern !== undefined || schema.type === 'integer',
      )) {
        for (const bad of ['..%2f..', '%00', "x';--", 'x'.repeat(200)]) {
          const broken =
            parameter.in === 'path' ? path.replace(`{${parameter.name}}`, bad) : `${filled}?${parameter.name}=${bad}`;
          expectRefused(operation, await send({ ...operation, filled: broken }, sampleBody(operation)), 400, broken);
        }
      }
      if (parameters.some((parameter) => parameter.in === 'query'))
        expectRefused(
          operation,
          await send({ ...operation, filled: `${filled}?surprise=1` }, sampleBody(operation)),
          400,
          'query',
        );
    }
  });
});

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
      const operation = {
        api: api as Operation['api'],
        method,
        path: filled,
        filled,
        body: undefined,
        parameters: [],
        components: {},
      };
      const answer = await send(operation, text === undefined ? undefined : { text, type: 'application/json' });
      expect(answer.code, filled).toBe(code);
      expectRefused(operation, answer, answer.status, code);
    }
  });
});

test('a blob whose bytes are not those of its name is refused and not stored', async () => {
  const put = operations.find(({ method, path }) => method === 'PUT' && path.includes('/blobs/'))!;
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

const bodied = () => operations.filter(({ body }) => body !== undefined);
const rawBody = (text: string) => (): Body => ({ text, type: 'application/json' });

function sampleBody({ body, components }: Operation): Body | undefined {
  return body === undefined
    ? undefined
    : { text: JSON.stringify(sampleOf(body, components)), type: 'application/json' };
}

async function eachRefused(
  which: readonly Operation[],
  bodies: readonly ((operation: Operation) => Body | undefined)[],
  status: number,
): Promise<void> {
  await changesNothing(async () => {
    for (const operation of which)
      for (const make of bodies) {
        const body = make(operation);
        expectRefused(operation, await send(operation, body), status, JSON.stringify(body).slice(0, 80));
      }
  });
}

function expectRefused(operation: Operation, answer: Answer, status: number, what: string): void {
  const where = `${operation.api} ${operation.method} ${operation.path}: ${what}`;
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
  { api, method, path, filled }: Operation,
  text: string | undefined,
): Promise<Readonly<Record<string, string>>> {
  if (api === 'internal') return {};
  if (api === 'devices') {
    const decodable = !/%(?![0-9a-f]{2})/i.test(filled);
    return decodable
      ? signedHeaders(house, tablet.signer, { method, path: filled, ...(text === undefined ? {} : { body: text }) })
      : {};
  }
  if (path === '/v1/messages')
    return { ...bearer(credentials.application), 'idempotency-key': house.surroundings.uuid() };
  return bearer(path === OPEN_FOR_MORE ? credentials.alerts : credentials.operator);
}

interface Document {
  readonly paths: Record<
    string,
    Record<
      string,
      { requestBody?: { content: Record<string, { schema: JsonSchema }> }; parameters?: Operation['parameters'] }
    >
  >;
  readonly components?: { readonly schemas?: Components };
}

async function operationsOf(api: Operation['api']): Promise<Operation[]> {
  const certificate = house.controlCertificate;
  const { text } = await call({
    method: 'GET',
    url: `${house.urls[api]}/openapi.json`,
    ...(api === 'internal' ? { certificate } : {}),
  });
  const { paths, components = {} } = JSON.parse(text) as Document;
  const schemas = components.schemas ?? {};
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { requestBody, parameters = [] }]) => ({
      api,
      method: method.toUpperCase(),
      path,
      filled: parameters
        .filter(({ in: place }) => place === 'path')
        .reduce((at, { name, schema }) => at.replace(`{${name}}`, String(sampleOf(schema, schemas))), path),
      body: requestBody?.content['application/json']?.schema,
      parameters,
      components: schemas,
    })),
  );
}
