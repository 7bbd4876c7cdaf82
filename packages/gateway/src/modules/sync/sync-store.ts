/** Which connection of a device is the newest, over all nodes (table sync_session). */
import type { Sql } from '@sealpost/platform';
import type { DeviceId } from '@sealpost/protocol';

export interface NumberedSession {
  readonly device: DeviceId;
  readonly number: number;
}

const TAKE = `
INSERT INTO sync_session (device, number) VALUES ($1, 1)
ON CONFLICT (device) DO UPDATE SET number = sync_session.number + 1 RETURNING number`;

const OUTDATED = `
SELECT i.place::int AS place FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS i(device, number, place)
JOIN sync_session s USING (device) WHERE s.number > i.number`;

/** The next number of the device: whoever holds a smaller one is no longer the newest. */
export async function takeNumber(sql: Sql, device: DeviceId): Promise<number> {
  const [row] = await sql.query<{ number: number }>('sync-take', TAKE, [device]);
  if (row === undefined) throw new TypeError('the session table answered nothing');
  return row.number;
}

/** Those of `sessions` that a newer one has replaced. */
export async function outdated<S extends NumberedSession>(sql: Sql, sessions: readonly S[]): Promise<S[]> {
  const rows = await sql.query<{ place: number }>('sync-outdated', OUTDATED, [
    sessions.map(({ device }) => device),
    sessions.map(({ number }) => number),
  ]);
  return rows.flatMap(({ place }) => sessions[place - 1] ?? []);
}
