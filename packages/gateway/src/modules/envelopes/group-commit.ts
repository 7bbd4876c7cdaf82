/**
 * Group commit: drafts that arrive at the same time share one statement and one flush of the WAL. A few writers own the
 * lanes (lane modulo writers), each with a connection of its own and one batch in flight; what arrives meanwhile is the
 * next batch. A promise settles only after COMMIT.
 */
import type { Database } from '@sealpost/platform';
import { equalBytes, type Timestamp } from '@sealpost/protocol';
import { reached } from '../../points.ts';
import { ACCEPT, acceptParameters, type Draft, KNOWN } from './accept-statement.ts';
import { envelopesError } from './envelopes-errors.ts';

export type Stored =
  | { readonly outcome: 'accepted' | 'duplicate'; readonly place: StoredPlace }
  | { readonly outcome: 'conflict' };

export interface StoredPlace {
  readonly lane: number;
  readonly sequence: number;
  readonly leafHash: Uint8Array;
  /** When it was accepted. */
  readonly at: Timestamp;
}

export interface GroupCommit {
  /** Rejects with ERR_ENVELOPES_BUSY or ERR_ENVELOPES_STORE; a conflict is an answer. */
  accept(draft: Draft): Promise<Stored>;
  /** What is stored under these messages already, by message id. */
  known(messages: readonly string[]): Promise<Map<string, StoredPlace & { readonly id: Uint8Array }>>;
  /** Drafts waiting or in flight. */
  waiting(): number;
  close(): Promise<void>;
}

interface Waiting {
  readonly draft: Draft;
  readonly resolve: (stored: Stored) => void;
  readonly reject: (error: unknown) => void;
}

const MAX_ROWS = 512;
const MAX_BYTES = 8_000_000;
const MAX_WAITING = 20_000;
/** SQLSTATE classes that are about the rows of one batch and not about the server (PostgreSQL appendix A). */
const OF_THE_ROWS = /^(?:22|23|40)/;

type KnownRow = { message: string; id: Uint8Array; lane: number; sequence: number; at: number; leafHash: Uint8Array };

export function createGroupCommit({
  database,
  writers = 4,
  most = MAX_WAITING,
  onCommit,
}: {
  database: Database;
  writers?: number;
  /** Drafts that may wait before more are refused. */
  most?: number;
  /** Called after each commit that stored something. */
  onCommit: () => void;
}): GroupCommit {
  const queues: Waiting[][] = Array.from({ length: writers }, () => []);
  const busy: boolean[] = queues.map(() => false);
  let waiting = 0;
  let idle: () => void = () => undefined;

  const known = async (messages: readonly string[]) => {
    const rows = await database.query<KnownRow>('envelopes-known', KNOWN, [messages]);
    return new Map(rows.map((row) => [row.message, row]));
  };

  const commit = async (batch: readonly Waiting[]): Promise<void> => {
    const drafts = batch.map(({ draft }) => draft);
    reached('envelopes.before-commit');
    const rows = await database.query<{ message: string; sequence: number }>(
      'envelopes-accept',
      ACCEPT,
      acceptParameters(drafts),
    );
    reached('envelopes.committed');
    if (rows.length > 0) onCommit();
    const fresh = new Map(rows.map(({ message, sequence }) => [message, sequence]));
    const left: Waiting[] = [];
    for (const entry of batch) {
      const { envelope, lane, prepared } = entry.draft;
      const sequence = fresh.get(envelope.message);
      if (sequence === undefined) left.push(entry);
      else {
        const place = { lane, sequence, leafHash: prepared.leafHash, at: prepared.event.at };
        entry.resolve({ outcome: 'accepted', place });
      }
    }
    if (left.length > 0) await answerRepeats(left);
  };

  const answerRepeats = async (batch: readonly Waiting[]): Promise<void> => {
    const stored = await known(batch.map(({ draft }) => draft.envelope.message));
    for (const { draft, resolve, reject } of batch) {
      const row = stored.get(draft.envelope.message);
      if (row === undefined) reject(envelopesError('ERR_ENVELOPES_STORE'));
      else resolve(equalBytes(row.id, draft.id) ? { outcome: 'duplicate', place: row } : { outcome: 'conflict' });
    }
  };

  /** A batch that fails for its rows is tried row by row, so that one never fails its neighbours. */
  const settle = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      await commit(batch);
    } catch (cause) {
      const { code } = cause as { code?: unknown };
      const retryAlone = batch.length > 1 && typeof code === 'string' && OF_THE_ROWS.test(code);
      if (retryAlone) for (const entry of batch) await settle([entry]);
      else for (const { reject } of batch) reject(envelopesError('ERR_ENVELOPES_STORE', { cause, retryAfter: 1 }));
    }
  };

  const drain = async (writer: number): Promise<void> => {
    const queue = queues[writer];
    if (queue === undefined || busy[writer]) return;
    busy[writer] = true;
    while (queue.length > 0) {
      const batch = take(queue);
      await settle(batch);
      waiting -= batch.length;
    }
    busy[writer] = false;
    if (waiting === 0) idle();
  };

  return {
    accept(draft) {
      if (waiting >= most) return Promise.reject(envelopesError('ERR_ENVELOPES_BUSY', { retryAfter: 1 }));
      const writer = draft.lane % writers;
      return new Promise<Stored>((resolve, reject) => {
        waiting += 1;
        queues[writer]?.push({ draft, resolve, reject });
        // In the next turn, so that a whole submission is in the first batch.
        if (!busy[writer]) setImmediate(() => void drain(writer));
      });
    },
    known,
    waiting: () => waiting,
    async close() {
      if (waiting === 0) return;
      await new Promise<void>((resolve) => {
        idle = resolve;
      });
    },
  };
}

/** The next batch: first come first served, one envelope a message id (the second one waits for the first's outcome). */
function take(queue: Waiting[]): Waiting[] {
  const batch: Waiting[] = [];
  const later: Waiting[] = [];
  const messages = new Set<string>();
  let bytes = 0;
  while (queue.length > 0 && batch.length < MAX_ROWS && bytes < MAX_BYTES) {
    const next = queue.shift();
    if (next === undefined) break;
    const { message } = next.draft.envelope;
    if (messages.has(message)) later.push(next);
    else {
      messages.add(message);
      batch.push(next);
      bytes += next.draft.body.length;
    }
  }
  queue.unshift(...later);
  return batch;
}
