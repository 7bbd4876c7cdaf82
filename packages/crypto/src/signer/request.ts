/**
 * Device requests signed by RFC 9421 HTTP Message Signatures, the body bound by RFC 9530 Content-Digest. The covered
 * components are fixed (see verify/signature-base.ts); `created` is in whole seconds there.
 */
import { type Timestamp, utf8 } from '@sealpost/protocol';
import { bytesItem, contentDigest } from '../verify/content-digest.ts';
import {
  coveredComponents,
  DEVICE_TAG,
  HTTP_ALGORITHMS,
  SIGNATURE_LABEL,
  signatureBase,
} from '../verify/signature-base.ts';
import type { Signer } from './signer.ts';

export interface OutgoingRequest {
  readonly method: string;
  /** Absolute, or path and query; normalised as `fetch` does before it is signed. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

const NONCE = /^[A-Za-z0-9_-]{16,64}$/;

/** The headers to add to the request. The nonce is fresh for each request: 16 to 64 base64url letters. */
export async function signRequest(
  request: OutgoingRequest,
  signer: Signer,
  { created, nonce }: { readonly created: Timestamp; readonly nonce: string },
): Promise<Readonly<Record<string, string>>> {
  if (!NONCE.test(nonce)) throw new TypeError('a request nonce is 16 to 64 base64url letters');
  const { pathname, search } = new URL(request.url, 'https://relative.invalid');
  const digest: Record<string, string> =
    request.body === undefined ? {} : { 'content-digest': contentDigest(request.body) };
  const components = coveredComponents(request.body !== undefined);
  const parameters =
    `(${components.map((name) => `"${name}"`).join(' ')});created=${Math.floor(created / 1000)};nonce="${nonce}"` +
    `;keyid="${signer.keyId}";alg="${HTTP_ALGORITHMS[signer.algorithm]}";tag="${DEVICE_TAG}"`;
  const base = signatureBase(
    { method: request.method, url: pathname + search, headers: { ...request.headers, ...digest } },
    components,
    parameters,
  );
  if (base === undefined) throw new TypeError('the request lacks a covered component');
  const signature = bytesItem(await signer.sign(utf8(base)));
  return {
    ...digest,
    'signature-input': `${SIGNATURE_LABEL}=${parameters}`,
    signature: `${SIGNATURE_LABEL}=${signature}`,
  };
}
