/**
 * One server that stands for every HTTP provider, each under a path of its own: it knows no more of a provider than how a
 * call is recognised, how it is answered when all is well, and how a delivery is reported. What goes wrong is the same for
 * all of them. A second listener shows a certificate that has expired.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Certificate } from './certificate.ts';
import type { FaultName } from './kinds.ts';
import type { Answer, Call, Hook, HttpProvider } from './providers.ts';

export interface Fake {
  readonly url: string;
  readonly expiredUrl: string;
  /** How many messages each provider took, by its name; a repeat it ignores is none. */
  readonly taken: ReadonlyMap<string, number>;
  strike(fault: FaultName): Promise<void>;
  close(): Promise<void>;
}

export interface FakeOptions {
  readonly providers: readonly HttpProvider[];
  readonly certificate: Certificate;
  readonly now: () => number;
  /** Posts a webhook to the vendor of this name; resolves with the status of the answer. */
  readonly report: (vendor: string, hook: Hook) => Promise<number>;
}

const HUGE = 4 * 1024 * 1024;
const DRIP_EACH_MS = 50;

export async function openFake({ providers, certificate, now, report }: FakeOptions): Promise<Fake> {
  let fault: FaultName = 'refused';
  const taken = new Map<string, number>();
  const known = new Set<string>();
  const underWay = new Set<Promise<void>>();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = await callOf(request);
    const provider = providers.find(({ name }) => call.path.startsWith(`/${name}/`));
    if (provider === undefined) return send(response, { status: 404, body: {} });
    const own = { ...call, path: call.path.slice(provider.name.length + 1) };
    const aside = provider.aside?.(own);
    if (aside !== undefined) return send(response, aside);
    await struck(provider, own, request, response);
  }

  /** Takes the message; a repeat of a key the provider knows is the same message. */
  function take(provider: HttpProvider, call: Call): string {
    const key = provider.keyOf?.(call);
    const before = taken.get(provider.name) ?? 0;
    const isNew = key === undefined || !known.has(`${provider.name} ${key}`);
    if (key !== undefined) known.add(`${provider.name} ${key}`);
    if (isNew) taken.set(provider.name, before + 1);
    return key ?? provider.newId?.(`${now()}-${before}`) ?? `${now()}-${before}`;
  }

  async function struck(
    provider: HttpProvider,
    call: Call,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    switch (fault) {
      case 'rate-limited':
        return send(response, { status: 429, body: {}, headers: { 'retry-after': '2' } });
      case 'failing':
        return send(response, { status: 500, body: {} });
      case 'unavailable':
        return send(response, { status: 503, body: {} });
      case 'unauthorized':
        return send(response, provider.unauthorized ?? { status: 401, body: {} });
      case 'reset':
        return void request.socket.destroy();
      case 'silent-before-effect':
        return;
      case 'silent-after-effect':
        return void take(provider, call);
      case 'drip':
        take(provider, call);
        return drip(response);
      case 'malformed':
        take(provider, call);
        return void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>It works!</html>');
      case 'oversized':
        take(provider, call);
        return void response.writeHead(200).end(Buffer.alloc(HUGE, ' '));
      default:
        return reported(provider, take(provider, call), response);
    }
  }

  async function reported(provider: HttpProvider, id: string, response: ServerResponse): Promise<void> {
    const hook = async (about: string, forged = false) => {
      const made = await provider.delivered?.(about, { now: now(), forged });
      return made === undefined ? 0 : report(provider.name, made);
    };
    if (fault === 'receipt-early') await hook(id);
    send(response, provider.taken(id));
    if (fault === 'receipt-forged') return expectStatus(await hook(id, true), 401);
    if (fault === 'receipt-unknown') await hook(provider.newId?.('unknown') ?? 'unknown');
    if (fault === 'receipt-early') return;
    await hook(id);
    if (fault === 'receipt-twice') await hook(id);
  }

  const listener = (request: IncomingMessage, response: ServerResponse) => {
    const work = answer(request, response).catch(() => void request.socket.destroy());
    underWay.add(work);
    void work.then(() => underWay.delete(work));
  };
  const open = async (port: number): Promise<Server> => {
    const server = createServer(listener);
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };
  let server: Server | undefined = await open(0);
  const { port } = server.address() as AddressInfo;
  const tls = createTlsServer({ ...certificate }, listener);
  tls.on('tlsClientError', () => undefined);
  tls.listen(0, '127.0.0.1');
  await once(tls, 'listening');

  const shut = async (): Promise<void> => {
    if (server === undefined) return;
    const closing = server;
    server = undefined;
    closing.closeAllConnections();
    closing.close();
    await once(closing, 'close');
  };
  return {
    url: `http://127.0.0.1:${port}`,
    expiredUrl: `https://127.0.0.1:${(tls.address() as AddressInfo).port}`,
    taken,
    async strike(next) {
      fault = next;
      taken.clear();
      if (next === 'refused') await shut();
      else server ??= await open(port);
    },
    async close() {
      await shut();
      tls.closeAllConnections();
      tls.close();
      await once(tls, 'close');
      await Promise.all(underWay);
    },
  };
}

function expectStatus(status: number, expected: number): void {
  if (status !== expected) throw new Error(`a forged receipt was answered ${status}`);
}

async function callOf(request: IncomingMessage): Promise<Call> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://provider');
  return { method: request.method ?? '', path: pathname, query: searchParams, text, headers: request.headers };
}

function send(response: ServerResponse, { status, body, headers = {} }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** Until whoever asked has had enough. */
function drip(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), DRIP_EACH_MS);
  response.on('close', () => clearInterval(timer));
}
