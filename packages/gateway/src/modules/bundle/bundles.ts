/**
 * The bundle in force. A new one is checked, stored and logged in one transaction under the lock of its lane, so versions
 * rise on every node alike; other nodes hear of it by a hint and look anyway after a second.
 */
import { verifyApproval, verifyJws } from '@sealpost/crypto/verify';
import type { Database, Sql, Surroundings } from '@sealpost/platform';
import {
  BUNDLE_TYPE,
  type Bundle,
  bundleSchema,
  type CompiledFlow,
  type FlowName,
  type KeyId,
  type Trust,
  toBase64url,
  utf8,
} from '@sealpost/protocol';
import type { Bus } from '../../platform/bus.ts';
import { sha256 } from '../../platform/hash.ts';
import { reached } from '../../points.ts';
import { type Log, laneOf } from '../log/index.ts';
import { bundleError } from './bundle-errors.ts';
import { faultOf } from './bundle-rules.ts';

const LANE_KEY = 'bundle';
const FRESH_MS = 1_000;

export interface BundlesDeps {
  readonly database: Database;
  readonly log: Log;
  readonly bus: Bus;
  readonly trust: Trust;
  readonly surroundings: Surroundings;
}

export interface RunningBundle {
  readonly bundle: Bundle;
  readonly jws: string;
}

export interface Bundles {
  /** The newest bundle this node has seen, expired or not; `undefined` before the first. */
  current(): RunningBundle | undefined;
  flow(name: FlowName): CompiledFlow | undefined;
  /** A flow as an older version had it: what was accepted under a bundle is delivered under it. */
  flowAt(version: number, name: FlowName): Promise<CompiledFlow | undefined>;
  /** Looks again when the last look is older than a second, or `version` is not the one known. */
  fresh(version?: number): Promise<RunningBundle | undefined>;
  /** Idempotent for the same bytes. Throws ERR_BUNDLE_… and changes nothing. */
  apply(jws: string, approval: string): Promise<Bundle>;
  start(): Promise<void>;
  stop(): void;
}

type Indexed = RunningBundle & { readonly flows: ReadonlyMap<string, CompiledFlow> };
type Row = { version: number; digest: string; jws: string };

const NEWEST = 'SELECT version, digest, jws FROM bundle ORDER BY version DESC LIMIT 1';
const AT = 'SELECT jws FROM bundle WHERE version = $1';
const OLDER_KEPT = 16;
const INSERT = 'INSERT INTO bundle (version, digest, jws, approval, applied_at) VALUES ($1, $2, $3, $4, $5)';

export function createBundles({ database, log, bus, trust, surroundings }: BundlesDeps): Bundles {
  let running: Indexed | undefined;
  const older = new Map<number, Indexed>();
  let looked = Number.NEGATIVE_INFINITY;
  let off: () => void = () => undefined;

  const verified = async (jws: string): Promise<{ bundle: Bundle; operator: KeyId }> => {
    const keys = (id: KeyId) => trust.operators.find((operator) => operator.id === id)?.jwk;
    const verdict = await verifyJws(jws, { typ: BUNDLE_TYPE, keys, schema: bundleSchema });
    if (verdict.kind === 'refused') {
      throw bundleError('ERR_BUNDLE_SIGNATURE', { details: [{ pointer: '/bundle', detail: verdict.reason }] });
    }
    return { bundle: verdict.payload, operator: verdict.keyId };
  };

  const requireApproval = async (jws: string, approval: string, operator: KeyId) => {
    const context = { approvers: trust.approvers, organisation: trust.organisation, now: surroundings.now() };
    const verdict = await verifyApproval(approval, { bundle: jws }, 'bundle.apply', context);
    const reason =
      verdict.kind === 'refused' ? verdict.reason : verdict.approval.approver === operator && 'same person';
    if (reason !== false) {
      throw bundleError('ERR_BUNDLE_APPROVAL', { details: [{ pointer: '/approval', detail: reason }] });
    }
  };

  const requireSound = (bundle: Bundle) => {
    if (bundle.organisation !== trust.organisation) throw bundleError('ERR_BUNDLE_ORGANISATION');
    if (bundle.expires <= surroundings.now()) throw bundleError('ERR_BUNDLE_EXPIRED');
    const fault = faultOf(bundle);
    if (fault !== undefined) throw bundleError(fault.code, { details: fault.details });
  };

  /** What is stored was verified when it came; it is verified again, so that the database alone cannot change a flow. */
  const load = async () => {
    const [row] = await database.query<Row>('bundle-newest', NEWEST);
    looked = surroundings.now();
    if (row === undefined || row.version <= (running?.bundle.version ?? 0)) return;
    const newer = index((await verified(row.jws)).bundle, row.jws);
    if (newer.bundle.version > (running?.bundle.version ?? 0)) running = newer;
  };

  const at = async (version: number): Promise<Indexed | undefined> => {
    const known = older.get(version);
    if (known !== undefined) return known;
    const [row] = await database.query<{ jws: string }>('bundle-at', AT, [version]);
    if (row === undefined) return undefined;
    const found = index((await verified(row.jws)).bundle, row.jws);
    if (older.size >= OLDER_KEPT) older.clear();
    older.set(version, found);
    return found;
  };

  const insert = async (tx: Sql, bundle: Bundle, jws: string, approval: string, operator: KeyId): Promise<boolean> => {
    await log.lockLane(tx, laneOf(LANE_KEY));
    const [newest] = await tx.query<Row>('bundle-newest', NEWEST);
    const digest = toBase64url(sha256(utf8(jws)));
    if (newest?.version === bundle.version && newest.digest === digest) return false;
    if (newest !== undefined && newest.version >= bundle.version) throw bundleError('ERR_BUNDLE_VERSION');
    const at = surroundings.now();
    await tx.query('bundle-insert', INSERT, [bundle.version, digest, jws, approval, at]);
    const event = { v: 1, kind: 'bundle.applied', at, version: bundle.version, bundle: digest, operator } as const;
    await log.append(tx, [{ laneKey: LANE_KEY, event }]);
    return true;
  };

  return {
    current: () => running,
    flow: (name) => running?.flows.get(name),
    async flowAt(version, name) {
      if (version === running?.bundle.version) return running.flows.get(name);
      return (await at(version))?.flows.get(name);
    },
    async fresh(version) {
      const stale = surroundings.now() - looked >= FRESH_MS;
      if (stale || (version !== undefined && version !== running?.bundle.version)) await load();
      return running;
    },
    async apply(jws, approval) {
      const { bundle, operator } = await verified(jws);
      await requireApproval(jws, approval, operator);
      requireSound(bundle);
      const applied = await database.transaction((tx) => insert(tx, bundle, jws, approval, operator));
      reached('bundle.committed');
      await load();
      if (applied) {
        bus.hint('lane');
        bus.hint('bundle');
      }
      return bundle;
    },
    async start() {
      await load();
      off = bus.on('bundle', () => void load().catch(() => undefined));
    },
    stop: () => off(),
  };
}

function index(bundle: Bundle, jws: string): Indexed {
  return { bundle, jws, flows: new Map<string, CompiledFlow>(bundle.flows.map((flow) => [flow.name, flow])) };
}
