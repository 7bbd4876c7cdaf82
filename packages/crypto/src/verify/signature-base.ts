/**
 * The signature base of RFC 9421 section 2.5, for the components Sealpost covers: derived ones of section 2.2 and plain
 * header fields of section 2.1. Paths are taken as sent, never normalised here, so what was signed is what is routed.
 */
import type { SignatureAlgorithm } from '../signer/signer.ts';

export const SIGNATURE_LABEL = 'sealpost';
export const DEVICE_TAG = 'sealpost-device';
export const HTTP_ALGORITHMS: Readonly<Record<SignatureAlgorithm, string>> = {
  ES256: 'ecdsa-p256-sha256',
  EdDSA: 'ed25519',
};

export interface SignedRequest {
  readonly method: string;
  /** Path and query as received, or absolute. */
  readonly url: string;
  /** Names in lower case, as node:http gives them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body?: Uint8Array;
}

export function coveredComponents(hasBody: boolean): readonly string[] {
  return hasBody ? ['@method', '@path', '@query', 'content-digest'] : ['@method', '@path', '@query'];
}

/** A field's lines joined as in section 2.1; `undefined` when it is absent. */
export function fieldValue(request: SignedRequest, name: string): string | undefined {
  const value = request.headers[name];
  if (value === undefined) return undefined;
  return (typeof value === 'string' ? [value] : value).map((line) => line.trim()).join(', ');
}

function target(url: string): {
  readonly authority: string | undefined;
  readonly path: string;
  readonly query: string;
} {
  const [, authority, path = '', query = ''] = /^(?:[a-z]+:\/\/([^/?#]*))?([^?#]*)(\?[^#]*)?/i.exec(url) ?? [];
  return { authority: authority?.toLowerCase(), path: path === '' ? '/' : path, query: query === '' ? '?' : query };
}

function componentValue(request: SignedRequest, name: string): string | undefined {
  switch (name) {
    case '@method':
      return request.method;
    case '@path':
      return target(request.url).path;
    case '@query':
      return target(request.url).query;
    case '@authority':
      return target(request.url).authority;
    default:
      return name.startsWith('@') ? undefined : fieldValue(request, name);
  }
}

/** Answers `undefined` when a covered component is absent or cannot stand on one line. */
export function signatureBase(
  request: SignedRequest,
  components: readonly string[],
  parameters: string,
): string | undefined {
  const lines: string[] = [];
  for (const name of components) {
    const value = componentValue(request, name);
    if (value === undefined || /[\r\n]/.test(value)) return undefined;
    lines.push(`"${name}": ${value}`);
  }
  return [...lines, `"@signature-params": ${parameters}`].join('\n');
}
