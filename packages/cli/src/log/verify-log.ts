/** Verifying an exported log offline: the file and a public key are enough; no server is asked. */
import { createReadStream } from 'node:fs';
import { sha256 } from '@sealpost/crypto/verify';
import {
  type ExportVerdict,
  type FindVerdict,
  findEntry,
  pagesOf,
  verifyExport,
  verifyReceiptInclusion,
} from '@sealpost/tlog';
import { decodeReceiptClaim } from './receipt-claim.ts';

export interface LogKeys {
  /** C2SP verifier key of the log. */
  readonly logKey: string;
  /** C2SP verifier keys of witnesses whose signatures must be right where present. */
  readonly witnessKeys: readonly string[];
}

export function verifyLogFile(path: string, keys: LogKeys): Promise<ExportVerdict> {
  return verifyExport(pagesOf(createReadStream(path)), { ...keys, sha256 });
}

/**
 * Whether the log holds what a receipt says. A gateway's promise (`accepted`) names its leaf; a device's receipt is found
 * by its own bytes in the record of its event.
 */
export function findReceipt(path: string, receipt: string, keys: LogKeys): Promise<FindVerdict> {
  const lines = pagesOf(createReadStream(path));
  const claim = decodeReceiptClaim(receipt);
  if (claim.kind === 'accepted') return verifyReceiptInclusion(lines, claim.leafHash, { ...keys, sha256 });
  return findEntry(lines, (entry) => holdsReceipt(entry.record, receipt), { ...keys, sha256 });
}

function holdsReceipt(record: string | undefined, receipt: string): boolean {
  if (record === undefined) return false;
  const event: unknown = JSON.parse(record);
  return typeof event === 'object' && event !== null && 'jws' in event && event.jws === receipt;
}
