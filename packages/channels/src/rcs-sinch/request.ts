/**
 * The body of `messages:send` (Sinch, "Send a message"; SendMessageRequest of sinch-sdk-node): one recipient known by
 * RCS alone, in dispatch mode, so that Sinch has no other channel to switch to and keeps no contact.
 */
import type { Suggestion } from '@sealpost/protocol/carriage';
import type { Attempt } from '../adapter.ts';
import type { Fitted } from '../fit.ts';
import type { RcsSinchSettings } from './config.ts';

/** Within the published range of `ttl`, which has no useful upper end; RCS itself keeps thirty days. */
export const MAX_TTL_MS = 30 * 86_400_000;

export function sendRequest(
  { app_id }: RcsSinchSettings,
  { id, address, expires }: Attempt,
  message: Fitted,
  now: number,
): object {
  return {
    app_id,
    recipient: { identified_by: { channel_identities: [{ channel: 'RCS', identity: address }] } },
    message: contentOf(message),
    ttl: `${Math.floor(Math.min(expires - now, MAX_TTL_MS) / 1000)}s`,
    /** Comes back in the delivery report. */
    message_metadata: id,
    processing_strategy: 'DISPATCH_ONLY',
  };
}

function contentOf({ title, text, suggestions, file }: Fitted): object {
  const choices = suggestions.map(choiceOf);
  if (title === undefined && file === undefined)
    return choices.length === 0 ? { text_message: { text } } : { choice_message: { text_message: { text }, choices } };
  const media = file?.source.kind === 'url' ? { media_message: { url: file.source.url } } : {};
  const titled = title === undefined ? {} : { title };
  return { card_message: { ...titled, description: text, ...media, ...(choices.length === 0 ? {} : { choices }) } };
}

function choiceOf(suggestion: Suggestion): object {
  return suggestion.kind === 'reply'
    ? { text_message: { text: suggestion.text }, postback_data: suggestion.data }
    : { url_message: { title: suggestion.text, url: suggestion.url } };
}
