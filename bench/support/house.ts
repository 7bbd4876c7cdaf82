/**
 * The gateway's modules on the bench's server, built as its `app.ts` builds them: log, bundle with one flow, conversations
 * of one agent with one person each, intake and delivery. What a bench does not start does not run.
 */
import { join } from 'node:path';
import { createDispatchKey } from '@sealpost/crypto/dispatch';
import type { PrivateJwk, Signer } from '@sealpost/crypto/signer';
import {
  createLogger,
  type Database,
  type Logger,
  migrate,
  openDatabase,
  type Surroundings,
  systemSurroundings,
} from '@sealpost/platform';
import type { Envelope, Submission } from '@sealpost/protocol';
import { encodeVerifierKey } from '@sealpost/tlog';
import { createBlobs, openDiskStore } from '../../packages/gateway/src/modules/blobs/index.ts';
import { createBundles } from '../../packages/gateway/src/modules/bundle/index.ts';
import { createDelivery, type Delivery } from '../../packages/gateway/src/modules/delivery/index.ts';
import { createDirectory } from '../../packages/gateway/src/modules/directory/index.ts';
import {
  createEnvelopes,
  createGroupCommit,
  createLookups,
  type Envelopes,
  type GroupCommit,
} from '../../packages/gateway/src/modules/envelopes/index.ts';
import { createGroups, type Groups } from '../../packages/gateway/src/modules/groups/index.ts';
import { createLog, type Log } from '../../packages/gateway/src/modules/log/index.ts';
import { createRouter } from '../../packages/gateway/src/modules/routing/index.ts';
import { createBus } from '../../packages/gateway/src/platform/bus.ts';
import {
  bundleOf,
  FLOW,
  makeEnvelope,
  seedConversations,
  signedBundle,
  submit,
} from '../../packages/gateway/test/support/envelopes.ts';
import { createOrganisation, type Organisation } from '../../packages/gateway/test/support/organisation.ts';
import type { BenchServer } from './server.ts';

export const CONVERSATIONS = 256;
const SQL_FOLDER = join(import.meta.dirname, '../../packages/gateway/sql');

export interface House {
  readonly database: Database;
  readonly organisation: Organisation;
  readonly dispatch: { readonly id: string; readonly publicKey: string; readonly privateJwk: PrivateJwk };
  /** The key all seeded devices share. */
  readonly device: Signer;
  readonly surroundings: Surroundings;
  readonly logger: Logger;
  readonly log: Log;
  readonly groups: Groups;
  readonly groupCommit: GroupCommit;
  readonly envelopes: Envelopes;
  readonly delivery: Delivery;
  /** An envelope that meets every rule; the conversations in turn unless one is named. */
  envelope(number?: number): Envelope;
  /** A submission of fresh envelopes under one signature of control. */
  submission(count: number): Promise<Submission>;
  /** Everything accepted is in the tree. */
  settle(): Promise<void>;
}

export interface HouseOptions {
  /** Milliseconds after which the notice goes out. */
  readonly noticeAfter: number;
  /** Nobody seeded: the bench brings its own people. */
  readonly empty?: boolean;
}

export async function withHouse<T>(
  { connection, folder }: BenchServer,
  { noticeAfter, empty = false }: HouseOptions,
  work: (house: House) => Promise<T>,
): Promise<T> {
  const database = openDatabase({ ...connection, pool: 20 });
  try {
    await migrate(database, SQL_FOLDER);
    const logger = createLogger('bench', 'error');
    const surroundings = systemSurroundings();
    const { key, privateJwk } = await createDispatchKey();
    const made = await createOrganisation();
    const dispatch = { id: key.id, publicKey: key.publicKey };
    const organisation = { ...made, trust: { ...made.trust, dispatch } };
    const { trust } = organisation;
    const bus = createBus({ database, logger });
    const log = createLog({
      database,
      bus,
      logger,
      surroundings,
      signer: organisation.logSigner,
      logKey: encodeVerifierKey(organisation.logKey),
      verifier: organisation.logKey,
      witness: organisation.witnessKey,
    });
    const bundles = createBundles({ database, log, bus, trust, surroundings });
    const directory = createDirectory({ database, surroundings, trust, log, bus });
    const groups = createGroups({ database, surroundings, trust, log, bus, directory });
    const store = await openDiskStore(join(folder, 'blobs'), surroundings);
    const blobs = createBlobs({ database, surroundings, store, groups });
    const running = () => bundles.current()?.bundle;
    const delivery = createDelivery({
      ...{ database, bus, logger, surroundings, log, groups, directory },
      organisation: trust.organisation,
      flowAt: bundles.flowAt,
      bundle: running,
      router: createRouter({ surroundings, bundle: running }),
    });
    const groupCommit = createGroupCommit({ database, onCommit: () => bus.hint('lane') });
    const envelopes = createEnvelopes({
      ...{ log, bundles, groupCommit, trust, surroundings },
      lookups: createLookups({ database, groups, directory, blobs }),
      receipts: organisation.keys.receipts.signer,
      origin: organisation.logKey.name,
    });
    const device = await seedConversations(database, organisation, empty ? 0 : CONVERSATIONS);
    await bus.start();
    await log.start();
    try {
      const bundle = benchBundle(organisation, surroundings.now(), noticeAfter);
      const signed = await signedBundle(organisation, bundle, surroundings.now());
      await bundles.apply(signed.bundle, signed.approval);
      let number = 0;
      const envelope = (wished = number++ % CONVERSATIONS) =>
        makeEnvelope(organisation, surroundings, { number: wished });
      return await work({
        ...{ database, organisation, device, surroundings, logger, log, groups, groupCommit, envelopes, delivery },
        dispatch: { ...dispatch, privateJwk },
        envelope,
        submission: (count) =>
          submit(
            organisation,
            Array.from({ length: count }, () => envelope()),
            surroundings.now(),
          ),
        settle: () => log.settle(),
      });
    } finally {
      await log.stop();
      await bus.stop();
    }
  } finally {
    await database.close();
  }
}

function benchBundle(organisation: Organisation, now: number, after: number) {
  const bundle = bundleOf(organisation, now);
  const flows = bundle.flows.map((flow) =>
    flow.name === FLOW
      ? { ...flow, ladder: flow.ladder.map((step) => (step.channel === 'app' ? step : { ...step, after })) }
      : flow,
  );
  return { ...bundle, flows };
}
