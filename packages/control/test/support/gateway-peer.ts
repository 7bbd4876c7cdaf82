/**
 * A gateway as control meets it: a real HTTPS server with mutual TLS 1.3 and real certificates that keeps bundles and
 * verified directory chains in memory. It is a peer, not a stand-in for anything of control's; a test can make it fail.
 */
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { verifyDirectoryChain } from '@sealpost/crypto/verify';
import { TLS_OPTIONS } from '@sealpost/platform';
import { fromBase64url, type MemberId } from '@sealpost/protocol';
import { pem, type TestOrganisation } from './organisation.ts';

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

export interface GatewayPeer extends AsyncDisposable {
  readonly url: string;
  /** Every request in order, as `METHOD path`. */
  readonly requests: string[];
  bundle: { version: number; jws: string } | undefined;
  readonly chains: Map<string, string[]>;
  /** Answers requests in its place while it returns something; `'hang up'` breaks the connection. */
  interfere: ((method: string, path: string) => Answer | 'hang up' | undefined) | undefined;
  /** Like `interfere`, but after the work has been done: the answer is lost. */
  loseAnswer: ((method: string, path: string) => boolean) | undefined;
}

export const problem = (status: number, code: string): Answer => ({
  status,
  body: { type: `urn:sealpost:error:${code}`, title: 'The peer refuses.', status, code, hint: 'A test asked for it.' },
});

export async function startGatewayPeer(
  organisation: TestOrganisation,
  options: { now: () => number; service?: string; issuer?: TestOrganisation },
): Promise<GatewayPeer> {
  const { trust } = organisation;
  const files = await (options.issuer ?? organisation).service(options.service ?? 'gateway');
  const ca = [trust.serviceCa, trust.root].map((der) => pem('CERTIFICATE', fromBase64url(der) ?? new Uint8Array()));
  const server: Server = createServer({ ...TLS_OPTIONS, ...files, ca, requestCert: true, rejectUnauthorized: true });
  const peer: Omit<GatewayPeer, 'url' | typeof Symbol.asyncDispose> = {
    requests: [],
    bundle: undefined,
    chains: new Map(),
    interfere: undefined,
    loseAnswer: undefined,
  };

  const work = async (method: string, path: string, body: { bundle?: string; entry?: string }): Promise<Answer> => {
    const planned = peer.interfere?.(method, path);
    if (planned === 'hang up') return { status: 0 };
    if (planned !== undefined) return planned;
    if (path === '/internal/v1/bundle') {
      if (method === 'PUT' && body.bundle !== undefined)
        peer.bundle = { version: claims(body.bundle).version, jws: body.bundle };
      return { status: 200, body: { version: peer.bundle?.version ?? 0, expires: null } };
    }
    if (path === '/internal/v1/directory' && body.entry !== undefined) return post(body.entry);
    const member = /^\/internal\/v1\/directory\/([a-z0-9-]+)$/.exec(path)?.[1];
    const chain = member === undefined ? undefined : peer.chains.get(member);
    if (chain !== undefined)
      return { status: 200, body: { entries: chain.map((entry) => ({ entry, evidence: null })) } };
    return problem(404, 'ERR_DIRECTORY_MEMBER_UNKNOWN');
  };
  const post = async (entry: string): Promise<Answer> => {
    const { member } = claims(entry);
    const chain = peer.chains.get(member) ?? [];
    if (chain.includes(entry)) return { status: 200, body: { outcome: 'already' } };
    const verdict = await verifyDirectoryChain([...chain, entry], {
      trust,
      member: member as MemberId,
      now: options.now(),
    });
    if (verdict.kind === 'refused')
      return problem(
        verdict.reason === 'previous' ? 409 : 422,
        `ERR_DIRECTORY_${verdict.reason.toUpperCase().replaceAll('-', '_')}`,
      );
    peer.chains.set(member, [...chain, entry]);
    return { status: 200, body: { outcome: 'recorded' } };
  };
  server.on('request', async (request, response) => {
    const [method, path] = [request.method ?? '', request.url ?? ''];
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    peer.requests.push(`${method} ${path}`);
    const body = chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString('utf8'));
    const answer = await work(method, path, body);
    if (answer.status === 0 || peer.loseAnswer?.(method, path)) {
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(peer, {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

function claims(jws: string): { version: number; member: string } {
  return JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8'));
}
