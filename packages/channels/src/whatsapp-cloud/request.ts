/**
 * The body of `POST /{phone-number-id}/messages` (Meta, Cloud API reference, "Messages"): a template for notices and links
 * where one is set, otherwise text, buttons, or a file with a caption.
 */
import type { CarriedFile, Payload, Suggestion } from '@sealpost/protocol/carriage';
import type { Fitted } from '../fit.ts';
import type { WhatsappCloudSettings } from './config.ts';

/** Where Meta finds a file: at a link it fetches, or under the id of an upload. */
export type Media = { readonly link: string } | { readonly id: string };

const MEBIBYTE = 1024 * 1024;
type MediaKind = 'image' | 'video' | 'document';

export function envelopeTo(address: string): object {
  return { messaging_product: 'whatsapp', recipient_type: 'individual', to: address.replace(/^\+/, '') };
}

/** `undefined` where there is no template, or content that is no notice and no link. */
export function templateOf({ notice_template }: WhatsappCloudSettings, payload: Payload): object | undefined {
  if (notice_template === undefined || payload.kind === 'clear') return undefined;
  const { name, language } = notice_template;
  // A parameter may hold no line breaks, tabs, or runs of blanks (error 132018).
  const parameters = [payload.text.replaceAll(/\s+/g, ' '), payload.url].map((text) => ({ type: 'text', text }));
  const template = { name, language: { code: language }, components: [{ type: 'body', parameters }] };
  return { type: 'template', template };
}

export function contentOf(message: Fitted, media: Media | undefined): object {
  const { title, text, suggestions, file } = message;
  const attached = file === undefined || media === undefined ? undefined : mediaOf(file, media);
  const [first] = suggestions;
  if (first !== undefined) {
    const header = attached ?? (title === undefined ? undefined : { type: 'text', text: title });
    const body = { ...(header === undefined ? {} : { header }), body: { text } };
    return { type: 'interactive', interactive: { ...buttonsOf(first, suggestions), ...body } };
  }
  if (attached === undefined) return { type: 'text', text: { preview_url: false, body: text } };
  return { ...attached, [attached.type]: { ...attached[attached.type], caption: text } };
}

function buttonsOf(first: Suggestion, suggestions: readonly Suggestion[]): object {
  if (first.kind === 'open') {
    const parameters = { display_text: first.text, url: first.url };
    return { type: 'cta_url', action: { name: 'cta_url', parameters } };
  }
  const buttons = suggestions.flatMap((suggestion) =>
    suggestion.kind === 'reply' ? [{ type: 'reply', reply: { id: suggestion.data, title: suggestion.text } }] : [],
  );
  return { type: 'button', action: { buttons } };
}

type Attached = { readonly type: MediaKind } & { readonly [K in MediaKind]?: object };

function mediaOf(file: CarriedFile, media: Media): Attached {
  const kind = mediaKindOf(file);
  return { type: kind, [kind]: kind === 'document' ? { ...media, filename: file.name } : media };
}

/** Images are taken up to 5 MB and videos up to 16 MB; as documents both may be larger ("Supported media types"). */
function mediaKindOf({ mediaType, source }: CarriedFile): MediaKind {
  const size = source.kind === 'url' ? (source.size ?? 0) : 0;
  if (mediaType.startsWith('image/') && size <= 5 * MEBIBYTE) return 'image';
  return mediaType.startsWith('video/') && size <= 16 * MEBIBYTE ? 'video' : 'document';
}
