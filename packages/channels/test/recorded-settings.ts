/**
 * Settings and secrets of every adapter that is tested against recorded answers.
 */
import { generateKeyPairSync } from 'node:crypto';
import type { ChannelAdapterName } from '../src/index.ts';

const APPLICATION = '70af4457-1d44-4d5c-a5e5-7f6e5b3a1c11';
const TOPIC = 'arn:aws:sns:eu-central-1:123456789012:sealpost';
const SECRET = 'no outcome may hold this';
export const SETTINGS: Readonly<Partial<Record<ChannelAdapterName, object>>> = {
  'rcs-vonage': { application_id: APPLICATION, private_key_file: 'key', signature_secret_file: 's', sender: 'Acme' },
  'rcs-aws': {
    region: 'eu-central-1',
    agent: 'rcs-1',
    access_key_id: 'AKIAIOSFODNN7EXAMPLE',
    secret_access_key_file: 's',
    topic_arns: [TOPIC],
  },
  'rcs-maap': { base_url: 'https://maap.example', bot_id: 'b', access_token_file: 's', webhook_token_file: 's' },
  'whatsapp-cloud': {
    phone_number_id: '106540352242922',
    access_token_file: 's',
    app_secret_file: 's',
    verify_token_file: 's',
  },
  signal: { mode: 'rest', base_url: 'http://signal.example', account: '+4930123456', webhook_token_file: 's' },
  'imessage-business': { msp_id: 'msp', business_id: 'business', secret_file: 'base64' },
  slack: { team_id: 'T1DC2JH3J', bot_token_file: 's', signing_secret_file: 's' },
};
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const FILES = {
  s: SECRET,
  base64: btoa(SECRET),
  key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
};
export const NAMES = Object.keys(SETTINGS) as ChannelAdapterName[];

/** Somebody the adapter would write to. */
export const addressFor = (name: ChannelAdapterName) =>
  name === 'imessage-business' ? 'urn:mbid:AQAA491751234567' : '+491751234567';
