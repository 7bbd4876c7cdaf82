/**
 * Base64url of long values by Node's own decoder, thirty times as fast as the portable one of protocol. It is lenient, so the
 * text must come out of the bytes again to the letter: two spellings of one value stay two values.
 */
export function bytesOfBase64url(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
