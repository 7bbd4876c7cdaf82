/**
 * The body of `SendRcsMessage` (AWS End User Messaging SMS, API reference): a text with suggestions, or a card.
 * `FallbackConfiguration` has no place in it. A file is never attached: `FileUrl` names an object in the account's own S3
 * ("RcsCardMedia"), and who writes content has none there; a file with a place of its own is linked to.
 */
import type { Payload, Suggestion } from '@sealpost/protocol/carriage';
import type { Attempt, ContentLimits } from '../adapter.ts';
import type { Fitted } from '../fit.ts';
import { RCS_LIMITS } from '../rcs-content.ts';
import type { RcsAwsSettings } from './config.ts';

/** `TimeToLive` is 1 to 172800 seconds. */
export const MAX_TTL_MS = 172_800_000;

export const AWS_LIMITS: ContentLimits = { ...RCS_LIMITS, file: 'none', fileBytes: 0, fileTypes: [] };

/** `RcsOpenUrlAction.Url` must start with `https://`; with any other link in it, links are written into the text. */
export function limitsFor(payload: Payload): ContentLimits {
  const links = payload.kind === 'clear' ? payload.suggestions.flatMap(linkOf) : [payload.url];
  return links.every((link) => link.startsWith('https://')) ? AWS_LIMITS : { ...AWS_LIMITS, openLinks: false };
}

export function sendRequest(settings: RcsAwsSettings, attempt: Attempt, message: Fitted, now: number): object {
  const { agent, configuration_set } = settings;
  return {
    DestinationPhoneNumber: attempt.address,
    OriginationIdentity: agent,
    RcsMessageContent: contentOf(message),
    TimeToLive: Math.floor(Math.min(attempt.expires - now, MAX_TTL_MS) / 1000),
    ...(configuration_set === undefined ? {} : { ConfigurationSetName: configuration_set }),
  };
}

function contentOf({ title, text, suggestions }: Fitted): object {
  const buttons = suggestions.length === 0 ? {} : { Suggestions: suggestions.map(actionOf) };
  if (title === undefined) return { Content: { TextMessage: { Body: text } }, ...buttons };
  const CardContent = { Title: title, Description: text, ...buttons };
  return { Content: { RichCard: { CardOrientation: 'VERTICAL', CardContent } } };
}

function actionOf(suggestion: Suggestion): object {
  return suggestion.kind === 'reply'
    ? { Reply: { Text: suggestion.text, PostbackData: suggestion.data } }
    : { OpenUrl: { Text: suggestion.text, PostbackData: 'open', Url: suggestion.url } };
}

function linkOf(suggestion: Suggestion): string[] {
  return suggestion.kind === 'open' ? [suggestion.url] : [];
}
