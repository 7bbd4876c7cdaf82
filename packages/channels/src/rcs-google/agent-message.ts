/**
 * An AgentMessage as it is asked for (API reference, AgentMessage): a text with suggestions, or a standalone card where
 * there is a title or a file. `expireTime` rather than `ttl`: a repeat of the attempt then says the same thing.
 */
import type { Payload, Suggestion } from '@sealpost/protocol/carriage';
import type { ContentLimits } from '../adapter.ts';
import type { Fit, Fitted } from '../fit.ts';
import { fitRcs, RCS_FILE_TYPES, RCS_LIMITS } from '../rcs-content.ts';
import type { RcsGoogleSettings } from './config.ts';

const DAY_MS = 86_400_000;
export const MAX_TTL_MS = 15 * DAY_MS;
/** A minute below the limit, for clocks that differ. */
const LONGEST_MS = MAX_TTL_MS - 60_000;

/** Cards show images and videos only ("Rich cards", "Supported media types"); another file is linked to in the text. */
export const LIMITS: ContentLimits = {
  ...RCS_LIMITS,
  fileTypes: RCS_FILE_TYPES.filter((type) => !type.startsWith('application/')),
};

export function fitForGoogle(payload: Payload, settings: RcsGoogleSettings): Fit {
  return fitRcs(payload, LIMITS, settings.button_text);
}

export function agentMessage(settings: RcsGoogleSettings, message: Fitted, expires: number, now: number): object {
  return {
    contentMessage: contentOf(message),
    messageTrafficType: settings.traffic_type,
    expireTime: new Date(Math.min(expires, now + LONGEST_MS)).toISOString(),
  };
}

function contentOf({ title, text, suggestions, file }: Fitted): object {
  const shown = suggestions.length === 0 ? {} : { suggestions: suggestions.map(suggestionOf) };
  if (title === undefined && file === undefined) return { text, ...shown };
  const media =
    file?.source.kind === 'url'
      ? { media: { height: 'MEDIUM', contentInfo: { fileUrl: file.source.url, forceRefresh: false } } }
      : {};
  const cardContent = { ...(title === undefined ? {} : { title }), description: text, ...media, ...shown };
  return { richCard: { standaloneCard: { cardOrientation: 'VERTICAL', cardContent } } };
}

/** `postbackData` of a link comes back with the tap and says nothing; Google asks for some. */
function suggestionOf(suggestion: Suggestion): object {
  if (suggestion.kind === 'reply') return { reply: { text: suggestion.text, postbackData: suggestion.data } };
  const { text, url } = suggestion;
  return { action: { text, postbackData: 'b3Blbg==', openUrlAction: { url }, fallbackUrl: url } };
}
