/**
 * The body of `POST /v1/messages` for RCS (Vonage, "Messages API reference"): a text with suggestions, or, for a title or a
 * file, a `custom` message, which Vonage hands to RCS for Business as it stands (Vonage, "RCS Custom Messages"). There is
 * no `failover` in it.
 */
import type { Suggestion } from '@sealpost/protocol/carriage';
import type { Attempt } from '../adapter.ts';
import type { Fitted } from '../fit.ts';
import type { RcsVonageSettings } from './config.ts';

/** `ttl` of an RCS message: 20 seconds to three days. */
export const MIN_TTL_MS = 20_000;
export const MAX_TTL_MS = 259_200_000;

export function messageRequest(
  { sender }: RcsVonageSettings,
  { id, address, expires }: Attempt,
  message: Fitted,
  now: number,
): object {
  return {
    channel: 'rcs',
    from: sender,
    to: address.replace(/^\+/, ''),
    client_ref: id,
    ttl: Math.floor(Math.min(expires - now, MAX_TTL_MS) / 1000),
    ...contentOf(message),
  };
}

function contentOf({ title, text, suggestions, file }: Fitted): object {
  if (title === undefined && file === undefined) {
    const chips = suggestions.length === 0 ? {} : { suggestions: suggestions.map(chipOf) };
    return { message_type: 'text', text, ...chips };
  }
  const media =
    file?.source.kind === 'url' ? { media: { height: 'MEDIUM', contentInfo: { fileUrl: file.source.url } } } : {};
  const buttons = suggestions.length === 0 ? {} : { suggestions: suggestions.map(rbmSuggestionOf) };
  const cardContent = { ...(title === undefined ? {} : { title }), description: text, ...media, ...buttons };
  const standaloneCard = { cardOrientation: 'VERTICAL', cardContent };
  return { message_type: 'custom', custom: { contentMessage: { richCard: { standaloneCard } } } };
}

function chipOf(suggestion: Suggestion): object {
  return suggestion.kind === 'reply'
    ? { type: 'reply', text: suggestion.text, postback_data: suggestion.data }
    : { type: 'open_url', text: suggestion.text, url: suggestion.url, postback_data: 'open' };
}

function rbmSuggestionOf(suggestion: Suggestion): object {
  return suggestion.kind === 'reply'
    ? { reply: { text: suggestion.text, postbackData: suggestion.data } }
    : { action: { text: suggestion.text, postbackData: 'open', openUrlAction: { url: suggestion.url } } };
}
