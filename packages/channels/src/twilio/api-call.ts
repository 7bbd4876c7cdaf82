/**
 * One authenticated call to Twilio: HTTP Basic with an API key (Twilio, "API requests"). `undefined` when the key's
 * secret cannot be read, so that nothing is sent under half a credential.
 */
import type { AdapterContext } from '../adapter.ts';
import { type HttpResult, httpCall } from '../http-call.ts';
import { secretText } from '../secret-text.ts';
import type { TwilioAccount } from './config.ts';

export interface TwilioBody {
  readonly type: 'application/x-www-form-urlencoded' | 'application/json';
  readonly text: string;
}

export async function postToTwilio(
  account: TwilioAccount,
  context: AdapterContext,
  url: string,
  { type, text }: TwilioBody,
): Promise<HttpResult | undefined> {
  const secret = await secretText(context, account.api_key_secret_file);
  if (secret === undefined) return undefined;
  const credentials = Buffer.from(`${account.api_key_sid}:${secret}`).toString('base64');
  return httpCall({ fetch: context.fetch, now: context.now, timeoutMs: account.timeout }, url, {
    method: 'POST',
    headers: { authorization: `Basic ${credentials}`, 'content-type': type, accept: 'application/json' },
    body: text,
  });
}
