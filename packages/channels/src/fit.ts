/**
 * Making a payload fit a channel, by declared rules, or refusing it: a title the channel cannot show becomes the first
 * line, suggestions it cannot show are written out, a link it cannot attach stands in the text. Nothing is ever cut.
 */
import type { CarriedFile, Payload, Suggestion } from '@sealpost/protocol/carriage';
import type { ContentLimits } from './adapter.ts';

/** What an adapter sends: every member is within the channel's limits. */
export interface Fitted {
  readonly title: string | undefined;
  readonly text: string;
  readonly suggestions: readonly Suggestion[];
  readonly file: CarriedFile | undefined;
}

export type Fit =
  | { readonly kind: 'fits'; readonly message: Fitted }
  | {
      readonly kind: 'refused';
      readonly reason: 'text-too-long' | 'file-unsupported' | 'file-type' | 'file-too-large';
    };

/** `openLabel` names the button of a notice or a split link, where the channel has buttons. */
export function fit(payload: Payload, limits: ContentLimits, openLabel: string): Fit {
  const wished = wishedOf(payload, openLabel);
  const file = fileFor(wished.file, limits);
  if (file.kind === 'refused') return file;
  const shown: Suggestion[] = [];
  const written: string[] = [];
  for (const suggestion of wished.suggestions) {
    if (shown.length < limits.suggestions && canShow(suggestion, limits)) shown.push(suggestion);
    else written.push(suggestion.kind === 'open' ? lineOf(suggestion, payload) : `→ ${suggestion.text}`);
  }
  const titled = wished.title !== undefined && lengthOf(wished.title, limits) <= limits.title;
  const head = titled || wished.title === undefined ? [] : [wished.title, ''];
  const text = [...head, wished.text, ...written, ...file.lines].join('\n');
  if (lengthOf(text, limits) > limits.text) return { kind: 'refused', reason: 'text-too-long' };
  const title = titled ? wished.title : undefined;
  return { kind: 'fits', message: { title, text, suggestions: shown, file: file.file } };
}

interface Wished {
  readonly title: string | undefined;
  readonly text: string;
  readonly suggestions: readonly Suggestion[];
  readonly file: CarriedFile | undefined;
}

function wishedOf(payload: Payload, openLabel: string): Wished {
  if (payload.kind === 'clear')
    return { title: payload.title, text: payload.text, suggestions: payload.suggestions, file: payload.file };
  const open: Suggestion = { kind: 'open', text: openLabel, url: payload.url };
  return { title: undefined, text: payload.text, suggestions: [open], file: undefined };
}

/** Beside the one link of a notice there is nothing to tell apart, so it stands alone. */
function lineOf(suggestion: Extract<Suggestion, { kind: 'open' }>, payload: Payload): string {
  return payload.kind === 'clear' ? `${suggestion.text}: ${suggestion.url}` : suggestion.url;
}

function canShow(suggestion: Suggestion, limits: ContentLimits): boolean {
  return (
    (suggestion.kind === 'reply' || limits.openLinks) && lengthOf(suggestion.text, limits) <= limits.suggestionText
  );
}

type FileFit =
  | { readonly kind: 'fits'; readonly file: CarriedFile | undefined; readonly lines: readonly string[] }
  | Extract<Fit, { kind: 'refused' }>;

function fileFor(file: CarriedFile | undefined, limits: ContentLimits): FileFit {
  if (file === undefined) return { kind: 'fits', file, lines: [] };
  const { source } = file;
  const taken = limits.file === 'both' || limits.file === source.kind;
  if (!taken || !takesType(file.mediaType, limits.fileTypes)) {
    // A file that has a place of its own can be linked to; one that has none cannot be left out in silence.
    if (source.kind === 'url') return { kind: 'fits', file: undefined, lines: [`${file.name}: ${source.url}`] };
    return { kind: 'refused', reason: taken ? 'file-type' : 'file-unsupported' };
  }
  const size = source.kind === 'url' ? (source.size ?? 0) : Math.floor((source.data.length * 3) / 4);
  if (size > limits.fileBytes) return { kind: 'refused', reason: 'file-too-large' };
  return { kind: 'fits', file, lines: [] };
}

function takesType(type: string, types: readonly string[]): boolean {
  return types.some(
    (taken) => taken === '*' || taken === type || (taken.endsWith('/*') && type.startsWith(taken.slice(0, -1))),
  );
}

function lengthOf(text: string, { textUnit }: ContentLimits): number {
  return textUnit === 'bytes' ? new TextEncoder().encode(text).length : text.length;
}
