/**
 * Follows the log: asks control to wait for the next entry, again and again, and says what changed. When control or the
 * gateway is away it says so, asks again a little later, and then counts everything as changed.
 */
import { SealpostError } from '@sealpost/protocol';
import { consoleError } from '../console-errors.ts';
import type { Reads } from '../session/reads.ts';

export interface FollowDeps {
  readonly reads: Pick<Reads, 'changes'>;
  /** Position of the newest entry there is. */
  readonly newest: () => Promise<number>;
  readonly signal: AbortSignal;
  readonly pause: (ms: number) => Promise<void>;
  /** Something about any message may have changed. */
  readonly onChange: () => void;
  /** `undefined`: following; else what keeps it from that. */
  readonly onProblem: (problem: SealpostError | undefined) => void;
}

const AGAIN = 2000;

/** Ends when `signal` is aborted, or with the session. */
export async function follow({ reads, newest, signal, pause, onChange, onProblem }: FollowDeps): Promise<void> {
  let after: number | undefined;
  while (!signal.aborted) {
    try {
      if (after === undefined) {
        after = await newest();
        onProblem(undefined);
        onChange();
      }
      const { position } = await reads.changes(after, signal);
      if (position !== after) onChange();
      after = position;
    } catch (error) {
      if (signal.aborted) return;
      const problem = error instanceof SealpostError ? error : consoleError('ERR_CONSOLE_AWAY', { cause: error });
      if (problem.kind === 'unauthenticated') return;
      after = undefined;
      onProblem(problem);
      await pause(AGAIN);
    }
  }
}
