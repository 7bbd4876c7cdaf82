/**
 * The ledger of directory entries control has signed, each member's a hash chain. An entry is stored before it is posted
 * and posted before anybody is told: whatever crashes, the same bytes are posted again. Entries of a member are posted
 * in order; one the gateway refuses for good is taken back together with those that build on it.
 */
import { type Signer, signJws } from '@sealpost/crypto/signer';
import { entryHash } from '@sealpost/crypto/verify';
import type { Database, Logger, Sql, Surroundings } from '@sealpost/platform';
import {
  DIRECTORY_TYPE,
  type DirectoryEntry,
  directoryEntrySchema,
  fromBase64url,
  fromUtf8,
  type MemberId,
  memberIdSchema,
  type Organisation,
  SealpostError,
  type Timestamp,
} from '@sealpost/protocol';
import type { GatewayClient } from '../../gateway/gateway-client.ts';
import { reached } from '../../points.ts';
import { enrollmentError } from './enrollment-errors.ts';

export interface LedgerEntry {
  readonly member: MemberId;
  readonly number: number;
  readonly device: string;
  readonly change: 'enrolled' | 'revoked';
  readonly name: string;
  readonly entry: string;
  readonly entryHash: string;
  readonly chain: readonly string[];
  readonly expiresAt: number;
  readonly posted: boolean;
}

export type LedgerChange = Pick<DirectoryEntry, 'member' | 'device' | 'change' | 'name' | 'approval'> & {
  readonly chain: readonly string[];
  readonly expiresAt: number;
  /** When it was decided; now, unless it is signed again behind another head. */
  readonly at?: Timestamp;
};

export interface DirectoryStanding {
  /** Hash of the newest entry the gateway has taken; a chain without it hides something. */
  readonly newestPosted: string | undefined;
  /** Devices revoked by an entry the gateway has not taken yet. */
  readonly revoked: readonly string[];
}

export interface Ledger {
  /** The newest entry about a device, or `undefined`. */
  newest(sql: Sql, member: string, device: string): Promise<LedgerEntry | undefined>;
  /** Whether a device of this name is another member's: one key, one person. */
  isAnothers(sql: Sql, member: string, device: string): Promise<boolean>;
  /** What control knows of a member's chain by itself, whatever the gateway shows. */
  standing(member: MemberId): Promise<DirectoryStanding>;
  /** Signs the next entry of the member's chain and stores it, within the caller's transaction. */
  append(tx: Sql, change: LedgerChange): Promise<void>;
  /** Posts what of this member is not yet at the gateway, in order. Throws when the gateway is away or refuses. */
  post(member: MemberId): Promise<void>;
  /** The same for every member, quietly: what could not be posted is tried again by the next call. */
  postAll(): Promise<void>;
}

export interface LedgerDeps {
  readonly database: Database;
  readonly gateway: Pick<GatewayClient, 'postDirectory' | 'directory'>;
  readonly organisation: Organisation;
  /** Ed25519: `control.submit` of the trust file. */
  readonly submitSigner: Signer;
  readonly surroundings: Surroundings;
  readonly logger: Logger;
}

const COLUMNS =
  'member, number, device, change, name, entry, entry_hash AS "entryHash", chain, expires_at AS "expiresAt", posted';
/** The gateway's answers that say these bytes will never be taken. */
const FINAL: readonly string[] = ['invalid', 'denied', 'missing', 'conflict', 'integrity', 'too-large'];

export function createLedger(deps: LedgerDeps): Ledger {
  const { database, gateway, organisation, submitSigner, surroundings, logger } = deps;

  const append: Ledger['append'] = async (tx, { expiresAt, chain, at: decided, ...change }) => {
    const head = await lockHead(tx, change.member);
    const at = decided ?? Math.max(surroundings.now(), head.at);
    const entry: DirectoryEntry = { v: 1, organisation, ...change, chain: [...chain], at, previous: head.entry_hash };
    const jws = await signJws(DIRECTORY_TYPE, entry, submitSigner);
    const [number, hash] = [head.number + 1, entryHash(jws)];
    await tx.query(
      'ledger-append',
      `INSERT INTO directory_entry (member, number, device, change, entry, entry_hash, chain, name, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [change.member, number, change.device, change.change, jws, hash, chain, change.name, expiresAt],
    );
    await moveHead(tx, change.member, number, hash, at);
  };
  const postOne = async (entry: LedgerEntry) => {
    try {
      await gateway.postDirectory(entry.entry);
    } catch (error) {
      if (!(error instanceof SealpostError) || !FINAL.includes(error.kind)) throw error;
      if (!(await isThere(entry))) {
        logger.warn('directory entry refused', { code: error.code, state: entry.change });
        await database.transaction(async (tx) => {
          // What takes away is never lost with what it happened to stand behind.
          for (const lost of await takeBack(tx, entry)) await append(tx, revocationOf(lost));
        });
        throw enrollmentError('ERR_ENROLLMENT_DIRECTORY', { cause: error, retryAfter: 10 });
      }
    }
    reached('enrollment.posted');
    await markPosted(database, entry);
    reached('enrollment.marked');
  };
  /** A conflict is also what a second post of an older entry is answered with. */
  const isThere = async (entry: LedgerEntry) => {
    const { entries } = await gateway.directory(entry.member);
    return entries.some((known) => known.entry === entry.entry);
  };
  const post = async (member: MemberId) => {
    for (const entry of await unposted(database, member)) await postOne(entry);
  };
  return {
    async newest(sql, member, device) {
      const text = `SELECT ${COLUMNS} FROM directory_entry WHERE member = $1 AND device = $2 ORDER BY number DESC LIMIT 1`;
      return (await sql.query<LedgerEntry>('ledger-newest', text, [member, device]))[0];
    },
    async isAnothers(sql, member, device) {
      const text = 'SELECT 1 AS found FROM directory_entry WHERE device = $2 AND member <> $1 LIMIT 1';
      return (await sql.query('ledger-anothers', text, [member, device])).length > 0;
    },
    async standing(member) {
      const newest =
        'SELECT entry_hash AS hash FROM directory_entry WHERE member = $1 AND posted ORDER BY number DESC LIMIT 1';
      const [row] = await database.query<{ hash: string }>('ledger-newest-posted', newest, [member]);
      const waiting = await unposted(database, member);
      return {
        newestPosted: row?.hash,
        revoked: waiting.filter(({ change }) => change === 'revoked').map(({ device }) => device),
      };
    },
    append,
    post,
    async postAll() {
      const rows = await database.query<{ member: string }>(
        'ledger-waiting',
        'SELECT DISTINCT member FROM directory_entry WHERE NOT posted',
      );
      for (const { member } of rows) {
        await post(memberIdSchema.parse(member)).catch((error: unknown) => {
          logger.warn('directory entry waits', {
            code: error instanceof SealpostError ? error.code : 'ERR_ENROLLMENT',
          });
        });
      }
    },
  };
}

interface Head {
  readonly number: number;
  readonly entry_hash: string | null;
  readonly at: number;
}

/** The head row is the mutex of a member's chain. */
async function lockHead(tx: Sql, member: string): Promise<Head> {
  const insert = 'INSERT INTO directory_head (member, number, at) VALUES ($1, 0, 0) ON CONFLICT DO NOTHING';
  await tx.query('ledger-head-make', insert, [member]);
  const select = 'SELECT number, entry_hash, at FROM directory_head WHERE member = $1 FOR UPDATE';
  const [head] = await tx.query<Head>('ledger-head-lock', select, [member]);
  return head ?? { number: 0, entry_hash: null, at: 0 };
}

async function moveHead(tx: Sql, member: string, number: number, hash: string | null, at: number): Promise<void> {
  const text = 'UPDATE directory_head SET number = $2, entry_hash = $3, at = $4 WHERE member = $1';
  await tx.query('ledger-head-move', text, [member, number, hash, at]);
}

async function unposted(sql: Sql, member: string): Promise<LedgerEntry[]> {
  const text = `SELECT ${COLUMNS} FROM directory_entry WHERE member = $1 AND NOT posted ORDER BY number`;
  return sql.query<LedgerEntry>('ledger-unposted', text, [member]);
}

async function markPosted(sql: Sql, { member, number, entryHash: hash }: LedgerEntry): Promise<void> {
  const text = 'UPDATE directory_entry SET posted = true WHERE member = $1 AND number = $2 AND entry_hash = $3';
  await sql.query('ledger-posted', text, [member, number, hash]);
}

/** Removes the entry and all behind it; answers the revocations among those, oldest first. */
async function takeBack(tx: Sql, { member, number, entryHash: hash }: LedgerEntry): Promise<LedgerEntry[]> {
  const head = await lockHead(tx, member);
  const gone = await tx.query<LedgerEntry>(
    'ledger-take-back',
    `DELETE FROM directory_entry WHERE member = $1 AND number >= $2 AND NOT posted
       AND EXISTS (SELECT 1 FROM directory_entry WHERE member = $1 AND number = $2 AND entry_hash = $3) RETURNING ${COLUMNS}`,
    [member, number, hash],
  );
  if (gone.length === 0) return [];
  await tx.query(
    'ledger-free-codes',
    'UPDATE invite SET device = NULL, key_id = NULL WHERE member = $1 AND device = ANY($2)',
    [member, gone.filter(({ change }) => change === 'enrolled').map(({ device }) => device)],
  );
  const text = 'SELECT entry_hash FROM directory_entry WHERE member = $1 AND number = $2';
  const [before] = await tx.query<{ entry_hash: string }>('ledger-before', text, [member, number - 1]);
  await moveHead(tx, member, number - 1, before?.entry_hash ?? null, head.at);
  const behind = gone.filter((entry) => entry.number > number && entry.change === 'revoked');
  return behind.sort((a, b) => a.number - b.number);
}

/** The change a stored entry of ours states, to be signed again; its time stays, which its approval was valid at. */
function revocationOf({ entry, chain, expiresAt }: LedgerEntry): LedgerChange {
  const payload = fromBase64url(entry.split('.')[1] ?? '') ?? new Uint8Array();
  const { member, device, change, name, approval, at } = directoryEntrySchema.parse(JSON.parse(fromUtf8(payload)));
  return { member, device, change, name, chain, approval, at, expiresAt };
}
