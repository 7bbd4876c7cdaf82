/**
 * The signature of an SNS delivery (Amazon SNS, "Verifying the signatures of Amazon SNS messages"): RSA over the signed
 * members, SHA-1 for version 1 and SHA-256 for version 2, under a certificate the delivery itself points to. What makes
 * that certificate Amazon's is only where it is fetched from: HTTPS on `sns.<region>.amazonaws.com`, nowhere else.
 */
import { verify, X509Certificate } from 'node:crypto';
import type { AdapterContext } from '../adapter.ts';
import { httpCall } from '../http-call.ts';
import { decodeBase64 } from '../signature.ts';
import type { RcsAwsSettings } from './config.ts';
import type { SnsEnvelope } from './sns-schema.ts';

/** Certificates are few and change rarely; the bound keeps a forger's addresses from filling memory. */
const MAX_CERTIFICATES = 16;
const DIGEST = { 1: 'sha1', 2: 'sha256' } as const;

export interface SnsVerifier {
  verify(envelope: SnsEnvelope): Promise<boolean>;
}

export function createSnsVerifier(settings: RcsAwsSettings, context: AdapterContext): SnsVerifier {
  const certificates = new Map<string, X509Certificate>();

  async function certificateAt(url: string): Promise<X509Certificate | undefined> {
    const held = certificates.get(url);
    if (held !== undefined) return held;
    const call = { fetch: context.fetch, now: context.now, timeoutMs: settings.timeout };
    const answer = await httpCall(call, url, { method: 'GET' });
    const certificate = answer.kind === 'answered' && answer.status === 200 ? parsePem(answer.body) : undefined;
    if (certificate === undefined) return undefined;
    if (certificates.size >= MAX_CERTIFICATES) certificates.clear();
    certificates.set(url, certificate);
    return certificate;
  }

  return {
    async verify(envelope) {
      const signature = decodeBase64(envelope.Signature);
      if (signature === undefined || !isSnsUrl(envelope.SigningCertURL, settings.region, /^\/[\w./-]+\.pem$/))
        return false;
      const certificate = await certificateAt(envelope.SigningCertURL);
      if (certificate === undefined || !isValidAt(certificate, context.now())) return false;
      return verify(
        DIGEST[envelope.SignatureVersion],
        new TextEncoder().encode(signedText(envelope)),
        certificate.publicKey,
        signature,
      );
    },
  };
}

/** Whether this is SNS itself, in our region, over HTTPS, on its standard port and without credentials in the address. */
export function isSnsUrl(written: string, region: string, path: RegExp): boolean {
  const url = URL.parse(written);
  return (
    url !== null &&
    url.protocol === 'https:' &&
    [`sns.${region}.amazonaws.com`, `sns.${region}.amazonaws.com.cn`].includes(url.host) &&
    url.username === '' &&
    url.password === '' &&
    path.test(url.pathname)
  );
}

/** Names and values, each on a line of its own, in the order the document gives. */
export function signedText(envelope: SnsEnvelope): string {
  const members =
    envelope.Type === 'Notification'
      ? [
          ['Message', envelope.Message],
          ['MessageId', envelope.MessageId],
          ['Subject', envelope.Subject ?? undefined],
          ['Timestamp', envelope.Timestamp],
          ['TopicArn', envelope.TopicArn],
          ['Type', envelope.Type],
        ]
      : [
          ['Message', envelope.Message],
          ['MessageId', envelope.MessageId],
          ['SubscribeURL', envelope.SubscribeURL],
          ['Timestamp', envelope.Timestamp],
          ['Token', envelope.Token],
          ['TopicArn', envelope.TopicArn],
          ['Type', envelope.Type],
        ];
  return members.map(([name, value]) => (value === undefined ? '' : `${name}\n${value}\n`)).join('');
}

function parsePem(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function isValidAt(certificate: X509Certificate, now: number): boolean {
  return certificate.validFromDate.getTime() <= now && now <= certificate.validToDate.getTime();
}
