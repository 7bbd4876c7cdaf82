/**
 * The little DER (X.690 section 10) the engine needs: reading one value after another with definite, minimal lengths,
 * the P-256 signature form of MLS (RFC 9420 section 5.1.2 with RFC 8446 section 4.2.3: ECDSA-Sig-Value) and the public
 * key inside a certificate (RFC 5280 section 4.1). It judges form only; who to trust is VerifyCredential's business.
 */
import { concatBytes, equalBytes } from '@sealpost/protocol';

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const SEQUENCE = 0x30;
const VERSION_TAG = 0xa0;
const HALF = 32;

/** id-ecPublicKey with prime256v1 (RFC 5480 section 2.1.1) and id-Ed25519 (RFC 8410 section 3), as DER contents. */
const P256_ALGORITHM = Uint8Array.of(
  ...[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01],
  ...[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
);
const ED25519_ALGORITHM = Uint8Array.of(0x06, 0x03, 0x2b, 0x65, 0x70);

interface Value {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Where the next value starts. */
  readonly end: number;
}

/** The value at `at`, or `undefined` when it is cut off, of indefinite length or not minimally encoded. */
function readValue(bytes: Uint8Array, at: number): Value | undefined {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) return undefined;
  let length = first;
  let start = at + 2;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 3 || start + count > bytes.length || bytes[start] === 0) return undefined;
    length = bytes.subarray(start, start + count).reduce((sum, byte) => sum * 256 + byte, 0);
    if (length < 0x80) return undefined;
    start += count;
  }
  const end = start + length;
  return end > bytes.length ? undefined : { tag, content: bytes.subarray(start, end), end };
}

function readOnly(bytes: Uint8Array, tag: number): Uint8Array | undefined {
  const value = readValue(bytes, 0);
  return value?.tag === tag && value.end === bytes.length ? value.content : undefined;
}

/** r||s (IEEE P1363) as ECDSA-Sig-Value. */
export function signatureToDer(rs: Uint8Array): Uint8Array {
  if (rs.length !== 2 * HALF) throw new TypeError('a P-256 signature has 64 bytes');
  const body = concatBytes(integerToDer(rs.subarray(0, HALF)), integerToDer(rs.subarray(HALF)));
  return concatBytes(Uint8Array.of(SEQUENCE, body.length), body);
}

function integerToDer(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const digits = bytes.subarray(start);
  const sign = (digits[0] ?? 0) >= 0x80 ? [0] : [];
  return concatBytes(Uint8Array.of(INTEGER, digits.length + sign.length, ...sign), digits);
}

/** r||s of an ECDSA-Sig-Value, or `undefined` for anything but its one DER form with 0 < r, s < 2^256. */
export function signatureFromDer(der: Uint8Array): Uint8Array | undefined {
  const body = readOnly(der, SEQUENCE);
  if (body === undefined) return undefined;
  const r = readValue(body, 0);
  const s = r === undefined ? undefined : readValue(body, r.end);
  if (r?.tag !== INTEGER || s?.tag !== INTEGER || s.end !== body.length) return undefined;
  const rs = new Uint8Array(2 * HALF);
  return placeInteger(r.content, rs.subarray(0, HALF)) && placeInteger(s.content, rs.subarray(HALF)) ? rs : undefined;
}

function placeInteger(content: Uint8Array, into: Uint8Array): boolean {
  const first = content[0];
  const second = content[1];
  if (first === undefined || first >= 0x80) return false;
  if (first === 0 && (second === undefined || second < 0x80)) return false;
  const digits = first === 0 ? content.subarray(1) : content;
  if (digits.length > into.length) return false;
  into.set(digits, into.length - digits.length);
  return true;
}

/**
 * The subject's public key of a certificate in MLS form (RFC 9420 section 5.1.1): the uncompressed point of P-256 or
 * the 32 bytes of Ed25519. `undefined` when it is another kind of key or no certificate.
 */
export function certificateKey(certificate: Uint8Array): Uint8Array | undefined {
  const outer = readOnly(certificate, SEQUENCE);
  const tbs = outer === undefined ? undefined : readValue(outer, 0);
  if (tbs?.tag !== SEQUENCE) return undefined;
  let field = readValue(tbs.content, 0);
  if (field?.tag === VERSION_TAG) field = readValue(tbs.content, field.end);
  // serialNumber, signature, issuer, validity and subject come before subjectPublicKeyInfo (RFC 5280 section 4.1).
  for (let skipped = 0; skipped < 5 && field !== undefined; skipped++) field = readValue(tbs.content, field.end);
  return field?.tag === SEQUENCE ? spkiKey(field.content) : undefined;
}

function spkiKey(spki: Uint8Array): Uint8Array | undefined {
  const algorithm = readValue(spki, 0);
  const bits = algorithm === undefined ? undefined : readValue(spki, algorithm.end);
  if (algorithm?.tag !== SEQUENCE || bits?.tag !== BIT_STRING || bits.end !== spki.length) return undefined;
  if (bits.content[0] !== 0) return undefined;
  const key = bits.content.subarray(1);
  if (equalBytes(algorithm.content, P256_ALGORITHM)) return key.length === 65 && key[0] === 4 ? key : undefined;
  if (equalBytes(algorithm.content, ED25519_ALGORITHM)) return key.length === 32 ? key : undefined;
  return undefined;
}
