/**
 * What RCS shows (GSMA RCC.07 and Google's agentMessages reference, the same through every vendor): a text with up to
 * eleven suggestions, or a card with a title, a file, a shorter text and four. A payload becomes a card only where it has
 * a title or a file; a title on a text too long for a card becomes the first line instead.
 */
import type { Payload } from '@sealpost/protocol/carriage';
import type { ContentLimits } from './adapter.ts';
import { type Fit, fit } from './fit.ts';

/** The media types of RCS for Business; nothing else is shown, an arbitrary attachment least of all. */
export const RCS_FILE_TYPES = [
  'image/jpeg',
  'image/png',
  'image/gif',
  'video/h263',
  'video/m4v',
  'video/mp4',
  'video/mpeg',
  'video/webm',
  'application/pdf',
] as const;

export const RCS_LIMITS: ContentLimits = {
  text: 3072,
  textUnit: 'characters',
  title: 200,
  suggestions: 11,
  suggestionText: 25,
  openLinks: true,
  file: 'url',
  fileBytes: 100 * 1024 * 1024,
  fileTypes: RCS_FILE_TYPES,
};

/** What a card holds instead. */
export const RCS_CARD = { text: 2000, suggestions: 4 } as const;

/** `limits` are a vendor's own for a text, within those of RCS. */
export function fitRcs(payload: Payload, limits: ContentLimits, openLabel: string): Fit {
  const asText = fit(payload, limits, openLabel);
  if (asText.kind === 'refused' || (asText.message.title === undefined && asText.message.file === undefined))
    return asText;
  const asCard = fit(payload, { ...limits, ...RCS_CARD }, openLabel);
  if (asCard.kind === 'fits' || asText.message.file !== undefined) return asCard;
  return fit(payload, { ...limits, title: 0 }, openLabel);
}
