/**
 * The life of one process: start, serve, drain on SIGTERM or SIGINT, and never outlive the parent that started it (its
 * IPC channel closes when the parent is gone, even by SIGKILL).
 */
import { SealpostError } from '@sealpost/protocol';
import type { Logger } from './log.ts';

export interface RunningService {
  /** Stops taking work, finishes what is under way, closes everything. */
  stop(): Promise<void>;
}

/** Longest time a drain may take before the process ends anyway; leases and idempotency keys make that safe. */
const DRAIN_LIMIT = 10_000;

export async function runService(name: string, logger: Logger, start: () => Promise<RunningService>): Promise<void> {
  let service: RunningService | undefined;
  let stopping = false;
  const stop = async (reason: string) => {
    if (stopping) return;
    stopping = true;
    logger.info('stopping', { reason });
    const limit = setTimeout(() => process.exit(1), DRAIN_LIMIT);
    limit.unref();
    await service?.stop();
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop('SIGTERM'));
  process.on('SIGINT', () => void stop('SIGINT'));
  // Started over IPC by a parent that is gone already, or will be.
  if (process.send !== undefined && !process.connected) process.exit(1);
  if (process.connected) process.on('disconnect', () => void stop('parent gone'));
  try {
    service = await start();
    process.send?.({ kind: 'ready', name });
  } catch (cause) {
    const known = cause instanceof SealpostError;
    logger.error('start failed', { code: known ? cause.code : 'ERR_START', cause });
    const report = {
      kind: 'failed',
      name,
      code: known ? cause.code : 'ERR_START',
      sentence: known ? cause.message : `${name} could not start`,
      hint: known ? cause.hint : 'See its log.',
      details: known ? cause.details : [],
    };
    process.stderr.write(
      `sealpost: error: ${report.sentence}\nsealpost: hint: ${report.hint}\n${report.details.map((detail) => `  ${detail.pointer} ${detail.detail}\n`).join('')}`,
    );
    if (process.send === undefined) process.exit(1);
    process.send(report, () => process.exit(1));
  }
}
