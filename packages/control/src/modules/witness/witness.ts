/**
 * The witness: follows the gateway's log, checks that each checkpoint only adds to the one before (RFC 9162 section
 * 2.1.4) and cosigns it (C2SP cosignature/v1). What it has seen is stored before it signs, so it never vouches for two
 * histories, not even across a restart or a second node.
 */
import type { Signer } from '@sealpost/crypto/signer';
import type { Database, Logger, Sql, Surroundings } from '@sealpost/platform';
import { equalBytes, fromBase64url, SealpostError, type Trust } from '@sealpost/protocol';
import {
  appendSignature,
  type Checkpoint,
  consistencyProof,
  cosignatureLine,
  type NoteSigner,
  openCheckpoint,
  parseVerifierKey,
  readerFromTiles,
  type VerifierKey,
  verifyConsistency,
} from '@sealpost/tlog';
import type { GatewayClient } from '../../gateway/gateway-client.ts';
import { reached } from '../../points.ts';
import type { LogSource } from './log-source.ts';

/** `inconsistent` is evidence against the log's operator; it is logged as an error and never cosigned. */
export type WitnessVerdict = 'cosigned' | 'nothing new' | 'older' | 'rejected' | 'inconsistent' | 'unproven';

export interface Witness {
  /** Looks at the newest checkpoint once. Rejects only when database or gateway are away. */
  look(): Promise<WitnessVerdict>;
  start(): void;
  stop(): Promise<void>;
}

export interface WitnessDeps {
  readonly database: Database;
  readonly source: LogSource;
  readonly gateway: Pick<GatewayClient, 'cosign'>;
  readonly trust: Trust;
  /** Ed25519: `control.witness` of the trust file. */
  readonly signer: Signer;
  readonly surroundings: Surroundings;
  readonly logger: Logger;
}

const EVERY = 2000;
type Seen = Pick<Checkpoint, 'size' | 'root'>;

export function createWitness(deps: WitnessDeps): Witness {
  const { database, source, gateway, trust, surroundings, logger } = deps;
  const logKey = keyOf(trust.gateway.log);
  const ownKey = keyOf(trust.control.witness);
  const signer = noteSignerOf(deps.signer, ownKey.name);
  let [posted, timer, looking] = [0, undefined as NodeJS.Timeout | undefined, Promise.resolve()];

  const look = async (): Promise<WitnessVerdict> => {
    const note = await source.checkpoint();
    if (note === undefined) return 'nothing new';
    const opened = await openCheckpoint(note, { logKey, witnessKeys: [ownKey] });
    if (opened.kind === 'rejected') return 'rejected';
    const { checkpoint } = opened;
    const seen = await seenOf(database, logKey.name);
    if (checkpoint.size < seen.size) return 'older';
    if (checkpoint.size === seen.size && !equalBytes(checkpoint.root, seen.root) && seen.size > 0)
      return 'inconsistent';
    if (opened.cosignedBy.length > 0 || checkpoint.size === posted) return 'nothing new';
    if (checkpoint.size > seen.size) {
      const verdict = await extendsSeen(seen, checkpoint, source);
      if (verdict !== 'consistent') return verdict;
      if (!(await advance(database, logKey.name, seen, checkpoint, surroundings.now()))) return 'nothing new';
    }
    const line = await cosignatureLine(note, signer, Math.floor(surroundings.now() / 1000));
    reached('witness.advanced');
    await gateway.cosign(appendSignature(note, line));
    posted = checkpoint.size;
    return 'cosigned';
  };
  const lookQuietly = async () => {
    try {
      const verdict = await look();
      if (verdict === 'rejected' || verdict === 'inconsistent') logger.error('log not cosigned', { reason: verdict });
    } catch (error) {
      logger.debug('log not read', { code: error instanceof SealpostError ? error.code : 'ERR_GATEWAY_AWAY' });
    }
  };
  return {
    look,
    start() {
      // One look after another, however long one takes.
      timer = setInterval(() => {
        looking = looking.then(lookQuietly);
      }, EVERY);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      await looking;
    },
  };
}

async function extendsSeen(seen: Seen, next: Checkpoint, source: LogSource): Promise<'consistent' | WitnessVerdict> {
  if (seen.size === 0) return 'consistent';
  let proof: Uint8Array[];
  try {
    proof = await consistencyProof(seen.size, next.size, readerFromTiles(next.size, source.tile));
  } catch {
    // Tiles that are missing or of a wrong length prove nothing either way.
    return 'unproven';
  }
  const claim = { first: seen.size, second: next.size, firstRoot: seen.root, secondRoot: next.root, proof };
  return verifyConsistency(claim) ? 'consistent' : 'inconsistent';
}

async function seenOf(sql: Sql, origin: string): Promise<Seen> {
  const text = 'SELECT size, root FROM witness_seen WHERE origin = $1';
  return (await sql.query<Seen>('witness-seen', text, [origin]))[0] ?? { size: 0, root: new Uint8Array(32) };
}

/** Compare-and-set: of two nodes that saw different histories only one moves on. */
async function advance(sql: Sql, origin: string, seen: Seen, next: Checkpoint, now: number): Promise<boolean> {
  const rows = await sql.query(
    'witness-advance',
    `INSERT INTO witness_seen (origin, size, root, seen_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root, seen_at = excluded.seen_at
       WHERE witness_seen.size = $5 RETURNING 1 AS moved`,
    [origin, next.size, next.root, now, seen.size],
  );
  return rows.length === 1;
}

function keyOf(text: string): VerifierKey {
  const parsed = parseVerifierKey(text);
  if (parsed.kind !== 'parsed') throw new TypeError('the trust file holds a malformed verifier key');
  return parsed.key;
}

function noteSignerOf(signer: Signer, name: string): NoteSigner {
  const publicKey = fromBase64url(signer.publicJwk.x);
  if (publicKey === undefined) throw new TypeError('a signer’s public key is base64url');
  return { name, publicKey, sign: (bytes) => signer.sign(bytes) };
}
