/** Twilio's two adapters against the fake of its Messages and Content resources. */
import { twilioDefinition } from '@sealpost/simulator';
import { httpProvider } from './http-provider.ts';

const ACCOUNT = { accountSid: `AC${'a'.repeat(32)}`, apiKeySid: `SK${'b'.repeat(32)}` };
const SECRETS = { apiKeySecret: 'key-secret-1', authToken: 'auth-token-1' };
const files = { key: SECRETS.apiKeySecret, token: SECRETS.authToken };

const settingsOf = (url: string, webhookUrl: string) => ({
  base_url: url,
  account_sid: ACCOUNT.accountSid,
  api_key_sid: ACCOUNT.apiKeySid,
  api_key_secret_file: 'key',
  auth_token_file: 'token',
  webhook_url: webhookUrl,
});

export const smsTwilio = httpProvider({
  adapter: 'sms-twilio',
  address: '+4915112345678',
  files,
  definition: (webhookUrl) => twilioDefinition({ ...ACCOUNT, ...SECRETS, sender: '+15005550006', webhookUrl }),
  settings: (url, webhookUrl) => ({ ...settingsOf(url, webhookUrl), sender: '+15005550006' }),
});

export const rcsTwilio = httpProvider({
  adapter: 'rcs-twilio',
  address: '+4915112345678',
  files,
  definition: (webhookUrl) => twilioDefinition({ ...ACCOUNT, ...SECRETS, sender: 'rcs:acme_agent', webhookUrl }),
  settings: (url, webhookUrl) => ({ ...settingsOf(url, webhookUrl), content_url: url, sender: 'acme_agent' }),
});
