/**
 * Padding of a carriage to one of a few sizes before it is sealed, so that the ciphertext's length says little of the
 * address or the text: ISO/IEC 7816-4 (a 0x80 octet, then zeros). Every notice of ordinary length falls in the first;
 * the two largest are for content in clear with a file, and tell that there is one.
 */
const MARK = 0x80;
/** The last is what a carrier part's limit of 350,000 base64url letters leaves beside the 16-byte tag, rounded down. */
const BUCKETS = [1024, 4096, 12_272, 65_536, 262_144];

/** Throws RangeError on a carriage no carrier part could hold. */
export function padCarriage(plaintext: Uint8Array): Uint8Array {
  const bucket = BUCKETS.find((size) => plaintext.length < size);
  if (bucket === undefined) throw new RangeError('the carriage is too long for a carrier part');
  const padded = new Uint8Array(bucket);
  padded.set(plaintext);
  padded[plaintext.length] = MARK;
  return padded;
}
