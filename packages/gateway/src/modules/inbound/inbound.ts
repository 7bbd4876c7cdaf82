/**
 * Sealed messages on their way to control: told in order until control says it has stored them, then their bodies go. Their
 * names stay for a while, so that what a vendor tells again is known again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Database, Logger, Sql, Surroundings } from '@sealpost/platform';
import type { gatewayApi } from '@sealpost/protocol';
import { type Bus, POLL_MS } from '../../platform/bus.ts';
import { reached } from '../../points.ts';

/** Longer than any provider repeats a webhook: Google does for seven days. */
export const NAMES_KEPT = 8 * 86_400_000;
const PRUNE_EVERY = 3_600_000;

/** No answer is longer than this and one message more. */
const LETTERS_AT_ONCE = 4_000_000;
const WAITING = `
SELECT position, vendor, received, key, encapsulated, ciphertext FROM (
  SELECT *, sum(length(ciphertext)) OVER (ORDER BY position) - length(ciphertext) AS before FROM (
    SELECT * FROM inbound WHERE position > $1 AND ciphertext IS NOT NULL ORDER BY position LIMIT $2
  ) AS next
) AS sized WHERE before < $3 ORDER BY position`;
const ACKNOWLEDGE =
  'UPDATE inbound SET encapsulated = NULL, ciphertext = NULL WHERE position <= $1 AND ciphertext IS NOT NULL';
/** Only of what control has: a body that still waits keeps its name with it. */
const PRUNE = 'DELETE FROM inbound WHERE received < $1 AND ciphertext IS NULL';

type Answer = gatewayApi.InboundAnswer['inbound'];

export interface InboundDeps {
  readonly database: Database;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly surroundings: Pick<Surroundings, 'now'>;
}

export interface InboundBox {
  /** What control has not acknowledged after a position, oldest first; waits up to `waitMs` for the first. */
  waiting(after: number, limit: number, waitMs: number): Promise<Answer>;
  /** Control has stored everything up to this position. A repeat changes nothing. */
  acknowledge(position: number): Promise<void>;
  prune(): Promise<void>;
  start(): void;
  stop(): void;
}

export function createInbound({ database, bus, logger, surroundings }: InboundDeps): InboundBox {
  let timer: NodeJS.Timeout | undefined;
  const prune = async () => {
    await database.query('inbound-prune', PRUNE, [surroundings.now() - NAMES_KEPT]);
  };
  return {
    async waiting(after, limit, waitMs) {
      const deadline = surroundings.now() + waitMs;
      for (;;) {
        const next = nextHint(bus);
        try {
          const found = await read(database, after, limit);
          const left = deadline - surroundings.now();
          if (found.length > 0 || left <= 0) return found;
          await Promise.race([next.hint, delay(Math.min(left, POLL_MS))]);
        } finally {
          next.forget();
        }
      }
    },
    async acknowledge(position) {
      await database.query('inbound-acknowledge', ACKNOWLEDGE, [position]);
      reached('inbound.acknowledged');
    },
    prune,
    start() {
      const quietly = () => void prune().catch(() => logger.warn('pruning failed', { reason: 'database' }));
      timer = setInterval(quietly, PRUNE_EVERY);
      quietly();
    },
    stop: () => clearInterval(timer),
  };
}

async function read(sql: Sql, after: number, limit: number): Promise<Answer> {
  return sql.query<Answer[number]>('inbound-waiting', WAITING, [after, limit, LETTERS_AT_ONCE]);
}

function nextHint(bus: Bus): { readonly hint: Promise<void>; readonly forget: () => void } {
  let forget: () => void = () => undefined;
  const hint = new Promise<void>((resolve) => {
    forget = bus.on('inbound', resolve);
  });
  return { hint, forget };
}
