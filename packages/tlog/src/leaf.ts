/**
 * What a leaf says (DESIGN.md section 8). A leaf names the kind of event, its time and a commitment; it never holds the
 * record itself. The commitment is salted with 32 fresh random bytes that are destroyed together with the record, so a
 * person can be erased while the leaf, and with it the tree, stays valid: without the salt nobody can test a guess
 * against the commitment. Both byte strings begin with their own domain line, so neither can be taken for the other.
 *
 * Leaf data, ASCII, each line ended by a newline: `sealpost/leaf/v1`, kind, time in milliseconds since the epoch,
 * commitment in hex.
 */
import { concatBytes, fromHex, fromUtf8, toHex, utf8 } from './bytes.ts';
import { requireCount, requireLength, TlogError } from './tlog-errors.ts';
import { portableSha256, type Sha256 } from './tree/hashing.ts';

export type Leaf = {
  /** Lower case letters, digits and `._:/-`, at most 64; starts with a letter: `receipt`, `device/enrolled`. */
  readonly kind: string;
  /** Milliseconds since 1970, a safe integer of at least 0. */
  readonly time: number;
  /** 32 bytes from `commitRecord`. */
  readonly commitment: Uint8Array;
};

export type ParsedLeaf =
  | { readonly kind: 'parsed'; readonly leaf: Leaf }
  | { readonly kind: 'malformed'; readonly reason: string };

export const SALT_LENGTH = 32;

const LEAF_DOMAIN = 'sealpost/leaf/v1';
const COMMITMENT_PREFIX = concatBytes(utf8('sealpost/record/v1\n'), Uint8Array.of(0, 0, 0, SALT_LENGTH));
const KIND = /^[a-z][a-z0-9._:/-]{0,63}$/;
/** Used again for every short record, since allocating took as long as hashing; wiped after each use. */
const layout = new Uint8Array(2048);
/** The whole of a leaf: domain, kind, time, commitment. `$` without the m flag is the very end. */
const LEAF = /^sealpost\/leaf\/v1\n([a-z][a-z0-9._:/-]{0,63})\n(0|[1-9][0-9]{0,15})\n([0-9a-f]{64})\n$/;

/** The leaf's bytes, ready for `leafHash`. Throws ERR_TLOG_ARGUMENT on a kind, time or commitment outside its range. */
export function leafData(leaf: Leaf): Uint8Array<ArrayBuffer> {
  if (!KIND.test(leaf.kind)) throw new TlogError('ERR_TLOG_ARGUMENT', 'kind of a leaf');
  requireCount(leaf.time, 0, 'time of a leaf');
  requireLength(leaf.commitment, 32, 'commitment of a leaf');
  return utf8(`${LEAF_DOMAIN}\n${leaf.kind}\n${leaf.time}\n${toHex(leaf.commitment)}\n`);
}

/** The leaf in these bytes. Only the exact form `leafData` gives is accepted. */
export function parseLeafData(data: Uint8Array): ParsedLeaf {
  const [, kind, time, hex] = LEAF.exec(fromUtf8(data) ?? '') ?? [];
  if (kind === undefined || hex === undefined) return { kind: 'malformed', reason: 'not a leaf of this version' };
  if (!Number.isSafeInteger(Number(time))) return { kind: 'malformed', reason: 'time is too large' };
  const commitment = fromHex(hex);
  if (commitment === undefined) return { kind: 'malformed', reason: 'commitment is not hex' };
  return { kind: 'parsed', leaf: { kind, time: Number(time), commitment } };
}

/**
 * Commitment to a record: SHA-256("sealpost/record/v1\n" || u32be(32) || salt || record). `salt` is 32 bytes from a
 * cryptographic generator, never used twice; `record` is the record's canonical JSON in UTF-8. Throws ERR_TLOG_ARGUMENT
 * on another salt length.
 */
export function commitRecord(salt: Uint8Array, record: Uint8Array, sha256: Sha256 = portableSha256): Uint8Array {
  requireLength(salt, SALT_LENGTH, 'salt of a record');
  const length = COMMITMENT_PREFIX.length + SALT_LENGTH + record.length;
  const input = length <= layout.length ? layout.subarray(0, length) : new Uint8Array(length);
  input.set(COMMITMENT_PREFIX);
  input.set(salt, COMMITMENT_PREFIX.length);
  input.set(record, COMMITMENT_PREFIX.length + SALT_LENGTH);
  const commitment = sha256(input);
  input.fill(0);
  return commitment;
}
