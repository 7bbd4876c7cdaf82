/** What a file is, by its first bytes: PNG (ISO/IEC 15948 section 5.2), JPEG (ISO/IEC 10918-1 B.1.1.3), PDF (ISO 32000-1 section 7.5.2). */
import { equalBytes, type LinkPolicy, utf8 } from '@sealpost/protocol';

export type MediaType = LinkPolicy['types'][number];

const MAGIC: readonly { readonly type: MediaType; readonly bytes: Uint8Array; readonly extension: string }[] = [
  { type: 'image/png', bytes: Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), extension: 'png' },
  { type: 'image/jpeg', bytes: Uint8Array.of(0xff, 0xd8, 0xff), extension: 'jpg' },
  { type: 'application/pdf', bytes: utf8('%PDF-'), extension: 'pdf' },
];

/** `undefined` for anything else. */
export function mediaTypeOf(bytes: Uint8Array): { type: MediaType; extension: string } | undefined {
  const found = MAGIC.find(({ bytes: magic }) => equalBytes(bytes.subarray(0, magic.length), magic));
  return found === undefined ? undefined : { type: found.type, extension: found.extension };
}
