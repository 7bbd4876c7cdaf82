/**
 * What a message looks like in Teams: plain text, or an Adaptive Card (schema 1.5) where there is a title or a button. Text
 * stands in text runs, which read no Markdown, so nothing in it becomes a link, a mention or a format of its own.
 */
import type { Payload, Suggestion } from '@sealpost/protocol/carriage';
import type { ContentLimits } from '../adapter.ts';
import { type Fit, type Fitted, fit } from '../fit.ts';

export const TEAMS_LIMITS: ContentLimits = {
  text: 20_000,
  textUnit: 'characters',
  title: 300,
  /** A card shows six actions at once. */
  suggestions: 6,
  suggestionText: 80,
  openLinks: true,
  file: 'none',
  fileBytes: 0,
  fileTypes: [],
};

/** `maxBytes` bounds the whole request, which text alone does not tell: it is refused, never cut. */
export function fitTeams(
  payload: Payload,
  openLabel: string,
  maxBytes: number,
  toBody: (fitted: Fitted) => object,
): Fit {
  const fitted = fit(payload, TEAMS_LIMITS, openLabel);
  if (fitted.kind === 'refused') return fitted;
  const size = new TextEncoder().encode(JSON.stringify(toBody(fitted.message))).byteLength;
  return size > maxBytes ? { kind: 'refused', reason: 'text-too-long' } : fitted;
}

/** An activity of the Bot Connector. */
export function activityOf(message: Fitted): object {
  if (!needsCard(message)) return { type: 'message', textFormat: 'plain', text: message.text };
  return {
    type: 'message',
    summary: message.title ?? message.text.slice(0, 100),
    attachments: [attachmentOf(message)],
  };
}

/** What a workflow made from "Post to a channel when a webhook request is received" takes; always a card. */
export function workflowBodyOf(message: Fitted): object {
  return { type: 'message', attachments: [{ ...attachmentOf(message), contentUrl: null }] };
}

function needsCard({ title, suggestions }: Fitted): boolean {
  return title !== undefined || suggestions.length > 0;
}

function attachmentOf({ title, text, suggestions }: Fitted): object {
  const heading = title === undefined ? [] : [runsOf(title, { size: 'medium', weight: 'bolder' })];
  const content = {
    type: 'AdaptiveCard',
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    version: '1.5',
    body: [...heading, ...text.split('\n').map((line) => runsOf(line, {}))],
    actions: suggestions.map(actionOf),
  };
  return { contentType: 'application/vnd.microsoft.card.adaptive', content };
}

function runsOf(text: string, style: object): object {
  return { type: 'RichTextBlock', inlines: [{ type: 'TextRun', text: text === '' ? ' ' : text, ...style }] };
}

/** `Action.Submit` comes back as a message; `Action.Execute` would want an answer in the same second. */
function actionOf(suggestion: Suggestion): object {
  if (suggestion.kind === 'open') return { type: 'Action.OpenUrl', title: suggestion.text, url: suggestion.url };
  const data = { sealpost: { data: suggestion.data, text: suggestion.text } };
  return { type: 'Action.Submit', title: suggestion.text, data };
}
