/** What a Signal message can be: text of any length a route carries, and one file beside it. There are no buttons. */
import type { CarriedFile } from '@sealpost/protocol/carriage';
import type { ContentLimits } from '../adapter.ts';
import type { Fitted } from '../fit.ts';

export const SIGNAL_LIMITS: ContentLimits = {
  /** Above 2,000 bytes both servers send the text as an attachment that phones show as text; those end at 64 KiB. */
  text: 64 * 1024,
  textUnit: 'bytes',
  title: 0,
  suggestions: 0,
  suggestionText: 0,
  openLinks: false,
  file: 'bytes',
  fileBytes: 100 * 1024 * 1024,
  fileTypes: ['*'],
};

export interface SignalMessage {
  readonly text: string;
  /** `data:` URLs (RFC 2397) with a file name, the form both servers take. */
  readonly attachments: readonly string[];
}

export function messageOf({ text, file }: Fitted): SignalMessage {
  return { text, attachments: file?.source.kind === 'bytes' ? [dataUrlOf(file, file.source.data)] : [] };
}

/** Neither server undoes an escape in the name, so what would end it is replaced. */
function dataUrlOf({ name, mediaType }: CarriedFile, data: string): string {
  const plain = name.replaceAll(/[;,=/\\"'%\p{Cc}]/gu, '_');
  return `data:${mediaType};filename=${plain};base64,${Buffer.from(data, 'base64url').toString('base64')}`;
}
