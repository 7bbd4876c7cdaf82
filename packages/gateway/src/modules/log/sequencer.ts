/**
 * The sequencer: gives the leaves of all lanes their places in the one tree and signs its head (DESIGN section 8). One at a
 * time, by lease with a fencing epoch. A step is one transaction: places, subtree hashes and append state together, so a
 * crash leaves the tree of the step before and no leaf is ever moved.
 */
import type { Database, Logger, Sql } from '@sealpost/platform';
import { SealpostError, type Timestamp } from '@sealpost/protocol';
import {
  appendLeaf,
  decodeFrontier,
  encodeCheckpoint,
  encodeFrontier,
  type Frontier,
  frontierRoot,
  type NoteSigner,
  signNote,
} from '@sealpost/tlog';
import { sha256 } from '../../platform/hash.ts';
import { reached } from '../../points.ts';
import { logError } from './log-errors.ts';
import {
  acquire,
  hold,
  LANE_SHARE,
  latestCheckpoint,
  type NewLeaf,
  type Node,
  type PendingRow,
  pendingLeaves,
  type Run,
  releaseLease,
  saveState,
  store,
  storeCheckpoint,
} from './sequencer-store.ts';

/** Short, because the epoch makes a second sequencer harmless and a crashed one must be replaced soon. */
const LEASE_MS = 3_000;
const RENEW_MS = 2_000;
/** A head is signed at most every second while the tree grows, and this often while it rests, to stay young. */
const SIGN_GROWING_MS = 1_000;
const SIGN_RESTING_MS = 10_000;
/** Levels whose hashes tiles are made of (C2SP tlog-tiles). */
const TILE_HEIGHT = 8;

export interface SequencerDeps {
  readonly database: Database;
  readonly logger: Logger;
  readonly now: () => Timestamp;
  /** Signs checkpoints under the origin it names. */
  readonly signer: NoteSigner;
  /** Names this process among the nodes. */
  readonly owner: string;
}

export interface Sequencer {
  /** Sequences what is there and signs when it is time. `moved`: something new is in the tree or signed. */
  step(options?: { readonly signNow?: boolean }): Promise<'idle' | 'moved' | 'not-mine'>;
  release(): Promise<void>;
}

interface Step {
  readonly frontier: Frontier;
  readonly appended: number;
  readonly drained: boolean;
}

export function createSequencer({ database, logger, now, signer, owner }: SequencerDeps): Sequencer {
  let epoch: number | undefined;
  let leaseUntil = 0;
  let signed: { size: number; at: number } | undefined;

  const own = async (): Promise<boolean> => {
    if (epoch !== undefined) return true;
    epoch = await acquire(database, owner, now(), now() + LEASE_MS);
    if (epoch === undefined) return false;
    leaseUntil = 0;
    signed = await latestCheckpoint(database);
    logger.info('sequencing', { epoch });
    return true;
  };

  const advance = async (tx: Sql, mine: number): Promise<Step | undefined> => {
    const state = await hold(tx, owner, mine);
    if (state === undefined) return undefined;
    const { leaves, drained } = gaplessLeaves(await pendingLeaves(tx));
    const before = decodeFrontier(state.frontier);
    const { frontier, nodes } = grow(before, leaves);
    if (leaves.length > 0) {
      await store(tx, runsOf(before.size, leaves), nodes);
    }
    if (leaves.length > 0 || leaseUntil - now() < RENEW_MS) {
      leaseUntil = now() + LEASE_MS;
      await saveState(tx, { size: frontier.size, frontier: encodeFrontier(frontier) }, leaseUntil);
    }
    reached('log.before-commit');
    return { frontier, appended: leaves.length, drained };
  };

  const sign = async ({ frontier, drained }: Step, since: number, mine: number): Promise<void> => {
    const root = frontierRoot(frontier, sha256);
    const note = await signNote(encodeCheckpoint({ origin: signer.name, size: frontier.size, root }), signer);
    // While a backlog remains the head says nothing about "until now": its age goes on counting from the last full one.
    const at = drained ? since : (signed?.at ?? 0);
    reached('log.signed');
    await storeCheckpoint(database, { size: frontier.size, root, note, at }, owner, mine);
    reached('log.stored');
    signed = { size: frontier.size, at };
  };

  const due = (step: Step, signNow: boolean): boolean => {
    if (signed === undefined) return true;
    const grown = step.frontier.size > signed.size;
    if (signNow) return grown || step.drained;
    return now() - signed.at >= (grown ? SIGN_GROWING_MS : SIGN_RESTING_MS);
  };

  return {
    async step({ signNow = false } = {}) {
      if (!(await own()) || epoch === undefined) return 'not-mine';
      const [since, mine] = [now(), epoch];
      const step = await database.transaction((tx) => advance(tx, mine));
      reached('log.committed');
      if (step === undefined) {
        epoch = undefined;
        return 'not-mine';
      }
      const signing = due(step, signNow);
      if (signing) await sign(step, since, mine);
      return step.appended > 0 || signing ? 'moved' : 'idle';
    },
    async release() {
      if (epoch !== undefined) await releaseLease(database, owner, epoch);
      epoch = undefined;
    },
  };
}

/** Whether an error means that nobody may sequence until the data was looked at. */
export function isDamage(error: unknown): boolean {
  return error instanceof SealpostError && error.code === 'ERR_LOG_GAP';
}

function grow(before: Frontier, leaves: readonly NewLeaf[]): { frontier: Frontier; nodes: Node[] } {
  const nodes: Node[] = [];
  let frontier = before;
  for (const { leafHash } of leaves) {
    frontier = appendLeaf(frontier, leafHash, sha256, (level, idx, hash) => {
      if (level > 0 && level % TILE_HEIGHT === 0) nodes.push({ level, idx, hash });
    });
  }
  return { frontier, nodes };
}

/** Leaves come lane by lane in order, so each lane is one run of positions. */
function runsOf(size: number, leaves: readonly NewLeaf[]): Run[] {
  const runs: Run[] = [];
  for (const [at, { lane, seq }] of leaves.entries()) {
    const last = runs.at(-1);
    if (last?.lane === lane) runs[runs.length - 1] = { ...last, count: last.count + 1 };
    else runs.push({ position: size + at, lane, firstSeq: seq, count: 1 });
  }
  return runs;
}

/** Throws ERR_LOG_GAP when a lane misses an event below its head. `drained`: the heads are reached. */
function gaplessLeaves(rows: readonly PendingRow[]): { leaves: NewLeaf[]; drained: boolean } {
  const leaves: NewLeaf[] = [];
  let drained = true;
  for (const [at, { lane, head, sequenced, seq, leafHash }] of rows.entries()) {
    const before = rows[at - 1]?.lane === lane ? rows[at - 1]?.seq : sequenced;
    if (seq === null || leafHash === null || seq !== (before ?? 0) + 1) throw logError('ERR_LOG_GAP');
    leaves.push({ lane, seq, leafHash });
    if (rows[at + 1]?.lane === lane || seq === head) continue;
    if (seq - sequenced < LANE_SHARE) throw logError('ERR_LOG_GAP');
    drained = false;
  }
  return { leaves, drained };
}
