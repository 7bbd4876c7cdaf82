/**
 * Who may call the internal listener: control, and nobody else. TLS 1.3 has demanded a client certificate before a request
 * is read; here its issuer must be the service CA of the trust file and its one URI that of control (DESIGN section 4).
 */
import { X509Certificate } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import { parseUri } from '@sealpost/crypto/verify';
import type { Server } from '@sealpost/platform';
import { type ErrorTable, errorsOf, fromBase64url, type Organisation, type Trust } from '@sealpost/protocol';
import type { FastifyRequest } from 'fastify';

export const SERVICE_AUTH_ERRORS = {
  ERR_SERVICE_DENIED: {
    kind: 'denied',
    sentence: 'This certificate may not call the gateway’s internal interface.',
    hint: 'Connect with control’s service certificate, issued by the service CA in the trust file.',
  },
} as const satisfies ErrorTable;
const serviceError = errorsOf(SERVICE_AUTH_ERRORS);

const OPEN = new Set(['/livez', '/readyz', '/openapi.json']);

export function requireService(server: Server, trust: Trust, name: string): void {
  const ca = new X509Certificate(fromBase64url(trust.serviceCa) ?? new Uint8Array());
  const known = new WeakMap<TLSSocket, boolean>();
  server.addHook('onRequest', async (request) => {
    if (OPEN.has(request.url)) return;
    const socket = socketOf(request);
    if (!(socket instanceof TLSSocket)) throw serviceError('ERR_SERVICE_DENIED');
    const allowed = known.get(socket) ?? isService(socket, ca, trust.organisation, name);
    known.set(socket, allowed);
    if (!allowed) throw serviceError('ERR_SERVICE_DENIED');
  });
}

function socketOf({ raw }: FastifyRequest): unknown {
  return raw.socket;
}

function isService(socket: TLSSocket, ca: X509Certificate, organisation: Organisation, name: string): boolean {
  const certificate = socket.getPeerX509Certificate();
  if (!socket.authorized || certificate === undefined) return false;
  if (!certificate.checkIssued(ca) || !certificate.verify(ca.publicKey)) return false;
  const uris = urisOf(certificate.subjectAltName ?? '');
  const [uri] = uris;
  const parsed = uri === undefined ? undefined : parseUri(uri);
  if (uris.length !== 1 || parsed?.kind !== 'service') return false;
  return parsed.organisation === organisation && parsed.name === name;
}

/** Node writes names as `URI:…, DNS:…` and quotes any that holds a comma: a quoted one is never ours. */
function urisOf(subjectAltName: string): string[] {
  return subjectAltName.split(', ').flatMap((part) => (part.startsWith('URI:') ? [part.slice(4)] : []));
}
