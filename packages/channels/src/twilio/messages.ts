/**
 * Sending through Twilio's Messages resource (`POST /2010-04-01/Accounts/{AccountSid}/Messages.json`): always from one
 * named sender to one address, never through a Messaging Service, so that nothing but this channel can carry it.
 */
import type { Outcome } from '@sealpost/protocol/carriage';
import type { AdapterContext, Attempt } from '../adapter.ts';
import { postToTwilio } from './api-call.ts';
import { classifyMessage } from './classify.ts';
import type { TwilioAccount } from './config.ts';

/** ValidityPeriod is 1 to 36000 seconds, and more than 5 is recommended. */
export const MAX_VALIDITY_MS = 36_000_000;
const MIN_VALIDITY_MS = 6_000;

/** What is said, as form fields: `Body` and `MediaUrl`, or `ContentSid` and `ContentVariables`. */
export type MessageFields = Readonly<Record<string, string>>;

export interface Ends {
  readonly from: string;
  readonly to: string;
}

/** Whether there is time enough to hand it over. */
export function hasTime({ expires }: Attempt, context: AdapterContext): boolean {
  return expires - context.now() >= MIN_VALIDITY_MS;
}

export async function sendThroughTwilio(
  account: TwilioAccount,
  context: AdapterContext,
  { from, to }: Ends,
  fields: MessageFields,
  { expires }: Attempt,
): Promise<Outcome> {
  const validity = Math.floor(Math.min(expires - context.now(), MAX_VALIDITY_MS) / 1000);
  if (validity < 1) return { kind: 'permanent', reason: 'expires too soon to send' };
  const form = new URLSearchParams({
    To: to,
    From: from,
    ...fields,
    ValidityPeriod: String(validity),
    StatusCallback: account.webhook_url,
  });
  const url = `${account.base_url}/2010-04-01/Accounts/${account.account_sid}/Messages.json`;
  const body = { type: 'application/x-www-form-urlencoded', text: form.toString() } as const;
  const result = await postToTwilio(account, context, url, body);
  return result === undefined ? { kind: 'auth-broken', reason: 'api key file unreadable' } : classifyMessage(result);
}
