/**
 * The body of `POST {botId}/messages` (GSMA FNW.11, "Send a message"): a text with a list of chips, or a rich card. The
 * profile has no time to live, so a message that must not come late is only ever taken back.
 */
import type { Payload, Suggestion } from '@sealpost/protocol/carriage';
import type { Attempt, ContentLimits } from '../adapter.ts';
import type { Fitted } from '../fit.ts';
import { RCS_LIMITS } from '../rcs-content.ts';

/** `mediaFileSize` is mandatory: a file of unknown size is linked to instead. */
export function limitsFor(payload: Payload): ContentLimits {
  const source = payload.kind === 'clear' ? payload.file?.source : undefined;
  return source?.kind === 'url' && source.size === undefined ? { ...RCS_LIMITS, file: 'none' } : RCS_LIMITS;
}

export function messageRequest({ address }: Attempt, message: Fitted): object {
  return { RCSMessage: contentOf(message), messageContact: { userContact: address } };
}

function contentOf({ title, text, suggestions, file }: Fitted): object {
  const chips = suggestions.map(suggestionOf);
  if (title === undefined && file === undefined)
    return { textMessage: text, ...(chips.length === 0 ? {} : { suggestedChipList: { suggestions: chips } }) };
  const content = {
    ...(file === undefined ? {} : { media: mediaOf(file) }),
    ...(title === undefined ? {} : { title }),
    description: text,
    ...(chips.length === 0 ? {} : { suggestions: chips }),
  };
  const generalPurposeCard = { layout: { cardOrientation: 'VERTICAL' }, content };
  return { richcardMessage: { message: { generalPurposeCard } } };
}

function mediaOf({ source, mediaType }: NonNullable<Fitted['file']>): object {
  const place = source.kind === 'url' ? { mediaUrl: source.url, mediaFileSize: source.size } : {};
  return { ...place, mediaContentType: mediaType, height: 'MEDIUM_HEIGHT' };
}

function suggestionOf(suggestion: Suggestion): object {
  return suggestion.kind === 'reply'
    ? { reply: { displayText: suggestion.text, postback: { data: suggestion.data } } }
    : {
        action: {
          urlAction: { openUrl: { url: suggestion.url } },
          displayText: suggestion.text,
          postback: { data: 'open' },
        },
      };
}
