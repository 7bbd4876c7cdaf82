/**
 * Flows: the one bundle control runs, from an operator's signature to the lookup of a flow. A bundle is stored only when
 * the gateway has taken it, so that both run the same; after a crash in between, the same call made again settles it.
 */
import { verifyJws } from '@sealpost/crypto/verify';
import type { Database, Logger, Sql, Surroundings } from '@sealpost/platform';
import {
  type ApprovedObject,
  BUNDLE_TYPE,
  type Bundle,
  bundleSchema,
  type CompiledFlow,
  type KeyId,
  SealpostError,
  type Trust,
} from '@sealpost/protocol';
import type { GatewayClient } from '../../gateway/gateway-client.ts';
import { reached } from '../../points.ts';
import type { Identity } from '../identity/index.ts';
import { faultOf } from './check-bundle.ts';
import { flowsError } from './flows-errors.ts';

export interface RunningBundle {
  readonly bundle: Bundle;
  readonly jws: string;
}

export interface Flows {
  /** `undefined` before the first bundle, and once the running one has expired. */
  current(): RunningBundle | undefined;
  flow(name: string): CompiledFlow | undefined;
  /** The same, but throws ERR_FLOWS_UNKNOWN. */
  knownFlow(name: string): CompiledFlow;
  apply(object: ApprovedObject<'bundle.apply'>, approval: string): Promise<'done' | 'already'>;
  /** The kill switch: at once, and the same call made again after a lost answer changes nothing. */
  switchVendor(object: ApprovedObject<'vendor.switch'>, approval: string): Promise<'done' | 'already'>;
  /** Loads the stored bundle and gives it to the gateway if that has an older one. */
  start(): Promise<void>;
  stop(): void;
}

export interface FlowsDeps {
  readonly database: Database;
  readonly gateway: Pick<GatewayClient, 'bundle' | 'putBundle' | 'putVendor'>;
  readonly identity: Pick<Identity, 'approve' | 'spend'>;
  readonly trust: Trust;
  readonly surroundings: Surroundings;
  readonly logger: Logger;
  /** Called with each bundle before it runs; throws when it cannot. */
  readonly onBundle?: (bundle: Bundle) => void;
}

interface BundleRow {
  readonly version: number;
  readonly jws: string;
  readonly approval: string;
}

/** How often another node's newer bundle is looked for. */
const REFRESH = 1000;

export function createFlows(deps: FlowsDeps): Flows {
  const { database, gateway, identity, trust, surroundings, logger } = deps;
  let running: RunningBundle | undefined;
  let timer: NodeJS.Timeout | undefined;

  const run = (bundle: Bundle, jws: string) => {
    if (running !== undefined && running.bundle.version >= bundle.version) return;
    deps.onBundle?.(bundle);
    running = { bundle, jws };
    logger.info('bundle running', { version: bundle.version, count: bundle.flows.length });
  };
  const verified = async (jws: string): Promise<Bundle> => {
    const keys = (id: KeyId) => trust.operators.find((operator) => operator.id === id)?.jwk;
    const verdict = await verifyJws(jws, { typ: BUNDLE_TYPE, keys, schema: bundleSchema });
    if (verdict.kind === 'refused') {
      throw flowsError('ERR_FLOWS_SIGNATURE', { details: [{ pointer: '/object/bundle', detail: verdict.reason }] });
    }
    if (verdict.payload.organisation !== trust.organisation) throw flowsError('ERR_FLOWS_ORGANISATION');
    return verdict.payload;
  };
  const mayRun = (bundle: Bundle) => {
    if (bundle.expires <= surroundings.now()) throw flowsError('ERR_FLOWS_EXPIRED');
    const fault = faultOf(bundle);
    if (fault !== undefined) throw flowsError(fault);
  };
  const refresh = async () => {
    const row = await newest(database);
    if (row === undefined || row.version <= (running?.bundle.version ?? 0)) return row;
    run(await verified(row.jws), row.jws);
    return row;
  };
  const current = () => (running !== undefined && running.bundle.expires > surroundings.now() ? running : undefined);
  const flow = (name: string) => current()?.bundle.flows.find((candidate) => candidate.name === name);
  return {
    current,
    flow,
    knownFlow(name) {
      const known = flow(name);
      if (known === undefined) throw flowsError('ERR_FLOWS_UNKNOWN');
      return known;
    },
    async apply(object, approval) {
      const allowed = await identity.approve('bundle.apply', object, approval);
      const bundle = await verified(object.bundle);
      const stored = await newest(database);
      if (stored !== undefined && stored.jws === object.bundle) return 'already';
      if (stored !== undefined && bundle.version <= stored.version) throw flowsError('ERR_FLOWS_VERSION');
      mayRun(bundle);
      await gateway.putBundle(object.bundle, approval);
      reached('flows.offered');
      await database.transaction(async (tx) => {
        await identity.spend(tx, allowed);
        await store(tx, bundle.version, object.bundle, approval, surroundings.now());
      });
      reached('flows.stored');
      run(bundle, object.bundle);
      return 'done';
    },
    async switchVendor(object, approval) {
      const allowed = await identity.approve('vendor.switch', object, approval);
      const { vendor, open } = object;
      const outcome = await gateway.putVendor(vendor, { open, by: allowed.approver });
      await database.transaction((tx) => identity.spend(tx, allowed));
      return outcome;
    },
    async start() {
      const row = await refresh();
      if (row !== undefined) await offer(row, gateway, logger);
      timer = setInterval(() => void refresh().catch(() => logger.warn('bundle not refreshed')), REFRESH);
      timer.unref();
    },
    stop: () => clearInterval(timer),
  };
}

async function newest(sql: Sql): Promise<BundleRow | undefined> {
  const text = 'SELECT version, jws, approval FROM bundle ORDER BY version DESC LIMIT 1';
  return (await sql.query<BundleRow>('bundle-newest', text))[0];
}

async function store(tx: Sql, version: number, jws: string, approval: string, now: number): Promise<void> {
  const text = 'INSERT INTO bundle (version, jws, approval, applied_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING';
  await tx.query('bundle-store', text, [version, jws, approval, now]);
}

/** A gateway restored from a backup may run an older bundle. One that is away does not keep control from starting. */
async function offer(row: BundleRow, gateway: FlowsDeps['gateway'], logger: Logger): Promise<void> {
  try {
    const { version } = await gateway.bundle();
    if (version < row.version) await gateway.putBundle(row.jws, row.approval);
  } catch (error) {
    const code = error instanceof SealpostError ? error.code : 'ERR_GATEWAY_AWAY';
    logger.warn('bundle not offered to the gateway', { code, version: row.version });
  }
}
