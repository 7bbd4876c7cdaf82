/**
 * Buttons and titles need a template of Twilio's Content API (Twilio, "twilio/card"). A template holds the shape of a
 * message alone: how many buttons of which kind, and the origins its links begin with. All that is said travels as
 * ContentVariables, so shapes repeat and no template ever holds content.
 */
import type { Suggestion } from '@sealpost/protocol/carriage';
import type { Fitted } from '../fit.ts';

export interface FilledTemplate {
  /** Value of `types`. */
  readonly types: { readonly 'twilio/card': Card };
  /** Value of `variables`: a sample for each, which says nothing. */
  readonly samples: Readonly<Record<string, string>>;
  /** Value of ContentVariables for this message. */
  readonly variables: Readonly<Record<string, string>>;
}

interface Card {
  readonly title?: string;
  readonly body: string;
  readonly media?: readonly string[];
  readonly actions?: readonly Action[];
}

type Action =
  | { readonly type: 'QUICK_REPLY'; readonly title: string; readonly id: string }
  | { readonly type: 'URL'; readonly title: string; readonly url: string };

/** A quick reply's `id` is at most 200 characters (Twilio, "Common components"). */
const MAX_REPLY_DATA = 200;

/** Whether Twilio has room for what a tap is to bring back. */
export function fitsTwilioReplies(suggestions: readonly Suggestion[]): boolean {
  return suggestions.every((suggestion) => suggestion.kind !== 'reply' || suggestion.data.length <= MAX_REPLY_DATA);
}

export function templateOf({ title, text, suggestions, file }: Fitted): FilledTemplate {
  const samples: Record<string, string> = {};
  const variables: Record<string, string> = {};
  const variable = (value: string, sample: string): string => {
    const name = String(Object.keys(variables).length + 1);
    variables[name] = value;
    samples[name] = sample;
    return `{{${name}}}`;
  };
  /** A link must begin with a literal origin; what follows may vary. */
  const link = (url: string): string => {
    const { origin } = new URL(url);
    const rest = url.slice(origin.length + 1);
    return url.startsWith(`${origin}/`) && rest !== '' ? `${origin}/${variable(rest, 'path')}` : url;
  };
  const action = (suggestion: Suggestion): Action => {
    const label = variable(suggestion.text, 'Label');
    return suggestion.kind === 'reply'
      ? { type: 'QUICK_REPLY', title: label, id: variable(suggestion.data, 'data') }
      : { type: 'URL', title: label, url: link(suggestion.url) };
  };
  const card: Card = {
    ...(title === undefined ? {} : { title: variable(title, 'Title') }),
    body: variable(text, 'Text'),
    ...(file?.source.kind === 'url' ? { media: [link(file.source.url)] } : {}),
    ...(suggestions.length === 0 ? {} : { actions: suggestions.map(action) }),
  };
  return { types: { 'twilio/card': card }, samples, variables };
}
