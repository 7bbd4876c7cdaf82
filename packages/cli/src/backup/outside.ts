/**
 * What others know of the log, held against a backup: a signed checkpoint, or an export, which can prove that the backup
 * is an earlier part of it.
 */

import { hash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { equalBytes, fromUtf8 } from '@sealpost/protocol';
import { appendLeaf, emptyFrontier, frontierRoot, linesOf, openCheckpoint, type VerifierKey } from '@sealpost/tlog';
import { type LogKeys, verifyLogFile } from '../log/verify-log.ts';
import { backupErrorAt } from './backup-errors.ts';
import { leafHashOf } from './export-line-schema.ts';
import type { CheckedLog } from './log-check.ts';

const CHECKPOINT_LIMIT = 16_384;

/** `forgets`: leaves the log had signed by then and the backup does not hold. `proved`: that one continues the other. */
export interface Comparison {
  readonly size: number;
  readonly forgets: number;
  readonly proved: boolean;
}

interface Outside {
  readonly size: number;
  readonly root: Uint8Array;
  /** Root of its first `size` leaves; only an export knows. */
  rootAt?(size: number): Promise<Uint8Array>;
}

/** Throws ERR_BACKUP_LOG when the two cannot be of one log. */
export async function compareWithOutside(
  path: string,
  log: CheckedLog,
  keys: LogKeys & { readonly verifier: VerifierKey },
): Promise<Comparison> {
  const outside = await readOutside(path, keys);
  const forgets = Math.max(0, outside.size - log.size);
  if (forgets === 0) {
    requireEqual(path, log.rootAt(outside.size), outside.root);
    return { size: outside.size, forgets, proved: true };
  }
  const prefix = await outside.rootAt?.(log.size);
  if (prefix === undefined) return { size: outside.size, forgets, proved: false };
  requireEqual(path, log.rootAt(log.size), prefix);
  return { size: outside.size, forgets, proved: true };
}

function requireEqual(path: string, own: Uint8Array | undefined, other: Uint8Array): void {
  if (own === undefined || !equalBytes(own, other))
    throw backupErrorAt('ERR_BACKUP_LOG', path, 'is of another history than the backup');
}

async function readOutside(path: string, keys: LogKeys & { readonly verifier: VerifierKey }): Promise<Outside> {
  const text = startOf(path);
  if (!text.startsWith('{')) {
    const opened = await openCheckpoint(text, { logKey: keys.verifier });
    if (opened.kind === 'rejected')
      throw backupErrorAt('ERR_BACKUP_LOG', path, `no checkpoint of this log: ${opened.reason}`);
    return opened.checkpoint;
  }
  const verdict = await verifyLogFile(path, keys);
  if (verdict.kind === 'failed')
    throw backupErrorAt('ERR_BACKUP_LOG', path, `the export does not hold: ${verdict.reason}`);
  return { size: verdict.size, root: verdict.root, rootAt: (size) => prefixRoot(path, size) };
}

/** All of a checkpoint, or as much of an export as tells what it is. */
function startOf(path: string): string {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = new Uint8Array(CHECKPOINT_LIMIT);
      return fromUtf8(bytes.subarray(0, readSync(file, bytes)));
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw backupErrorAt('ERR_BACKUP_OUTSIDE', path, 'cannot be read', cause);
  }
}

async function prefixRoot(path: string, size: number): Promise<Uint8Array> {
  const sha256 = (bytes: Uint8Array) => new Uint8Array(hash('sha256', bytes, 'buffer'));
  let tree = emptyFrontier;
  for await (const line of linesOf(createReadStream(path))) {
    const leaf = leafHashOf(line);
    if (leaf !== undefined && tree.size < size) tree = appendLeaf(tree, leaf, sha256);
  }
  return frontierRoot(tree, sha256);
}
