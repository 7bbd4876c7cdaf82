/**
 * Every way this package refuses, as one closed table. Verdicts about what others sent (a proof, a note, an export) are
 * values that carry a code from here; `TlogError` is thrown only when the caller or its storage breaks a contract.
 * Codes are public: never reused, never given another meaning.
 */
export const TLOG_ERRORS = {
  /** A caller's argument is outside its documented range. Fix the call. */
  ERR_TLOG_ARGUMENT: { kind: 'invalid', sentence: 'An argument is outside its range.' },
  /** A stored frontier does not decode. Rebuild it from the leaf hashes. */
  ERR_TLOG_FRONTIER: { kind: 'integrity', sentence: 'The stored frontier is damaged.' },
  /** A hash needed for a proof could not be read. Fetch the missing tile, then try again. */
  ERR_TLOG_HASH_MISSING: { kind: 'missing', sentence: 'A tree hash needed for the proof is not there.' },
  /** A tile has the wrong length. Treat its source as damaged. */
  ERR_TLOG_TILE: { kind: 'integrity', sentence: 'A tile does not have the length its path states.' },
  /** A verifier key string does not parse. Ask its owner for it again. */
  ERR_TLOG_VERIFIER_KEY: { kind: 'invalid', sentence: 'The verifier key is malformed.' },
  /** A signed note does not follow the C2SP grammar. Do not trust its text. */
  ERR_TLOG_NOTE: { kind: 'invalid', sentence: 'The signed note is malformed.' },
  /** No trusted key signed, or a trusted key's signature is wrong. Do not retry; raise an alarm. */
  ERR_TLOG_SIGNATURE: { kind: 'integrity', sentence: 'The note is not signed by the keys that were asked for.' },
  /** The note is signed but is no checkpoint of the expected log. */
  ERR_TLOG_CHECKPOINT: { kind: 'integrity', sentence: 'The signed text is not a checkpoint of this log.' },
  /** A line differs from its canonical form, or is not readable text. */
  ERR_TLOG_LINE: { kind: 'integrity', sentence: 'A line of the export is not in canonical form.' },
  /** The header is wrong, or belongs to another log or format. */
  ERR_TLOG_HEADER: { kind: 'integrity', sentence: 'The header of the export is wrong.' },
  /** An entry is missing, repeated or out of order. */
  ERR_TLOG_POSITION: { kind: 'integrity', sentence: 'An entry is not at its position.' },
  /** Lane or sequence of an entry was changed. */
  ERR_TLOG_PLACE: { kind: 'integrity', sentence: 'The lane or sequence of an entry was changed.' },
  /** Leaf bytes are not a leaf, or do not hash to the leaf hash. */
  ERR_TLOG_LEAF: { kind: 'integrity', sentence: 'The leaf of an entry was changed.' },
  /** Salt and record do not open the commitment in the leaf. */
  ERR_TLOG_RECORD: { kind: 'integrity', sentence: 'The record of an entry is not the one the log committed to.' },
  /** The leaf hashes of a block of 256 entries do not give the block's hash. */
  ERR_TLOG_BLOCK: { kind: 'integrity', sentence: 'A block of entries was changed.' },
  /** The file ends before its checkpoint, or goes on after it. */
  ERR_TLOG_END: { kind: 'integrity', sentence: 'The export is cut short or has something after its end.' },
  /** All entries together do not give the signed root. */
  ERR_TLOG_ROOT: { kind: 'integrity', sentence: 'The entries do not give the signed root.' },
} as const satisfies Record<string, { kind: 'invalid' | 'missing' | 'integrity'; sentence: string }>;

export type TlogErrorCode = keyof typeof TLOG_ERRORS;

/** A broken contract of this package. `message` is the public sentence and a phrase naming the operation; no user data. */
export class TlogError extends Error {
  readonly code: TlogErrorCode;

  constructor(code: TlogErrorCode, operation: string, options?: ErrorOptions) {
    super(`${TLOG_ERRORS[code].sentence} (${operation})`, options);
    this.name = 'TlogError';
    this.code = code;
  }

  get kind(): (typeof TLOG_ERRORS)[TlogErrorCode]['kind'] {
    return TLOG_ERRORS[this.code].kind;
  }
}

/** Throws ERR_TLOG_ARGUMENT unless `value` is a safe integer of at least `least`. */
export function requireCount(value: number, least: number, what: string): void {
  if (!Number.isSafeInteger(value) || value < least) throw new TlogError('ERR_TLOG_ARGUMENT', what);
}

/** Throws ERR_TLOG_ARGUMENT unless `bytes` has exactly `length` bytes. */
export function requireLength(bytes: Uint8Array, length: number, what: string): void {
  if (bytes.length !== length) throw new TlogError('ERR_TLOG_ARGUMENT', `${what} must have ${length} bytes`);
}
