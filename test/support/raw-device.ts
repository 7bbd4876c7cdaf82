/** A device by hand: its key in the open, so that a test can sign what no honest device would send, or not sign at all. */
import { createPrivateKey } from 'node:crypto';
import {
  createCertificateRequest,
  createSigningKey,
  type PrivateJwk,
  type Signer,
  signRequest,
} from '../../packages/crypto/src/signer/index.ts';
import { controlApi, toBase64url, utf8 } from '../../packages/protocol/src/index.ts';
import type { RunningHouse } from './running-house.ts';

export interface RawDevice {
  readonly device: string;
  readonly signer: Signer;
  /** As a client certificate for TLS. */
  readonly certificate: { readonly cert: string; readonly key: string };
}

/** Body of `POST /v1/enrollments` for a key. */
export async function enrollmentBody(code: string, signer: Signer) {
  const request = await createCertificateRequest(signer, { commonName: 'tablet' });
  return { code, name: 'tablet', request: toBase64url(request) };
}

export async function enrolByHand(house: RunningHouse, code: string): Promise<RawDevice> {
  const { signer, privateJwk } = await createSigningKey('ES256');
  const answer = await fetch(`${house.urls.control}/v1/enrollments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(await enrollmentBody(code, signer)),
  });
  const { device, chain } = controlApi.enrollmentAnswerSchema.parse(await answer.json());
  return { device, signer, certificate: { cert: chain.map(pemOf).join(''), key: keyPem(privateJwk) } };
}

/** The headers of RFC 9421 for a request to the device listener. */
export function signedHeaders(
  house: RunningHouse,
  signer: Signer,
  request: { readonly method: string; readonly path: string; readonly body?: string },
  nonce = toBase64url(house.surroundings.random(16)),
): Promise<Readonly<Record<string, string>>> {
  const { method, path, body } = request;
  const outgoing = { method, url: `${house.urls.devices}${path}` };
  return signRequest(body === undefined ? outgoing : { ...outgoing, body: utf8(body) }, signer, {
    created: house.surroundings.now(),
    nonce,
  });
}

function keyPem(privateJwk: PrivateJwk): string {
  return String(createPrivateKey({ key: { ...privateJwk }, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' }));
}

function pemOf(der: string): string {
  const lines =
    Buffer.from(der, 'base64url')
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
