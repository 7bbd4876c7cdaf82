/**
 * A `fetch` for URLs that came from outside: a configuration, a subscriber, a provider's answer. A name is resolved once for
 * each connection, every address it has is judged, and the connection goes to those and to nothing a later question would
 * answer. Redirects are handed back as they are: following one is a new request, judged anew by whoever makes it. Nothing
 * is decompressed. Fails as the global one does, with `TypeError` and the machine's code in `cause.code`.
 */
import { type LookupAddress, lookup } from 'node:dns';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { mayBeAsked } from './address-rules.ts';

export interface GuardedFetchOptions {
  /** `host` or `host:port`, as in a URL: what may lead to private, loopback and link-local addresses. */
  readonly privateHosts: readonly string[];
}

/** All come before the first byte of a request leaves. */
export type FetchRefusal = 'ERR_FETCH_ADDRESS' | 'ERR_FETCH_URL' | 'ERR_FETCH_CONNECT_TIMEOUT';

class Refused extends Error {
  readonly code: FetchRefusal;
  constructor(code: FetchRefusal) {
    super(code);
    this.code = code;
  }
}

const CONNECT_TIMEOUT = 10_000;
/** Shorter than servers keep idle connections, so that a reused one is rarely just being closed. */
const IDLE_TIMEOUT = 4_000;
const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };
const NO_BODY: readonly number[] = [204, 205, 304];

/** `resolve` is the machine's resolver, and in tests one that changes its mind. */
export function createGuardedFetch(
  { privateHosts }: GuardedFetchOptions,
  resolve: LookupFunction = systemLookup,
): typeof fetch {
  const listed = new Set(privateHosts.map((host) => host.toLowerCase()));
  const pool = { keepAlive: true, timeout: IDLE_TIMEOUT };
  const agents = { http: new HttpAgent(pool), https: new HttpsAgent(pool) };
  return async (input, init) => {
    const asked = new Request(input, init);
    try {
      const url = new URL(asked.url);
      const privateAllowed = mayBePrivate(url, listed);
      judgeLiteral(url, privateAllowed);
      return await exchange(asked, {
        url,
        agents,
        lookup: judgedLookup(resolve, privateAllowed),
        body: await bodyOf(asked, init),
      });
    } catch (cause) {
      if (asked.signal.aborted) throw asked.signal.reason;
      throw new TypeError('fetch failed', { cause });
    }
  };
}

function mayBePrivate(url: URL, listed: ReadonlySet<string>): boolean {
  const port = DEFAULT_PORTS[url.protocol];
  if (port === undefined) throw new Refused('ERR_FETCH_URL');
  return listed.has(url.hostname) || listed.has(`${url.hostname}:${url.port === '' ? port : url.port}`);
}

/** The URL parser has already turned decimal, octal and hexadecimal spellings into the plain one (URL Standard, 3.5). */
function judgeLiteral({ hostname }: URL, privateAllowed: boolean): void {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !mayBeAsked(host, privateAllowed)) throw new Refused('ERR_FETCH_ADDRESS');
}

/** All addresses or none: a name that also leads inside is one that may do so at the next question. */
function judgedLookup(resolve: LookupFunction, privateAllowed: boolean): LookupFunction {
  return (host, options, done) =>
    resolve(host, { all: true, order: 'ipv4first' }, (error, answer) => {
      if (error !== null) return done(error, []);
      const found: readonly LookupAddress[] = typeof answer === 'string' ? [] : answer;
      const [first] = found;
      if (first === undefined || !found.every(({ address }) => mayBeAsked(address, privateAllowed)))
        return done(new Refused('ERR_FETCH_ADDRESS'), []);
      return options.all === true ? done(null, [...found]) : done(null, first.address, first.family);
    });
}

const systemLookup: LookupFunction = (host, options, done) => lookup(host, { ...options, all: true }, done);

/** A stream is passed on as it comes; everything else has a length, which some providers insist on. */
async function bodyOf(asked: Request, init: RequestInit | undefined): Promise<Readable | Uint8Array | undefined> {
  if (asked.body === null) return undefined;
  if (init?.body instanceof ReadableStream) return Readable.from(asked.body);
  return new Uint8Array(await asked.arrayBuffer());
}

interface Call {
  readonly url: URL;
  readonly agents: { readonly http: HttpAgent; readonly https: HttpsAgent };
  readonly lookup: LookupFunction;
  readonly body: Readable | Uint8Array | undefined;
}

/** Name, SNI and certificate stay those of the URL, whatever address the connection goes to. */
function exchange(asked: Request, { url, agents, lookup, body }: Call): Promise<Response> {
  const { signal } = asked;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const secure = url.protocol === 'https:';
    const headers = { 'accept-encoding': 'identity', ...Object.fromEntries(asked.headers), ...lengthOf(body) };
    const options = { method: asked.method, headers, lookup };
    const outgoing = secure
      ? httpsRequest(url, { ...options, agent: agents.https })
      : httpRequest(url, { ...options, agent: agents.http });
    const abort = () => outgoing.destroy(reasonOf(signal));
    signal.addEventListener('abort', abort, { once: true });
    outgoing.on('close', () => signal.removeEventListener('abort', abort));
    outgoing.on('error', reject);
    outgoing.on('socket', (socket: Socket) => limitConnecting(socket, secure, (error) => outgoing.destroy(error)));
    outgoing.on('response', (answer) => {
      try {
        resolve(responseOf(answer, asked));
      } catch (error) {
        answer.destroy();
        reject(error);
      }
    });
    if (!(body instanceof Readable)) return void outgoing.end(body);
    body.on('error', (error) => outgoing.destroy(error));
    return void body.pipe(outgoing);
  });
}

function lengthOf(body: Call['body']): Record<string, string> {
  return body instanceof Uint8Array ? { 'content-length': String(body.length) } : {};
}

function limitConnecting(socket: Socket, secure: boolean, fail: (error: Error) => void): void {
  if (!socket.connecting) return;
  const timer = setTimeout(() => fail(new Refused('ERR_FETCH_CONNECT_TIMEOUT')), CONNECT_TIMEOUT);
  for (const event of [secure ? 'secureConnect' : 'connect', 'close']) socket.once(event, () => clearTimeout(timer));
}

function responseOf(answer: IncomingMessage, { method, redirect, signal }: Request): Response {
  const status = answer.statusCode ?? 0;
  if (redirect === 'error' && status >= 300 && status < 400) throw new Error('redirected');
  const headers = new Headers();
  for (const [name, values] of Object.entries(answer.headersDistinct))
    for (const value of values ?? []) headers.append(name, value);
  const abort = () => answer.destroy(reasonOf(signal));
  signal.addEventListener('abort', abort, { once: true });
  answer.on('close', () => signal.removeEventListener('abort', abort));
  const init = { status, statusText: answer.statusMessage ?? '', headers };
  if (method !== 'HEAD' && !NO_BODY.includes(status)) return new Response(streamOf(answer), init);
  answer.resume();
  return new Response(null, init);
}

function streamOf(answer: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array> = answer[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await chunks.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
    cancel: () => void answer.destroy(),
  });
}

function reasonOf({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error('aborted');
}
