/**
 * Tiles and proofs from the tables: the leaf level is lane_event by log_run, each eighth level above is log_node (C2SP tlog-tiles), so a
 * proof reads a handful of tiles whatever the size of the log.
 */
import type { Sql } from '@sealpost/platform';
import { concatBytes, type Evidence, type MessageId, toBase64url } from '@sealpost/protocol';
import { inclusionProof, readerFromTiles, TILE_WIDTH, type Tile } from '@sealpost/tlog';
import { sha256 } from '../../platform/hash.ts';
import { entriesBetween, POSITION, RUN_OF_EVENT } from './positions.ts';
import { type StoredCheckpoint, witnessedCheckpoint } from './sequencer-store.ts';

const LEVEL_0 = entriesBetween('e.leaf_hash AS hash');
const LEVEL_N = 'SELECT hash FROM log_node WHERE level = $3 AND idx >= $1 AND idx < $2 ORDER BY idx';
const PLACE = `
SELECT ${POSITION} AS position, e.record, e.salt, e.leaf FROM lane_event e ${RUN_OF_EVENT}
WHERE e.lane = $1 AND e.seq = $2 AND e.record IS NOT NULL`;

const PLACES_OF = `
SELECT e.lane, e.seq AS sequence FROM lane_event e ${RUN_OF_EVENT}
WHERE e.message = $1 AND e.record IS NOT NULL AND ${POSITION} > $2 ORDER BY e.lane, e.seq LIMIT $3`;

/** Evidence prefers a head that the witness signed, as long as it is younger than this (DESIGN section 8). */
const WITNESSED_MS = 300_000;

export interface Place {
  readonly lane: number;
  readonly sequence: number;
}

/** The bytes of a tile, or `undefined` when the tree does not reach that far. */
export async function readTile(sql: Sql, tile: Tile): Promise<Uint8Array | undefined> {
  const first = tile.index * TILE_WIDTH;
  const range = [first, first + tile.width];
  const rows =
    tile.level === 0
      ? await sql.query<{ hash: Uint8Array }>('log-tile-0', LEVEL_0, range)
      : await sql.query<{ hash: Uint8Array }>('log-tile-n', LEVEL_N, [...range, tile.level * 8]);
  return rows.length === tile.width ? concatBytes(...rows.map(({ hash }) => hash)) : undefined;
}

/** Places of a message's sequenced events after a position, in log order. */
export async function placesOf(sql: Sql, message: MessageId, after: number, limit: number): Promise<Place[]> {
  return await sql.query<Place>('log-places-of', PLACES_OF, [message, after, limit]);
}

/** What proves the event at `place`; `undefined` until a checkpoint covers it, and once its record was erased. */
export async function evidenceOf(
  sql: Sql,
  place: Place,
  latest: StoredCheckpoint | undefined,
  now: number,
): Promise<Evidence | undefined> {
  const [row] = await sql.query<{ position: number; record: string; salt: Uint8Array; leaf: Uint8Array }>(
    'log-place',
    PLACE,
    [place.lane, place.sequence],
  );
  if (row === undefined) return undefined;
  const head = (await witnessedCheckpoint(sql, row.position, now - WITNESSED_MS)) ?? latest;
  if (head === undefined || head.size <= row.position) return undefined;
  const reader = readerFromTiles(head.size, (tile) => readTile(sql, tile), sha256);
  const path = await inclusionProof(row.position, head.size, reader, sha256);
  return {
    record: row.record,
    salt: toBase64url(row.salt),
    leaf: toBase64url(row.leaf),
    position: row.position,
    size: head.size,
    path: path.map(toBase64url),
    checkpoint: head.note,
  };
}
