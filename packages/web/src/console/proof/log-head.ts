/** The newest head of the log, believed only under the log's key of the trust file. */
import { openCheckpoint } from '@sealpost/tlog';
import { consoleError } from '../console-errors.ts';
import type { ProofKeys } from './verify-entry.ts';

export interface LogHead {
  readonly size: number;
  /** When the witness cosigned it, in milliseconds; `undefined` while it has not. */
  readonly witnessedAt: number | undefined;
}

/** Throws ERR_CONSOLE_HEAD. */
export async function verifiedHead(checkpoint: string, { logKey, witnessKey }: ProofKeys): Promise<LogHead> {
  const opened = await openCheckpoint(checkpoint, { logKey, witnessKeys: [witnessKey] });
  if (opened.kind === 'rejected')
    throw consoleError('ERR_CONSOLE_HEAD', { details: [{ pointer: '/checkpoint', detail: opened.reason }] });
  const witnessed = opened.cosignedBy.at(0)?.time;
  return { size: opened.checkpoint.size, witnessedAt: witnessed === undefined ? undefined : witnessed * 1000 };
}
