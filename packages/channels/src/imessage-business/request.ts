/**
 * The body of `POST /message` (Apple, "Messages Sent", "Interactive Message Types"): plain text, or the text with two to five
 * replies as a quick reply and any other number of them as a list to pick from. What a person picked comes back with the
 * identifiers we gave, so these are the suggestions' own data, and with the attempt's id.
 */
import type { Payload, Suggestion } from '@sealpost/protocol/carriage';
import type { ContentLimits } from '../adapter.ts';
import { type Fit, type Fitted, fit } from '../fit.ts';
import type { ImessageBusinessSettings } from './config.ts';

/** Messages' own extension, which every business may use. */
const EXTENSION =
  'com.apple.messages.MSMessageExtensionBalloonPlugin:0000000000:com.apple.icloud.apps.messages.business.extension';
/** How much of a text is put into a balloon; Apple names no bound for all of them, and more reads badly in one. */
const BALLOON_TEXT = 400;

/** A file would be two requests more, encrypted for Apple's store: it is named by link only. */
const PLAIN: ContentLimits = {
  text: 20_000,
  textUnit: 'characters',
  title: 0,
  suggestions: 0,
  suggestionText: 0,
  openLinks: false,
  file: 'none',
  fileBytes: 0,
  fileTypes: [],
};

export function limitsOf({ suggestions }: ImessageBusinessSettings): ContentLimits {
  return suggestions === 'written' ? PLAIN : { ...PLAIN, suggestions: 11, suggestionText: 80 };
}

/** A text too long for a balloon stands alone, with its suggestions written out. */
export function fitBusiness(payload: Payload, settings: ImessageBusinessSettings): Fit {
  const balloon = fit(payload, { ...limitsOf(settings), text: BALLOON_TEXT }, '');
  return balloon.kind === 'fits' && balloon.message.suggestions.length > 0 ? balloon : fit(payload, PLAIN, '');
}

export interface Addressed {
  readonly id: string;
  readonly sourceId: string;
  readonly destinationId: string;
}

export function messageRequest(addressed: Addressed, { text, suggestions }: Fitted): object {
  const common = { v: 1, ...addressed };
  const replies = suggestions.flatMap((each) => (each.kind === 'reply' ? [each] : []));
  if (replies.length === 0) return { ...common, type: 'text', body: text };
  const data = { version: '1.0', requestIdentifier: addressed.id };
  return {
    ...common,
    type: 'interactive',
    interactiveData: {
      bid: EXTENSION,
      ...(replies.length >= 2 && replies.length <= 5
        ? quickReply(data, text, replies)
        : listPicker(data, text, replies)),
    },
  };
}

type Reply = Extract<Suggestion, { kind: 'reply' }>;

function quickReply(data: object, summaryText: string, replies: readonly Reply[]): object {
  return { data: { ...data, 'quick-reply': { summaryText, items: replies.map(itemOf) } } };
}

function listPicker(data: object, text: string, replies: readonly Reply[]): object {
  const items = replies.map((reply, order) => ({ ...itemOf(reply), order, style: 'default' }));
  const section = { order: 0, multipleSelection: false, items };
  return {
    data: { ...data, listPicker: { sections: [section] } },
    receivedMessage: { style: 'small', title: text },
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Messages puts the title of what was picked here.
    replyMessage: { style: 'small', title: '${item.title}' },
  };
}

function itemOf({ text, data }: Reply): { readonly identifier: string; readonly title: string } {
  return { identifier: data, title: text };
}
