/**
 * What a person wrote back, without what their program quoted: STOP above a quoted mail is still STOP. Only the wish is read
 * from the words above the quote; as an answer the whole text is passed on, since people also write between quoted lines.
 */
import type { InboundContent } from '@sealpost/protocol/carriage';
import { contentOfText } from '../consent.ts';
import { leavesOf, type MimePart, textOfPart, wordsOfField } from './mime.ts';

/** A quoted line, Outlook's bar and header block, a divider, and the mark before a signature (RFC 3676 section 4.3). */
const QUOTE_BEGINS = /^(?:>|_{8,}\s*$|-{2,} ?[^\n]{1,40}-{2,}\s*$|-- $|From: |Von: )/;
/** A mark is short; the rest of a line is not looked into. */
const LONGEST_MARK = 120;
/** "On Tuesday Ops wrote:", which programs put above what they quote. */
const ATTRIBUTION_ENDS = ':';

export function contentsOfReply(mail: MimePart): InboundContent[] {
  const leaves = leavesOf(mail);
  const shown = leaves.filter((part) => !isAttachment(part));
  const text = textOf(shown);
  const said = wishIn(wordsAboveQuote(text)) ?? contentOfText(text);
  // The mail a List-Unsubscribe button writes says it in the subject, over a sentence of the program's own.
  const asked = wishIn(wordsOfField(mail.fields.get('subject')?.[0] ?? ''));
  const words = said?.kind === asked?.kind ? [said] : [asked, said];
  return [...words.filter((content) => content !== undefined), ...leaves.filter(isAttachment).map(fileOf)];
}

function wishIn(text: string): InboundContent | undefined {
  const content = contentOfText(text);
  return content?.kind === 'opt-out' || content?.kind === 'opt-in' ? content : undefined;
}

/** As far as the first quote, with the line that announces it. */
export function wordsAboveQuote(text: string): string {
  const lines = text.split('\n');
  const quote = lines.findIndex((line) => QUOTE_BEGINS.test(line.slice(0, LONGEST_MARK)));
  if (quote < 0) return text;
  const above = lines.slice(0, quote);
  while (above.at(-1)?.trim() === '') above.pop();
  if (lines[quote]?.startsWith('>') && above.at(-1)?.trimEnd().endsWith(ATTRIBUTION_ENDS)) {
    // An attribution may be folded over lines; it ends where an empty line or the text above it does.
    while (above.length > 0 && above.at(-1)?.trim() !== '') above.pop();
  }
  return above.join('\n');
}

function textOf(parts: readonly MimePart[]): string {
  const plain = parts.find(({ type }) => type === 'text/plain');
  if (plain !== undefined) return textOfPart(plain);
  const html = parts.find(({ type }) => type === 'text/html');
  return html === undefined ? '' : textOfHtml(textOfPart(html));
}

/** Words alone; what is quoted stands as a quote. */
function textOfHtml(html: string): string {
  const [before, ...hidden] = html.split(/<(?:style|script|title)\b/i);
  const shown = hidden.map((section) => /<\/(?:style|script|title)>([\s\S]*)$/i.exec(section)?.[1] ?? '');
  return [before, ...shown]
    .join('')
    .replace(/<blockquote\b[^<>]*>/gi, '\n> ')
    .replace(/<br\b[^<>]*>|<\/(?:p|div|li|tr|h\d)>/gi, '\n')
    .replace(/<[^<>]*>/g, '')
    .replaceAll('&nbsp;', ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .trim();
}

function isAttachment({ type, fields }: MimePart): boolean {
  return !type.startsWith('text/') || /^attachment\b/i.test(fields.get('content-disposition')?.[0] ?? '');
}

function fileOf({ type, parameters, fields }: MimePart): InboundContent {
  const disposition = fields.get('content-disposition')?.[0] ?? '';
  const [, quoted, bare] = /;\s*filename\s*=\s*(?:"([^"]*)"|([^\s;]+))/i.exec(disposition) ?? [];
  const name = wordsOfField(quoted ?? bare ?? parameters.get('name') ?? '').slice(0, 300);
  return { kind: 'file', mediaType: type.slice(0, 120), ...(name === '' ? {} : { name }) };
}
