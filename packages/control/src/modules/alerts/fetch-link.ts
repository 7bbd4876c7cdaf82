/**
 * Fetching what an annotation links to, under the flow's link policy. Whoever writes annotations must not be able to make
 * control ask anything else: the name is resolved once, every address it has is judged, and the connection goes to the one
 * that was judged. Redirects start over. No cookie, no credential, no compression; size and time are bounded throughout.
 */
import { lookup } from 'node:dns/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { mayBeAsked } from '@sealpost/platform';
import type { CompiledFlow } from '@sealpost/protocol';
import type { LinkCode } from './alerts-errors.ts';
import { type MediaType, mediaTypeOf } from './media-type.ts';

export type Links = NonNullable<CompiledFlow['links']>;

export type Fetched =
  | { readonly kind: 'ok'; readonly bytes: Uint8Array; readonly type: MediaType; readonly extension: string }
  | { readonly kind: 'refused'; readonly code: LinkCode };

class Refused extends Error {
  readonly code: LinkCode;
  constructor(code: LinkCode) {
    super(code);
    this.code = code;
  }
}

interface Target {
  readonly url: URL;
  readonly address: string;
  readonly family: number;
}

const REDIRECTS: readonly (number | undefined)[] = [301, 302, 303, 307, 308];
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** Answers why not, in one code; throws nothing. */
export async function fetchLink(link: string, policy: Links): Promise<Fetched> {
  const deadline = AbortSignal.timeout(policy.timeout);
  try {
    const bytes = await follow(link, policy, deadline);
    const found = mediaTypeOf(bytes);
    if (found === undefined || !policy.types.includes(found.type)) throw new Refused('ERR_ALERTS_LINK_TYPE');
    return { kind: 'ok', bytes, ...found };
  } catch (error) {
    if (error instanceof Refused) return { kind: 'refused', code: error.code };
    return { kind: 'refused', code: deadline.aborted ? 'ERR_ALERTS_LINK_TIME' : 'ERR_ALERTS_LINK_FAILED' };
  }
}

async function follow(link: string, policy: Links, deadline: AbortSignal): Promise<Uint8Array> {
  let [next, base]: [string, URL | undefined] = [link, undefined];
  for (let hops = 0; hops <= policy.maxRedirects; hops++) {
    const target = await judged(next, base, policy, deadline);
    const answer = await ask(target, deadline);
    if (!REDIRECTS.includes(answer.statusCode)) return body(answer, policy);
    answer.destroy();
    [next, base] = [answer.headers.location ?? '', target.url];
  }
  throw new Refused('ERR_ALERTS_LINK_REDIRECT');
}

/** The one address that may be connected to for this link. */
async function judged(link: string, base: URL | undefined, policy: Links, deadline: AbortSignal): Promise<Target> {
  const url = URL.canParse(link, base) ? new URL(link, base) : undefined;
  const standard = url === undefined ? undefined : DEFAULT_PORTS[url.protocol];
  if (url === undefined || standard === undefined || url.username !== '' || url.password !== '') {
    throw new Refused('ERR_ALERTS_LINK_URL');
  }
  const port = url.port === '' ? standard : Number(url.port);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const rule = policy.hosts.find((each) => each.host.toLowerCase() === host && (each.port ?? standard) === port);
  if (rule === undefined) throw new Refused('ERR_ALERTS_LINK_HOST');
  const addresses = await addressesOf(host, deadline);
  const [first] = addresses;
  // All of them: a name that also leads inside is one that may do so at the next question.
  if (first === undefined || !addresses.every(({ address }) => mayBeAsked(address, rule.private))) {
    throw new Refused('ERR_ALERTS_LINK_ADDRESS');
  }
  return { url, ...first };
}

async function addressesOf(host: string, deadline: AbortSignal): Promise<{ address: string; family: number }[]> {
  const family = isIP(host);
  if (family !== 0) return [{ address: host, family }];
  return within(lookup(host, { all: true, order: 'ipv4first' }), deadline);
}

/** Connects to the judged address whatever the name says by then; name and certificate stay those of the URL. */
function ask({ url, address, family }: Target, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const outgoing = request(
      url,
      {
        signal,
        agent: false,
        headers: { accept: '*/*', 'accept-encoding': 'identity' },
        lookup: (_host, options, done) =>
          options.all === true ? done(null, [{ address, family }]) : done(null, address, family),
      },
      resolve,
    );
    outgoing.on('error', reject);
    outgoing.end();
  });
}

async function body(answer: IncomingMessage, { maxBytes }: Links): Promise<Uint8Array> {
  try {
    if (answer.statusCode !== 200) throw new Refused('ERR_ALERTS_LINK_STATUS');
    if (answer.headers['content-encoding'] !== undefined) throw new Refused('ERR_ALERTS_LINK_TYPE');
    if (Number(answer.headers['content-length'] ?? 0) > maxBytes) throw new Refused('ERR_ALERTS_LINK_SIZE');
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of answer) {
      length += chunk.length;
      if (length > maxBytes) throw new Refused('ERR_ALERTS_LINK_SIZE');
      chunks.push(chunk);
    }
    return new Uint8Array(Buffer.concat(chunks));
  } finally {
    answer.destroy();
  }
}

async function within<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return Promise.race([
    work,
    new Promise<never>((_resolve, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    }),
  ]);
}
