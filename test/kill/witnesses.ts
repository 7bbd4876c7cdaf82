/** What log and providers have to say at the end, and whether they still have something to do. */
import type { Database } from '../../packages/platform/src/index.ts';
import { eventSchema } from '../../packages/protocol/src/index.ts';
import type { Effect, Logged, Named } from './history.ts';
import { CHANNELS, DEDUPLICATING } from './manifests.ts';

/** Everything of messages, lane by lane in order. */
export async function readLog(database: Database): Promise<Logged[]> {
  const rows = await database.query<{ lane: number; seq: number; record: string }>(
    'kill-log',
    'SELECT lane, seq, record FROM lane_event WHERE message IS NOT NULL ORDER BY lane, seq',
  );
  return rows.map(({ lane, seq, record }) => ({ lane, sequence: seq, event: eventSchema.parse(JSON.parse(record)) }));
}

/** Names providers gave to attempts; those we chose ourselves are left out. */
export async function readNames(database: Database): Promise<Named[]> {
  return database.query<{ channel: string; id: string; attempt: string }>(
    'kill-names',
    'SELECT vendor AS channel, provider_id AS id, attempt FROM provider_message WHERE provider_id <> attempt::text',
  );
}

/** As the simulator's control interface shows them. */
interface Phone {
  readonly number: string;
  readonly messages: readonly { readonly id: string; readonly channel: string }[];
}

export async function readPhones(simulator: string): Promise<Effect[]> {
  const phones = (await (await fetch(`${simulator}/phones`)).json()) as readonly Phone[];
  const channels = new Map<string, string>(CHANNELS.map(({ short, channel }) => [short, channel]));
  return phones.flatMap(({ number, messages }) =>
    messages.map(({ id, channel }) => ({ channel: channels.get(channel) ?? channel, id, phone: number })),
  );
}

/** What must be none before anybody is judged, each as a count of rows. */
const WORK = {
  'attempts under way': 'SELECT count(*)::int AS count FROM attempt WHERE NOT done',
  'outcomes not decided': 'SELECT count(*)::int AS count FROM attempt_outcome',
  'inputs set aside': 'SELECT count(*)::int AS count FROM set_aside',
  'lanes not decided': 'SELECT count(*)::int AS count FROM lane JOIN lane_cursor USING (lane) WHERE head > decided',
  'lanes not in the tree': 'SELECT count(*)::int AS count FROM lane JOIN log_lane USING (lane) WHERE head > sequenced',
  'receipts not decided': `SELECT count(*)::int AS count FROM provider_receipt r WHERE EXISTS
    (SELECT 1 FROM provider_message m WHERE m.vendor = r.vendor AND m.provider_id = ANY(r.ids))`,
} as const;

/** What is still to be done, in words; nothing when all is at rest. */
export async function workLeft(database: Database): Promise<string[]> {
  const left: string[] = [];
  for (const [what, text] of Object.entries(WORK)) {
    const [row] = await database.query<{ count: number }>(`kill-${what}`, text);
    if (row !== undefined && row.count > 0) left.push(`${row.count} ${what}`);
  }
  return left;
}

const REPORTED = `
SELECT DISTINCT record::jsonb ->> 'attempt' AS attempt FROM lane_event
WHERE kind = 'receipt.provider' AND record::jsonb ->> 'status' = 'delivered'`;

/** Effects of attempts we know that no receipt in the log speaks of yet. */
export async function receiptsDue(database: Database, simulator: string): Promise<number> {
  const names = new Map((await readNames(database)).map(({ channel, id, attempt }) => [`${channel} ${id}`, attempt]));
  const reported = new Set(
    (await database.query<{ attempt: string }>('kill-reported', REPORTED)).map((row) => row.attempt),
  );
  const attempts = (await readPhones(simulator)).flatMap(({ channel, id }) => {
    const attempt = DEDUPLICATING.includes(channel) ? id : names.get(`${channel} ${id}`);
    return attempt === undefined ? [] : [attempt];
  });
  return new Set(attempts.filter((attempt) => !reported.has(attempt))).size;
}
