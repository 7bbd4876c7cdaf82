/** The property test's own eyes: a small server with a defect in each operation, through the same cases and the same judge. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLogger, createServer, HTTP_ERRORS, type Server } from '../../packages/platform/src/index.ts';
import { errorsOf, gatewayApi } from '../../packages/protocol/src/index.ts';
import { refusedCases, wholeCases } from '../api/cases.ts';
import { check, type Send } from '../api/check.ts';
import { readDescription } from '../api/description.ts';
import { readCodes } from '../api/judge.ts';
import { call } from '../support/call.ts';

const SEED = 20_261_123;
const fail = errorsOf(HTTP_ERRORS);
const PLAN = { seed: SEED, known: {}, right: 'anybody', draws: 10 };

let server: Server;
let base: string;

beforeAll(async () => {
  server = await createServer({
    name: 'planted',
    version: '0',
    logger: createLogger('planted', 'error', { write: () => undefined }),
    bodyLimit: 100_000,
    ready: async () => undefined,
  });
  const body = gatewayApi.receiptUploadSchema;
  const answers = { 200: gatewayApi.receiptUploadResultSchema };
  const schema = { summary: 'Planted', body, response: answers };
  const results = { results: [] };
  server.post('/good', { schema }, async () => results);
  const acceptsAll = () => (value: unknown) => ({ value });
  server.post('/accepts-anything', { schema, validatorCompiler: acceptsAll }, async () => results);
  server.post('/fails', { schema }, async () => {
    throw new Error('a bug');
  });
  server.post('/undocumented-status', { schema }, async (_request, reply) => loose(reply).code(206).send(results));
  server.post('/undocumented-body', { schema }, async (_request, reply) =>
    loose(reply).type('application/json').serializer(JSON.stringify).send({ results: [], surprise: 1 }),
  );
  server.post('/undocumented-type', { schema }, async (_request, reply) => loose(reply).type('text/html').send('<p>'));
  server.post('/plain-error', { schema }, async (_request, reply) =>
    loose(reply).code(409).type('text/plain').send('no'),
  );
  server.post('/foreign-code', { schema }, async (_request, reply) =>
    loose(reply)
      .code(409)
      .type('application/problem+json')
      .serializer(JSON.stringify)
      .send({ type: 'urn:sealpost:error:ERR_NOBODY', title: 'a', status: 409, code: 'ERR_NOBODY', hint: 'b' }),
  );
  server.post('/shows-insides', { schema }, async (_request, reply) =>
    loose(reply).code(404).type('application/problem+json').serializer(JSON.stringify).send({
      type: 'urn:sealpost:error:ERR_HTTP_MISSING',
      title: 'at f (/a/b.ts:1)',
      status: 404,
      code: 'ERR_HTTP_MISSING',
      hint: 'b',
    }),
  );
  server.post('/unavailable', { schema }, async (_request, reply) => loose(reply).code(503).send({}));
  server.post('/open-to-others', { schema }, async () => results);
  server.post('/refuses', { schema }, async () => {
    throw fail('ERR_HTTP_MISSING');
  });
  await server.listen({ host: '127.0.0.1', port: 7190 });
  base = 'http://127.0.0.1:7190';
});
afterAll(() => server?.close());

/** What a careless route would do, past the types that keep ours from it. */
interface Loose {
  code(status: number): Loose;
  type(type: string): Loose;
  serializer(write: (value: unknown) => string): Loose;
  send(body: unknown): never;
}

const loose = (reply: unknown): Loose => reply as Loose;

test.each([
  ['/accepts-anything', 'a member nobody knows', /answered 200, not 400/],
  ['/accepts-anything', 'another type', /answered 200, not 400/],
  ['/accepts-anything', 'too many', /answered 200, not 400/],
  ['/fails', 'whole', /500 is our fault/],
  ['/undocumented-status', 'whole', /206 is not documented/],
  ['/undocumented-body', 'whole', /the body of 200 is not the documented one/],
  ['/undocumented-type', 'whole', /text\/html is not documented/],
  ['/plain-error', 'whole', /the error is text\/plain, not a problem document/],
  ['/foreign-code', 'whole', /ERR_NOBODY is not a 409 of the reference/],
  ['/shows-insides', 'whole', /shows its insides/],
  ['/unavailable', 'whole', /503 is our fault/],
  ['/open-to-others', 'by somebody else', /answered 200, not 401/],
])('a defect planted at %s (%s) is reported', async (path, what, fault) => {
  const faults = await faultsAt(path);
  expect(faults.filter((each) => each.includes(what)).join('\n')).toMatch(fault);
});

test.each(['/good', '/refuses'])('nothing is reported of %s, which is as it must be', async (path) => {
  expect(await faultsAt(path)).toEqual([]);
});

async function faultsAt(path: string): Promise<readonly string[]> {
  const { text } = await call({ method: 'GET', url: `${base}/openapi.json` });
  const operation = readDescription('planted', text).operations.find((each) => each.path === path)!;
  const plan = { ...PLAN, wrong: path === '/open-to-others' ? { stranger: [401] } : {} };
  const cases = [...refusedCases(operation, plan), ...wholeCases(operation, plan)];
  expect(cases.length).toBeGreaterThan(40);
  return (await check(cases, send, readCodes())).faults;
}

const send: Send = ({ method, path, body, type, announced }) =>
  call({
    method,
    url: `${base}${path}`,
    headers: {
      ...(type === undefined ? {} : { 'content-type': type }),
      ...(announced === undefined ? {} : { 'content-length': String(announced) }),
    },
    ...(body === undefined ? {} : { body }),
  });
