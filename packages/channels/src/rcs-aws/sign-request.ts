/**
 * AWS Signature Version 4 of one call (AWS, "Signature Version 4 for API requests"), by `aws4fetch`; a test compares it
 * with AWS's own signer. Only the headers are taken from it: the call itself goes the way of every other.
 */
import { AwsV4Signer } from 'aws4fetch';
import type { RcsAwsSettings } from './config.ts';

const SERVICE = 'sms-voice';
const TARGET = 'PinpointSMSVoiceV2.SendRcsMessage';

export function endpointOf({ base_url, region }: RcsAwsSettings): string {
  return `${base_url ?? `https://sms-voice.${region}.amazonaws.com`}/`;
}

export async function signedHeaders(
  settings: RcsAwsSettings,
  secretAccessKey: string,
  body: string,
  now: number,
): Promise<Readonly<Record<string, string>>> {
  const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': TARGET };
  const signer = new AwsV4Signer({
    method: 'POST',
    url: endpointOf(settings),
    headers,
    body,
    accessKeyId: settings.access_key_id,
    secretAccessKey,
    service: SERVICE,
    region: settings.region,
    datetime: new Date(now).toISOString().replaceAll(/[:-]|\.\d{3}/g, ''),
  });
  const signed = await signer.sign();
  // `host` is signed, and set by whoever sends the request.
  return Object.fromEntries([...signed.headers].filter(([name]) => name !== 'host'));
}
