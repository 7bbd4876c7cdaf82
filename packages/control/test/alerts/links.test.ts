/** The link policy against real sockets: what may be asked, what may come back, and that nothing else is ever connected to. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mayBeAsked } from '@sealpost/platform';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { fetchLink, type Links } from '../../src/modules/alerts/fetch-link.ts';

const PNG = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(100, 7)]);
let server: Server;
let port = 0;
let connections = 0;
let headers: NodeJS.Dict<string | string[]>[] = [];

const PAGES: Record<string, RequestListener> = {
  '/ok.png': (_request, response) => response.setHeader('content-type', 'text/html').end(PNG),
  '/report.pdf': (_request, response) => response.end('%PDF-1.7 ...'),
  '/page.png': (_request, response) => response.setHeader('content-type', 'image/png').end('<html><script>1</script>'),
  '/big': (_request, response) => response.end(Buffer.concat([PNG, Buffer.alloc(5000)])),
  '/endless': (_request, response) => {
    response.write(PNG);
    const more = setInterval(() => response.write(Buffer.alloc(400)), 5);
    response.on('close', () => clearInterval(more));
  },
  '/slow': (_request, response) => void response.write(PNG.subarray(0, 20)),
  '/silent': () => undefined,
  '/packed': (_request, response) => response.setHeader('content-encoding', 'gzip').end(PNG),
  '/login': (_request, response) => response.writeHead(401).end(PNG),
  '/once': (_request, response) => response.writeHead(302, { location: '/ok.png' }).end(),
  '/twice': (_request, response) => response.writeHead(302, { location: '/once' }).end(),
  '/away': (_request, response) => response.writeHead(307, { location: 'http://169.254.169.254/latest' }).end(),
  '/inside': (_request, response) => response.writeHead(302, { location: `http://localhost:${port}/ok.png` }).end(),
  '/file': (_request, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
  '/nowhere': (_request, response) => response.writeHead(302).end(),
};

beforeAll(async () => {
  server = createServer((request, response) => {
    headers.push(request.headers);
    PAGES[request.url ?? '']?.(request, response);
  });
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  connections = 0;
  headers = [];
});

const policy = (change: Partial<Links> = {}): Links => ({
  annotations: ['dashboard'],
  hosts: [{ host: '127.0.0.1', port, private: true }],
  types: ['image/png'],
  maxBytes: 1000,
  timeout: 400,
  maxRedirects: 1,
  ...change,
});
const link = (path: string, host = '127.0.0.1') => `http://${host}:${port}${path}`;

test('a file of an allowed type is taken by its first bytes, whatever its header says, and without credentials', async () => {
  const fetched = await fetchLink(link('/ok.png'), policy());
  expect(fetched).toMatchObject({ kind: 'ok', type: 'image/png', extension: 'png' });
  expect(fetched.kind === 'ok' && Buffer.from(fetched.bytes).equals(PNG)).toBe(true);
  expect(Object.keys(headers[0]!).sort()).toEqual(['accept', 'accept-encoding', 'connection', 'host']);
});

test('a redirect within the policy is followed', async () => {
  expect(await fetchLink(link('/once'), policy())).toMatchObject({ kind: 'ok' });
});

test.each([
  ['HTML under an image content type', '/page.png', 'ERR_ALERTS_LINK_TYPE'],
  ['a type the flow does not list', '/report.pdf', 'ERR_ALERTS_LINK_TYPE'],
  ['a compressed body', '/packed', 'ERR_ALERTS_LINK_TYPE'],
  ['more than the limit, announced', '/big', 'ERR_ALERTS_LINK_SIZE'],
  ['more than the limit, not announced', '/endless', 'ERR_ALERTS_LINK_SIZE'],
  ['a body that does not end', '/slow', 'ERR_ALERTS_LINK_TIME'],
  ['a host that does not answer', '/silent', 'ERR_ALERTS_LINK_TIME'],
  ['a page behind a login', '/login', 'ERR_ALERTS_LINK_STATUS'],
  ['more redirects than allowed', '/twice', 'ERR_ALERTS_LINK_REDIRECT'],
  ['a redirect to a host that is not listed', '/away', 'ERR_ALERTS_LINK_HOST'],
  ['a redirect to another name of the same machine', '/inside', 'ERR_ALERTS_LINK_HOST'],
  ['a redirect to a file', '/file', 'ERR_ALERTS_LINK_URL'],
])('%s is refused', async (_what, path, code) => {
  expect(await fetchLink(link(path), policy())).toEqual({ kind: 'refused', code });
});

test('a redirect without an address is not followed', async () => {
  expect(await fetchLink(link('/nowhere'), policy({ maxRedirects: 0 }))).toMatchObject({ kind: 'refused' });
});

test.each([
  ['a host that is not listed', () => 'http://192.0.2.7/x.png', {}, 'ERR_ALERTS_LINK_HOST'],
  ['another port', () => 'http://127.0.0.1:1/x.png', {}, 'ERR_ALERTS_LINK_HOST'],
  [
    'a name that leads to this machine',
    () => link('/ok.png', 'localhost'),
    { hosts: [{ host: 'localhost', port: 0, private: false }] },
    'ERR_ALERTS_LINK_ADDRESS',
  ],
  [
    'this machine by number, unless private',
    () => link('/ok.png'),
    { hosts: [{ host: '127.0.0.1', port: 0, private: false }] },
    'ERR_ALERTS_LINK_ADDRESS',
  ],
  [
    'a number in disguise',
    () => link('/ok.png', '2130706433'),
    { hosts: [{ host: '2130706433', port: 0, private: true }] },
    'ERR_ALERTS_LINK_HOST',
  ],
  [
    'credentials in the link',
    () => link('/ok.png').replace('http://', 'http://user:secret@'),
    {},
    'ERR_ALERTS_LINK_URL',
  ],
  ['another scheme', () => 'ftp://127.0.0.1/x.png', {}, 'ERR_ALERTS_LINK_URL'],
  ['no link at all', () => 'see the wiki', {}, 'ERR_ALERTS_LINK_URL'],
])('%s is refused before anything is connected', async (_what, url, change: Partial<Links>, code) => {
  const hosts = change.hosts?.map((host) => ({ ...host, port })) ?? policy().hosts;
  expect(await fetchLink(url(), policy({ hosts }))).toEqual({ kind: 'refused', code });
  expect(connections).toBe(0);
});

test('a name that may lead inside is connected to at the address that was judged', async () => {
  const hosts = [{ host: 'localhost', port, private: true }];
  expect(await fetchLink(link('/ok.png', 'localhost'), policy({ hosts }))).toMatchObject({ kind: 'ok' });
  expect(headers[0]?.host).toBe(`localhost:${port}`);
});

test.each([
  ['8.8.8.8', true, true],
  ['10.1.2.3', false, true],
  ['100.64.0.1', false, true],
  ['127.0.0.1', false, true],
  ['169.254.169.254', false, true],
  ['172.31.0.1', false, true],
  ['192.168.1.1', false, true],
  ['::1', false, true],
  ['fd00::1', false, true],
  ['fe80::1', false, true],
  ['::ffff:10.0.0.1', false, true],
  ['2606:4700::1', true, true],
  ['0.0.0.0', false, false],
  ['::', false, false],
  ['224.0.0.1', false, false],
  ['255.255.255.255', false, false],
  ['192.0.2.1', false, false],
  ['2001:db8::1', false, false],
  ['2002:a00:1::1', false, false],
  ['64:ff9b::a00:1', false, false],
  ['ff02::1', false, false],
])('%s may be asked: %s, and where private is allowed: %s', (address, open, inside) => {
  expect([mayBeAsked(address, false), mayBeAsked(address, true)]).toEqual([open, inside]);
});
