/**
 * The body of `POST /rcs/2/messages` (models RcsMessageRequest, RcsOutbound…Content of infobip-api-java-client 6.4.0):
 * one message to one number under our own id, with its validity. `smsFailover` and `mmsFailover` have no place in it.
 */
import type { Suggestion } from '@sealpost/protocol/carriage';
import type { Attempt } from '../adapter.ts';
import type { Fitted } from '../fit.ts';
import type { RcsInfobipSettings } from './config.ts';

/** Infobip keeps trying for two days at most ("Validity period"). */
export const MAX_VALIDITY_MS = 48 * 3_600_000;

export function messageRequest(
  { sender }: RcsInfobipSettings,
  { id, address, expires }: Attempt,
  message: Fitted,
  now: number,
): object {
  const amount = Math.floor(Math.min(expires - now, MAX_VALIDITY_MS) / 1000);
  return {
    messages: [
      {
        sender,
        destinations: [{ to: address.replace(/^\+/, ''), messageId: id }],
        content: contentOf(message),
        options: { validityPeriod: { amount, timeUnit: 'SECONDS' } },
      },
    ],
  };
}

function contentOf({ title, text, suggestions, file }: Fitted): object {
  const buttons = suggestions.length === 0 ? {} : { suggestions: suggestions.map(suggestionOf) };
  if (title === undefined && file === undefined) return { type: 'TEXT', text, ...buttons };
  const media = file?.source.kind === 'url' ? { media: { file: { url: file.source.url }, height: 'MEDIUM' } } : {};
  const card = { ...(title === undefined ? {} : { title }), description: text, ...media, ...buttons };
  return { type: 'CARD', orientation: 'VERTICAL', alignment: 'LEFT', content: card };
}

function suggestionOf(suggestion: Suggestion): object {
  return suggestion.kind === 'reply'
    ? { type: 'REPLY', text: suggestion.text, postbackData: suggestion.data }
    : { type: 'OPEN_URL', text: suggestion.text, postbackData: 'open', url: suggestion.url };
}
