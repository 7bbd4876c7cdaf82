/**
 * The HTTP edge over real sockets: every way a request can fail ends in a problem document (RFC 9457) that says no more
 * than it should, and with TLS nothing older than 1.3 gets in.
 */
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { createSigningKey, issueCertificate } from '@sealpost/crypto/signer';
import { caUri } from '@sealpost/crypto/verify';
import { errorsOf, organisationSchema, problemSchema } from '@sealpost/protocol';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { createLogger, createServer, type Server } from '../src/index.ts';

const TEST_ERRORS = {
  ERR_TEST_BUSY: { kind: 'limited', sentence: 'Too much at once.', hint: 'Wait.' },
  ERR_TEST_BUG: { kind: 'internal', sentence: 'Something failed on our side.', hint: 'Try again.' },
} as const;
const testError = errorsOf(TEST_ERRORS);

/** What handlers throw, by the last part of the path. */
const THROWN: Readonly<Record<string, () => unknown>> = {
  busy: () => testError('ERR_TEST_BUSY', { retryAfter: 7, details: [{ pointer: '/n', detail: 'too many' }] }),
  bug: () => testError('ERR_TEST_BUG', { cause: new Error('hush'), details: [{ pointer: '/hush', detail: 'hush' }] }),
  plain: () => new Error('hush'),
  coded: () => Object.assign(new Error('hush'), { code: 'hush', statusCode: 418, hush: true }),
  string: () => 'hush',
  null: () => null,
  undefined: () => undefined,
};

const logged: string[] = [];
let reason: string | undefined;
let server: Server;
let port: number;

beforeAll(async () => {
  server = await start();
  port = portOf(server);
});
afterAll(() => server.close());
beforeEach(() => {
  logged.length = 0;
  reason = undefined;
});

const portOf = (of: Server) => (of.server.address() as { port: number }).port;

async function start(tls?: { key: string; cert: string }): Promise<Server> {
  const made = await createServer({
    name: 'test',
    version: '1.2.3',
    logger: createLogger('test', 'info', { write: (line) => void logged.push(line) }),
    bodyLimit: 1000,
    ready: async () => reason,
    ...(tls === undefined ? {} : { tls }),
  });
  const body = z.strictObject({ n: z.int(), inner: z.strictObject({ s: z.string() }).optional() });
  made.post('/echo', { schema: { body } }, async (request) => request.body);
  made.get('/thrown/:what', async (request) => {
    throw THROWN[(request.params as { what: string }).what]?.();
  });
  made.get('/wrong-answer', { schema: { response: { 200: z.strictObject({ n: z.int() }) } } }, async () => {
    return { n: 'hush' } as never;
  });
  await made.listen({ host: '127.0.0.1', port: 0 });
  return made;
}

const call = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init);
const post = (body: BodyInit, type = 'application/json') =>
  call('/echo', { method: 'POST', body, headers: { 'content-type': type } });

/** The problem of an answer, once it is one in every respect. */
async function problemIn(answer: Response) {
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const problem = problemSchema.parse(await answer.json());
  expect(problem.status).toBe(answer.status);
  expect(problem.type).toBe(`urn:sealpost:error:${problem.code}`);
  return problem;
}

test('an error of ours is answered with its code, sentence, hint, places and time to wait', async () => {
  const answer = await call('/thrown/busy');
  expect(answer.headers.get('retry-after')).toBe('7');
  expect(await problemIn(answer)).toEqual({
    type: 'urn:sealpost:error:ERR_TEST_BUSY',
    title: 'Too much at once.',
    status: 429,
    code: 'ERR_TEST_BUSY',
    hint: 'Wait.',
    errors: [{ pointer: '/n', detail: 'too many' }],
  });
  expect(logged).toEqual([]);
});

test.each(Object.keys(THROWN).filter((name) => name !== 'busy'))(
  'an error of the inside shows nothing of itself, is logged once and without its message: %s',
  async (what) => {
    const answer = await call(`/thrown/${what}`);
    expect(answer.status).toBe(500);
    const problem = await problemIn(answer);
    expect(problem.title).toBe('Something failed on our side.');
    expect(JSON.stringify([problem, [...answer.headers]])).not.toContain('hush');
    expect(logged).toHaveLength(1);
    expect(JSON.parse(logged[0] ?? '')).toMatchObject({ event: 'request failed', code: problem.code });
    expect(logged.join('').replaceAll('"causeCode":"hush"', '')).not.toContain('hush');
  },
);

test('an answer that breaks its own schema is not sent', async () => {
  const answer = await call('/wrong-answer');
  expect(answer.status).toBe(500);
  expect(JSON.stringify(await problemIn(answer))).not.toContain('hush');
});

test('a body that fits is taken', async () => {
  const answer = await post('{"n":1,"inner":{"s":"x"}}');
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({ n: 1, inner: { s: 'x' } });
});

test('a value that does not fit is named by its JSON pointer', async () => {
  const answer = await post('{"n":1,"inner":{"s":2}}');
  const problem = await problemIn(answer);
  expect([answer.status, problem.code]).toEqual([400, 'ERR_HTTP_INVALID']);
  expect(problem.errors?.map(({ pointer }) => pointer)).toEqual(['/inner/s']);
});

test.each(['{"n":1,"more":2}', '{"n":1,"inner":{"s":"x","more":2}}'])(
  'an unknown member is refused: %s',
  async (body) => {
    const answer = await post(body);
    const problem = await problemIn(answer);
    expect([answer.status, problem.code]).toEqual([400, 'ERR_HTTP_INVALID']);
    expect(problem.errors?.[0]?.detail).toContain('more');
  },
);

test.each([
  ['text that is no JSON', '{"n":', 400, 'ERR_HTTP_SYNTAX', 'application/json'],
  ['no body at all', '', 400, 'ERR_HTTP_SYNTAX', 'application/json'],
  ['a member named __proto__', '{"n":1,"__proto__":{"x":1}}', 400, 'ERR_HTTP_SYNTAX', 'application/json'],
  ['more than the limit', JSON.stringify({ n: 'x'.repeat(1000) }), 413, 'ERR_HTTP_TOO_LARGE', 'application/json'],
  ['text', '{"n":1}', 415, 'ERR_HTTP_MEDIA_TYPE', 'text/plain'],
  ['a form', 'n=1', 415, 'ERR_HTTP_MEDIA_TYPE', 'application/x-www-form-urlencoded'],
  ['a content type that is none', '{"n":1}', 415, 'ERR_HTTP_MEDIA_TYPE', 'json'],
] as const)('a body is refused that is %s', async (_what, body, status, code, type) => {
  const answer = await post(body, type);
  expect([answer.status, (await problemIn(answer)).code]).toEqual([status, code]);
  expect(logged).toEqual([]);
});

test('a body over the limit is refused also when it comes without a length', async () => {
  const stream = new Blob(['{"n":', '1'.repeat(5000), '}']).stream();
  const answer = await call('/echo', {
    method: 'POST',
    body: stream,
    headers: { 'content-type': 'application/json' },
    duplex: 'half',
  } as RequestInit);
  expect((await problemIn(answer)).code).toBe('ERR_HTTP_TOO_LARGE');
});

test.each([
  ['GET', '/nowhere'],
  ['GET', '/echo'],
  ['DELETE', '/livez'],
])('there is nothing at another path or method: %s %s', async (method, path) => {
  const answer = await call(path, { method });
  expect([answer.status, (await problemIn(answer)).code]).toEqual([404, 'ERR_HTTP_MISSING']);
});

/** The answer to bytes that no HTTP client would send. */
async function answerTo(bytes: string): Promise<{ head: string; problem: z.infer<typeof problemSchema> }> {
  const socket: Socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
  return { head, problem: problemSchema.parse(JSON.parse(body)) };
}

test('a path that cannot be decoded is answered with a problem', async () => {
  const { head, problem } = await answerTo('GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  expect(head).toMatch(/^HTTP\/1\.1 400 /);
  expect(problem.code).toBe('ERR_HTTP_SYNTAX');
});

test('bytes that are no HTTP are answered with a problem and the connection closed', async () => {
  const { head, problem } = await answerTo('hush hush\r\n\r\n');
  expect(head).toMatch(/^HTTP\/1\.1 400 Bad Request\r\nContent-Type: application\/problem\+json\r\n/);
  expect(problem.code).toBe('ERR_HTTP_SYNTAX');
});

test('headers beyond what Node reads are too large', async () => {
  const { head, problem } = await answerTo(`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`);
  expect(head).toMatch(/^HTTP\/1\.1 413 /);
  expect(problem.code).toBe('ERR_HTTP_TOO_LARGE');
});

test.each(['/livez', '/readyz', '/openapi.json', '/nowhere', '/thrown/plain', '/thrown/busy'])(
  'an answer is neither stored nor guessed at, and names no software: %s',
  async (path) => {
    const { headers } = await call(path);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('server') ?? headers.get('x-powered-by')).toBeNull();
  },
);

test('readiness is 503 with the reason as long as there is one, and liveness does not care', async () => {
  reason = 'database';
  const answer = await call('/readyz');
  expect([answer.status, await answer.json()]).toEqual([503, { status: 'unavailable', reason: 'database' }]);
  expect((await call('/livez')).status).toBe(200);
  reason = undefined;
  expect((await call('/readyz')).status).toBe(200);
});

test('the interface describes itself with its version and without the probes', async () => {
  const document = (await (await call('/openapi.json')).json()) as { info: { version: string }; paths: object };
  expect(document.info.version).toBe('1.2.3');
  expect(Object.keys(document.paths)).toContain('/echo');
  expect(Object.keys(document.paths)).not.toContain('/livez');
});

async function selfSigned(): Promise<{ key: string; cert: string; fingerprint: string }> {
  const { signer, privateJwk } = await createSigningKey('ES256');
  const der = await issueCertificate({
    subjectPublicKey: signer.publicJwk,
    uri: caUri(organisationSchema.parse('acme.example'), 'root'),
    usage: 'ca',
    notBefore: Date.now() - 60_000,
    notAfter: Date.now() + 86_400_000,
    serial: crypto.getRandomValues(new Uint8Array(16)),
    issuer: { signer, certificate: 'self' },
  });
  const key = createPrivateKey({ key: { ...privateJwk }, format: 'jwk' }).export({ format: 'pem', type: 'pkcs8' });
  const fingerprint = createHash('sha256').update(der).digest('hex');
  return { key: key.toString(), cert: new X509Certificate(der).toString(), fingerprint };
}

test('with TLS a client of 1.3 is served and one of 1.2 is refused, and plain HTTP is not spoken', async () => {
  const { fingerprint, ...tls } = await selfSigned();
  const secure = await start(tls);
  try {
    const greet = (versions: object) =>
      new Promise<{ protocol: string | null; presented: string; answer: string }>((resolve, reject) => {
        // The certificate is compared by hand: this test is about versions, not about names.
        const socket = connectTls({ port: portOf(secure), host: '127.0.0.1', rejectUnauthorized: false, ...versions });
        socket.on('error', reject);
        socket.on('secureConnect', () => {
          const presented = createHash('sha256').update(socket.getPeerCertificate().raw).digest('hex');
          const protocol = socket.getProtocol();
          socket.write('GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
          text(socket).then((answer) => resolve({ protocol, presented, answer }), reject);
        });
      });
    const { protocol, presented, answer } = await greet({});
    expect([protocol, presented]).toEqual(['TLSv1.3', fingerprint]);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    await expect(greet({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' })).rejects.toThrow(/protocol version/i);
    await expect(fetch(`http://127.0.0.1:${portOf(secure)}/livez`).then(({ status }) => status)).rejects.toThrow();
  } finally {
    await secure.close();
  }
});
