/**
 * Named points between two durable steps, announced on a diagnostics channel that costs one look when nobody listens.
 * A harness outside listens and ends the process there; no product code knows of it, and nothing can be switched on.
 */
import { channel } from 'node:diagnostics_channel';

/** What a listener subscribes to; each message is a {@link PointPassed}. */
export const POINT_CHANNEL = 'sealpost.point';

export interface PointPassed {
  readonly point: string;
}

/** A process's points: name → what is durable, and what is not yet, when it is passed. */
export type PointTable = Readonly<Record<string, string>>;

const passing = channel(POINT_CHANNEL);

/** The announcer of one table: a point that is not in it does not compile. Listeners run before it returns. */
export function pointsOf<const Table extends PointTable>(_table: Table): (point: keyof Table & string) => void {
  return (point) => {
    if (passing.hasSubscribers) passing.publish({ point } satisfies PointPassed);
  };
}
