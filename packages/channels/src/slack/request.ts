/**
 * The body of `chat.postMessage` (Slack, "Methods", "Block Kit"): plain text, or blocks where there is a title or a button.
 * Nothing is formatted, linked or unfurled: text of ours is shown as written, and Slack does not open a link in it to show
 * a preview, which would use up a link that works once.
 */
import type { Payload, Suggestion } from '@sealpost/protocol/carriage';
import type { ContentLimits } from '../adapter.ts';
import { type Fit, type Fitted, fit } from '../fit.ts';

/** Characters of `text` above which Slack cuts; counted after escaping. */
const MAX_TEXT = 40_000;
/** All blocks together are refused above some 13 200 (slackapi/bolt-js issue 2509: `msg_blocks_too_long`). */
const BLOCKS_TEXT = 12_000;
/** Longest text object of a section block. */
const SECTION_TEXT = 3_000;

export const SLACK_LIMITS: ContentLimits = {
  text: MAX_TEXT,
  textUnit: 'characters',
  title: 150,
  suggestions: 25,
  suggestionText: 75,
  openLinks: true,
  file: 'bytes',
  fileBytes: 1024 * 1024 * 1024,
  fileTypes: ['*'],
};

/** Beside a file only its comment is shown, without buttons; a text too long for blocks stands without them too. */
export function fitSlack(payload: Payload, openLabel: string): Fit {
  const bare: ContentLimits = { ...SLACK_LIMITS, title: 0, suggestions: 0 };
  const attached = payload.kind === 'clear' && payload.file?.source.kind === 'bytes';
  const inBlocks = attached ? undefined : fit(payload, { ...SLACK_LIMITS, text: BLOCKS_TEXT }, openLabel);
  if (inBlocks?.kind === 'fits' && needsBlocks(inBlocks.message)) return inBlocks;
  const plain = fit(payload, bare, openLabel);
  if (plain.kind === 'fits' && escapeText(plain.message.text).length > MAX_TEXT)
    return { kind: 'refused', reason: 'text-too-long' };
  return plain;
}

export function messageRequest(channel: string, message: Fitted): object {
  const common = { channel, mrkdwn: false, parse: 'none', link_names: false, unfurl_links: false, unfurl_media: false };
  if (!needsBlocks(message)) return { ...common, text: escapeText(message.text) };
  return { ...common, text: escapeText(message.title ?? message.text.slice(0, 150)), blocks: blocksOf(message) };
}

/** "Escaping text": without it a text could mention a whole channel. */
export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function needsBlocks({ title, suggestions }: Fitted): boolean {
  return title !== undefined || suggestions.length > 0;
}

function blocksOf({ title, text, suggestions }: Fitted): object[] {
  const header = title === undefined ? [] : [{ type: 'header', text: plainText(title) }];
  const sections = piecesOf(text).map((piece) => ({ type: 'section', text: plainText(piece) }));
  const actions = suggestions.length === 0 ? [] : [{ type: 'actions', elements: suggestions.map(buttonOf) }];
  return [...header, ...sections, ...actions];
}

/** `plain_text` is shown as it stands: no mention, link or format is read in it. */
function plainText(text: string): object {
  return { type: 'plain_text', text, emoji: false };
}

/** In pieces of whole characters: a pair of surrogates is never parted. */
function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  for (let start = 0; start < text.length; ) {
    const end = Math.min(start + SECTION_TEXT, text.length);
    const parted = end < text.length && /[\uD800-\uDBFF]/.test(text.charAt(end - 1));
    pieces.push(text.slice(start, parted ? end - 1 : end));
    start = parted ? end - 1 : end;
  }
  return pieces;
}

function buttonOf(suggestion: Suggestion, index: number): object {
  const button = { type: 'button', action_id: `suggestion-${index}`, text: plainText(suggestion.text) };
  return suggestion.kind === 'reply' ? { ...button, value: suggestion.data } : { ...button, url: suggestion.url };
}
