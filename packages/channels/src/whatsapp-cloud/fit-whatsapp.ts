/**
 * What WhatsApp shows (Meta, "Interactive messages", "Text messages", "Media messages"): up to three reply buttons, or one
 * button that opens a link, under a short text; a file with a caption as short; or a long text with nothing. Buttons of
 * both kinds cannot stand together, so links beside replies are written out.
 */
import type { Payload } from '@sealpost/protocol/carriage';
import type { ContentLimits } from '../adapter.ts';
import { type Fit, fit } from '../fit.ts';

/** Interactive body and caption; a plain text may be four times as long. */
const SHORT_TEXT = 1024;

export const WHATSAPP_LIMITS: ContentLimits = {
  text: 4096,
  textUnit: 'characters',
  title: 60,
  suggestions: 3,
  suggestionText: 20,
  openLinks: true,
  file: 'both',
  fileBytes: 100 * 1024 * 1024,
  fileTypes: [
    'image/jpeg',
    'image/png',
    'video/mp4',
    'video/3gpp',
    'application/pdf',
    'text/plain',
    'application/msword',
    'application/vnd.ms-excel',
    'application/vnd.ms-powerpoint',
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  ],
};

export function fitWhatsapp(payload: Payload, openLabel: string): Fit {
  const suggestions = payload.kind === 'clear' ? payload.suggestions : [];
  const file = payload.kind === 'clear' ? payload.file : undefined;
  const replies = suggestions.some(({ kind }) => kind === 'reply');
  const short: ContentLimits = {
    ...WHATSAPP_LIMITS,
    text: SHORT_TEXT,
    // The header is the file or the title, never both.
    title: file === undefined ? WHATSAPP_LIMITS.title : 0,
    suggestions: replies ? 3 : 1,
    openLinks: !replies,
  };
  const buttoned = fit(payload, short, openLabel);
  if (buttoned.kind === 'fits' && buttoned.message.suggestions.length > 0) return buttoned;
  const bare: ContentLimits = { ...WHATSAPP_LIMITS, title: 0, suggestions: 0 };
  const plain = fit(payload, bare, openLabel);
  // A file that was attached has a caption; one that was linked to has left only text.
  return plain.kind === 'fits' && plain.message.file !== undefined
    ? fit(payload, { ...bare, text: SHORT_TEXT }, openLabel)
    : plain;
}
