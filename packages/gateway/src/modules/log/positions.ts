/**
 * From places in lanes to positions in the tree and back, as SQL. The sequencer writes one row a run of a lane (log_run), so
 * an event costs the tree no row of its own; these fragments are how everything else reads positions.
 */

/** For `FROM lane_event e`: the run that holds the event. No row of it means: not sequenced yet. */
export const RUN_OF_EVENT = `JOIN LATERAL (
  SELECT position, first_seq, count FROM log_run
  WHERE lane = e.lane AND first_seq <= e.seq ORDER BY first_seq DESC LIMIT 1
) r ON e.seq < r.first_seq + r.count`;

/** With RUN_OF_EVENT, or with `log_run r JOIN lane_event e`. */
export const POSITION = 'r.position + e.seq - r.first_seq';

/** Columns of the entries at positions from $1 up to before $2, in order. */
export function entriesBetween(columns: string): string {
  return `
SELECT ${columns} FROM log_run r
JOIN lane_event e ON e.lane = r.lane AND e.seq >= r.first_seq AND e.seq < r.first_seq + r.count
WHERE r.position >= coalesce((SELECT max(position) FROM log_run WHERE position <= $1), 0) AND r.position < $2
  AND ${POSITION} >= $1 AND ${POSITION} < $2
ORDER BY ${POSITION}`;
}
