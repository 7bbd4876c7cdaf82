/** `sealpost backup verify`: everything that can be said of a backup without a database. Nothing is written. */
import type { UnwrappingKey } from '@sealpost/crypto/open';
import type { Trust } from '@sealpost/protocol';
import { parseVerifierKey, type VerifierKey } from '@sealpost/tlog';
import type { Manifest } from './contents-schema.ts';
import { type CheckedLog, createLogCheck } from './log-check.ts';
import { type Comparison, compareWithOutside } from './outside.ts';
import { readHead } from './sealed-file.ts';
import { walkBackup } from './walk.ts';

export interface VerifyOptions {
  readonly file: string;
  readonly key: UnwrappingKey;
  /** Of the organisation, from the operator's folder. */
  readonly trust: Trust;
  /** A checkpoint or an export that was kept elsewhere. */
  readonly checkpoint?: string;
}

export interface VerifiedBackup {
  readonly file: string;
  readonly manifest: Manifest;
  /** Gateway only. */
  readonly log?: CheckedLog;
  readonly outside?: Comparison;
}

/** Throws ERR_BACKUP_…. */
export async function verifyBackup({ file, key, trust, checkpoint }: VerifyOptions): Promise<VerifiedBackup> {
  const { zone } = await readHead(file);
  const check = zone === 'gateway' ? createLogCheck() : undefined;
  const { manifest, trust: own } = await walkBackup(file, key, trust, check === undefined ? [] : [check]);
  if (check === undefined) return { file, manifest };
  const [logKey, witness] = [verifierOf(own.gateway.log), verifierOf(own.control.witness)];
  const log = await check.finish({ logKey, witness });
  if (checkpoint === undefined) return { file, manifest, log };
  const keys = { logKey: own.gateway.log, witnessKeys: [own.control.witness], verifier: logKey };
  return { file, manifest, log, outside: await compareWithOutside(checkpoint, log, keys) };
}

function verifierOf(text: string): VerifierKey {
  const parsed = parseVerifierKey(text);
  if (parsed.kind !== 'parsed') throw new TypeError('a verified trust file holds verifier keys');
  return parsed.key;
}
