/** The guarded fetch against real servers on loopback: what it refuses never reaches a socket. */
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, LookupFunction } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { httpCall } from '../../channels/src/http-call.ts';
import { createOrganisation } from '../../control/test/support/organisation.ts';
import { createGuardedFetch } from '../src/guarded-fetch.ts';

const servers: { close(): unknown; closeAllConnections(): void }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<{ readonly port: number; readonly seen: IncomingMessage[] }> {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    listener(request, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, seen };
}

const codeOf = (failed: Promise<unknown>) =>
  failed.then(
    () => 'answered',
    (error: { name: string; cause?: { code?: string } }) => error.cause?.code ?? error.name,
  );

/** Answers each question with the next of these lists. */
function resolver(...answers: readonly (readonly string[])[]): LookupFunction & { asked: number } {
  const resolve: LookupFunction = (_host, _options, done) => {
    const addresses = answers[Math.min(own.asked, answers.length - 1)] ?? [];
    own.asked += 1;
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  const own = Object.assign(resolve, { asked: 0 });
  return own;
}

test('a name is resolved once, and the connection goes to that answer whatever the name says next', async () => {
  const { port, seen } = await serve((_request, response) => response.end('here'));
  const resolve = resolver(['127.0.0.1'], ['127.0.0.9']);
  const asks = createGuardedFetch({ privateHosts: ['moves.example'] }, resolve);
  expect(await (await asks(`http://moves.example:${port}/`)).text()).toBe('here');
  expect([resolve.asked, seen.length, seen[0]?.headers.host]).toEqual([1, 1, `moves.example:${port}`]);
});

test.each([
  ['one that leads inside', ['127.0.0.1']],
  ['one that leads outside and inside', ['93.184.215.14', '127.0.0.1']],
  ['one that leads to the cloud’s metadata', ['169.254.169.254']],
  ['one that leads inside as a mapped address', ['::ffff:127.0.0.1']],
  ['one that leads nowhere', []],
])('a name is refused before anything is sent: %s', async (_title, addresses) => {
  const { port, seen } = await serve((_request, response) => response.end());
  const asks = createGuardedFetch({ privateHosts: [] }, resolver(addresses));
  expect(await codeOf(asks(`http://name.example:${port}/`))).toBe('ERR_FETCH_ADDRESS');
  expect(seen).toEqual([]);
});

test.each([
  '127.0.0.1',
  '2130706433',
  '0177.0.0.1',
  '0x7f.1',
  '127.1',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
])('the loopback address is refused in every spelling: %s', async (host) => {
  const { port, seen } = await serve((_request, response) => response.end());
  const asks = createGuardedFetch({ privateHosts: [] });
  expect(await codeOf(asks(`http://${host}:${port}/`))).toBe('ERR_FETCH_ADDRESS');
  expect(seen).toEqual([]);
});

test('a private name is asked only where it is listed, and on the listed port only', async () => {
  const { port } = await serve((_request, response) => response.end('here'));
  const at = `http://127.0.0.1:${port}/`;
  expect(await codeOf(createGuardedFetch({ privateHosts: [] })('http://localhost:1/'))).toBe('ERR_FETCH_ADDRESS');
  expect(await codeOf(createGuardedFetch({ privateHosts: ['127.0.0.1:1'] })(at))).toBe('ERR_FETCH_ADDRESS');
  expect((await createGuardedFetch({ privateHosts: [`127.0.0.1:${port}`] })(at)).status).toBe(200);
});

test('a redirect is handed back and not followed, nor is a scheme other than http and https asked', async () => {
  const inner = await serve((_request, response) => response.end('secret'));
  const outer = await serve((_request, response) =>
    response.writeHead(307, { location: `http://127.0.0.1:${inner.port}/` }).end(),
  );
  const asks = createGuardedFetch({ privateHosts: [`127.0.0.1:${outer.port}`] });
  const answer = await asks(`http://127.0.0.1:${outer.port}/`);
  expect([answer.status, answer.headers.get('location'), inner.seen.length]).toEqual([
    307,
    `http://127.0.0.1:${inner.port}/`,
    0,
  ]);
  expect(await codeOf(asks('file:///etc/passwd'))).toBe('ERR_FETCH_URL');
});

test('bodies go out with their length and come back as they come', async () => {
  const { port, seen } = await serve(async (request, response) => {
    response.write(`<${await text(request)}>`);
    response.end('end');
  });
  const asks = createGuardedFetch({ privateHosts: ['127.0.0.1'] });
  const answer = await asks(`http://127.0.0.1:${port}/`, { method: 'POST', body: new URLSearchParams({ a: 'b c' }) });
  expect(await answer.text()).toBe('<a=b+c>end');
  expect(seen[0]?.headers).toMatchObject({
    'content-length': '5',
    'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
  });
});

test('a timeout ends an answer that never starts and one that never ends, as the global fetch says it', async () => {
  const { port } = await serve((request, response) => {
    if (request.url === '/half') response.write('half');
  });
  const asks = createGuardedFetch({ privateHosts: ['127.0.0.1'] });
  for (const path of ['/', '/half']) {
    const read = async () =>
      (await asks(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(50) })).text();
    expect(await codeOf(read())).toBe('TimeoutError');
  }
});

test('a channel reads a refusal, a closed port and an untrusted certificate as unsent, and a broken answer as unanswered', async () => {
  const broken = await serve((request) => request.socket.destroy());
  using organisation = await createOrganisation(Date.now());
  const names: string[] = [];
  const tls = createTlsServer({
    ...(await organisation.service('gateway')),
    SNICallback: (name, done) => {
      names.push(name);
      done(null);
    },
  });
  servers.push(tls);
  await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
  const asks = createGuardedFetch({ privateHosts: ['127.0.0.1', 'name.example'] }, resolver(['127.0.0.1']));
  const call = (url: string) => httpCall({ fetch: asks, now: () => 0, timeoutMs: 5000 }, url, {});
  expect(await call('http://10.0.0.1/')).toEqual({ kind: 'unsent', code: 'ERR_FETCH_ADDRESS' });
  expect(await call('http://127.0.0.1:1/')).toEqual({ kind: 'unsent', code: 'ECONNREFUSED' });
  expect(await call(`http://127.0.0.1:${broken.port}/`)).toEqual({ kind: 'unanswered', code: 'ECONNRESET' });
  expect(await call(`https://name.example:${(tls.address() as AddressInfo).port}/`)).toMatchObject({ kind: 'unsent' });
  expect(names).toEqual(['name.example']);
});
