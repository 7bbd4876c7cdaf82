/**
 * One HTTPS exchange with the gateway's internal listener: TLS 1.3 only, our service certificate shown, the peer's chain
 * anchored at the organisation's service authority alone, and its name taken from the certificate's SAN URI, never from
 * the host name (RFC 9525 section 6.1 leaves that choice to the application).
 */
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { PeerCertificate } from 'node:tls';
import { serviceUri } from '@sealpost/crypto/verify';
import { TLS_OPTIONS } from '@sealpost/platform';
import type { Organisation } from '@sealpost/protocol';
import { gatewayError } from './gateway-errors.ts';

export interface Exchange {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly contentType?: string;
  readonly body?: Uint8Array;
  /** Milliseconds without progress after which the exchange is given up. */
  readonly timeout: number;
}

export interface MutualTls {
  /** Answers once the headers are there. Throws ERR_GATEWAY_AWAY or ERR_GATEWAY_IDENTITY. */
  send(exchange: Exchange): Promise<IncomingMessage>;
  close(): void;
}

export interface MutualTlsOptions {
  readonly url: string;
  readonly organisation: Organisation;
  /** DER certificate of the authority that issues service certificates. */
  readonly serviceCa: Uint8Array;
  readonly certificate: string;
  readonly key: string;
}

class NotTheGateway extends Error {}

export function createMutualTls(options: MutualTlsOptions): MutualTls {
  const base = new URL(options.url);
  const expected = `URI:${serviceUri(options.organisation, 'gateway')}`;
  const agent = new Agent({
    ...TLS_OPTIONS,
    keepAlive: true,
    maxSockets: 32,
    cert: options.certificate,
    key: options.key,
    ca: pem(options.serviceCa),
    allowPartialTrustChain: true,
    checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
      (certificate.subjectaltname ?? '').split(', ').includes(expected) ? undefined : new NotTheGateway(),
  });
  return {
    send: (exchange) => exchangeOver(agent, base, exchange),
    close: () => agent.destroy(),
  };
}

function exchangeOver(agent: Agent, base: URL, { method, path, contentType, body, timeout }: Exchange) {
  return new Promise<IncomingMessage>((resolve, reject) => {
    const headers = {
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
      ...(body === undefined ? {} : { 'content-length': String(body.length) }),
    };
    const outgoing = request(new URL(path, base), { agent, method, headers, timeout }, resolve);
    outgoing.on('timeout', () => outgoing.destroy(new Error('timeout')));
    outgoing.on('error', (cause) => reject(failureOf(cause)));
    outgoing.end(body);
  });
}

/** OpenSSL's and Node's codes for a chain or a name that does not check out; everything else is a peer that is away. */
const IDENTITY_CODES =
  /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_CERT|INVALID_CA|PATH_LENGTH|ERR_SSL_WRONG_VERSION)/;

function failureOf(cause: Error) {
  const { code } = cause as Error & { code?: string };
  const stranger = cause instanceof NotTheGateway || (code !== undefined && IDENTITY_CODES.test(code));
  return stranger
    ? gatewayError('ERR_GATEWAY_IDENTITY', { cause })
    : gatewayError('ERR_GATEWAY_AWAY', { cause, retryAfter: 5 });
}

function pem(der: Uint8Array): string {
  const text = Buffer.from(der).toString('base64').replace(/.{64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;
}
