/**
 * Durable accept (DESIGN section 15): how many envelopes a second the gateway stores, in process and over HTTP, against raw
 * baselines of the same run on the same embedded PostgreSQL with fsync on. Callers, server and PostgreSQL share the cores.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, createServer, migrate, openDatabase, type Server, systemSurroundings } from '@sealpost/platform';
import { canonicalBytes, type Envelope } from '@sealpost/protocol';
import { encodeVerifierKey } from '@sealpost/tlog';
import { createDatabase, startPostgres } from '../packages/cli/src/postgres/index.ts';
import { createBlobs, openDiskStore } from '../packages/gateway/src/modules/blobs/index.ts';
import { createBundles } from '../packages/gateway/src/modules/bundle/index.ts';
import { createDirectory } from '../packages/gateway/src/modules/directory/index.ts';
import type { Draft } from '../packages/gateway/src/modules/envelopes/accept-statement.ts';
import {
  createEnvelopes,
  createGroupCommit,
  createLookups,
  registerEnvelopeRoutes,
} from '../packages/gateway/src/modules/envelopes/index.ts';
import { createGroups } from '../packages/gateway/src/modules/groups/index.ts';
import { createLog, laneOf, prepareEvent } from '../packages/gateway/src/modules/log/index.ts';
import { createBus } from '../packages/gateway/src/platform/bus.ts';
import { sha256 } from '../packages/gateway/src/platform/hash.ts';
import {
  bundleOf,
  makeEnvelope,
  seedConversations,
  signedBundle,
  submit,
} from '../packages/gateway/test/support/envelopes.ts';
import { createOrganisation } from '../packages/gateway/test/support/organisation.ts';
import { createMeter, type Measured, type Meter, runPgbench } from './support/load.ts';

const CONVERSATIONS = 256;
const CALLERS = 512;
const SQL_FOLDER = join(import.meta.dirname, '../packages/gateway/sql');

const RAW_TABLE = 'CREATE TABLE raw_row (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea NOT NULL)';
/** Stored as the envelopes are, so that the baseline is not slowed by compression that we switched off. */
const RAW_STORAGE = 'ALTER TABLE raw_row ALTER COLUMN body SET STORAGE EXTERNAL, SET (toast_tuple_target = 8160)';
const RAW_ONE = 'INSERT INTO raw_row (body) VALUES ($1)';
const RAW_HUNDRED = `
INSERT INTO raw_row (body) SELECT substring($1::bytea FROM ($2 * (n - 1) + 1) FOR $2) FROM generate_series(1, 100) AS n`;

interface Line extends Partial<Measured> {
  readonly name: string;
  readonly rate: number;
  readonly unit: string;
}

interface Budget {
  readonly name: string;
  readonly ratio: number;
  readonly budget: number;
}

export async function run({ json }: { json: boolean }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sealpost-bench-'));
  // The server's own user must be able to pass.
  chmodSync(folder, 0o711);
  const server = await startPostgres({ dataDir: join(folder, 'postgres'), settings: { max_connections: '300' } });
  try {
    const account = { database: 'bench', role: 'bench', password: 'bench-only' };
    await createDatabase(server, account);
    const result = await measure(
      { host: server.socketDir, port: server.port, database: 'bench', user: 'bench', password: account.password },
      folder,
      createMeter(server.pid),
    );
    report(json, result);
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

type Connection = { host: string; port: number; database: string; user: string; password: string };

interface Result {
  readonly bytes: number;
  readonly lines: Line[];
  readonly budgets: Budget[];
}

async function measure(connection: Connection, folder: string, meter: Meter): Promise<Result> {
  const database = openDatabase({ ...connection, pool: 20 });
  await migrate(database, SQL_FOLDER);
  await database.query('raw-table', RAW_TABLE);
  await database.query('raw-storage', RAW_STORAGE);
  const logger = createLogger('bench', 'error');
  const surroundings = systemSurroundings();
  const organisation = await createOrganisation();
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
  const groupCommit = createGroupCommit({ database, onCommit: () => bus.hint('lane') });
  const envelopes = createEnvelopes({
    log,
    bundles,
    lookups: createLookups({ database, groups, directory, blobs }),
    groupCommit,
    trust,
    surroundings,
    receipts: organisation.keys.receipts.signer,
    origin: organisation.logKey.name,
  });
  await seedConversations(database, organisation, CONVERSATIONS);
  await bus.start();
  await log.start();
  const signed = await signedBundle(organisation, bundleOf(organisation, surroundings.now()), surroundings.now());
  await bundles.apply(signed.bundle, signed.approval);

  let number = 0;
  const envelope = (): Envelope => makeEnvelope(organisation, surroundings, { number: number++ % CONVERSATIONS });
  const sample = canonicalBytes(envelope());

  // Raw baselines: the bytes of an envelope, stored as envelopes are.
  const wide = openDatabase({ ...connection, pool: 64 });
  const oneRow = await meter.run({ callers: 64 }, () => wide.query('raw-one', RAW_ONE, [sample]));
  const hundred = new Uint8Array(sample.length * 100).fill(97);
  const rows100 = times(
    100,
    await meter.run({ callers: 2 }, () => wide.query('raw-100', RAW_HUNDRED, [hundred, sample.length])),
  );
  const pgbench = await runPgbench(connection, sample.length, folder);
  await wide.close();

  // In process. Drafts and signatures are made beforehand: making them is control's work.
  const sign = async (count: number) => submit(organisation, makeMany(count, envelope), surroundings.now());
  const drafts = makeMany(40_000, () => draftOf(envelope(), surroundings.now()));
  const plain = await meter.run({ callers: CALLERS, work: drafts }, (draft) => groupCommit.accept(draft));
  const singles = await makeManyAsync(8_000, () => sign(1));
  const alone = await meter.run({ callers: CALLERS, work: singles }, (submission) => envelopes.submit(submission));
  const hundreds = await makeManyAsync(150, () => sign(100));
  const together = times(
    100,
    await meter.run({ callers: 5, work: hundreds }, (submission) => envelopes.submit(submission)),
  );

  // HTTP over loopback without TLS, so that the no-op POST and the accept differ by our work alone.
  const http = await createServer({
    name: 'bench',
    version: '0',
    logger,
    bodyLimit: 8_500_000,
    ready: async () => undefined,
  });
  registerEnvelopeRoutes(http, { envelopes });
  http.post('/noop', async () => ({ ok: true }));
  const address = await http.listen({ host: '127.0.0.1', port: 0 });
  const intake = `${address}/internal/v1/envelopes`;
  const body = JSON.stringify(await sign(1));
  const noop = await meter.post(
    `${address}/noop`,
    64,
    makeMany(20_000, () => body),
    200,
  );
  const bodies = await makeManyAsync(8_000, async () => JSON.stringify(await sign(1)));
  const single = await meter.post(intake, 64, bodies, 202);
  const batches = await makeManyAsync(150, async () => JSON.stringify(await sign(100)));
  const batch = times(100, await meter.post(intake, 8, batches, 202));
  await close(http);

  await log.settle();
  await log.stop();
  await bus.stop();
  const [{ gapless } = { gapless: false }] = await database.query<{ gapless: boolean }>('check', CHECK);
  await database.close();
  if (!gapless) throw new Error('a lane has a hole or an envelope has no event');

  const base = pgbench ?? oneRow.rate;
  const lines: Line[] = [
    { name: 'one-row transaction, 64 connections, pg named prepared (stand-in for pgbench)', unit: 'tx/s', ...oneRow },
    ...(pgbench === undefined
      ? []
      : [{ name: 'one-row transaction, 64 clients, pgbench -M prepared', unit: 'tx/s', rate: pgbench }]),
    { name: 'raw 100-row insert, 2 connections', unit: 'rows/s', ...rows100 },
    { name: 'no-op POST, 64 connections (client in the same process)', unit: 'req/s', ...noop },
    { name: `in-process accept, ${CALLERS} callers, drafts prepared`, unit: 'msg/s', ...plain },
    { name: `in-process accept, ${CALLERS} callers, one signature each, receipted`, unit: 'msg/s', ...alone },
    { name: 'in-process accept, 5 × 100 a signature, receipted', unit: 'msg/s', ...together },
    { name: 'HTTP single accept, 64 connections', unit: 'msg/s', ...single },
    { name: 'HTTP batch of 100, 8 connections', unit: 'msg/s', ...batch },
  ];
  const budgets: Budget[] = [
    { name: 'in-process accept, no verification ÷ one-row transaction', ratio: plain.rate / base, budget: 6 },
    {
      name: 'in-process accept, batch-signed as the product does it ÷ one-row transaction',
      ratio: together.rate / base,
      budget: 3,
    },
    { name: 'HTTP single accept ÷ no-op POST', ratio: single.rate / noop.rate, budget: 0.3 },
    { name: 'HTTP batch of 100 ÷ raw 100-row insert', ratio: batch.rate / rows100.rate, budget: 0.5 },
  ];
  return { bytes: sample.length, lines, budgets };
}

function times(count: number, { rate, node, postgres }: Measured): Measured {
  return { rate: rate * count, node: node / count, postgres: postgres / count };
}

const CHECK = `
SELECT (SELECT sum(head) FROM lane) = (SELECT count(*) FROM lane_event)
  AND (SELECT count(*) FROM envelope) = (SELECT count(*) FROM lane_event WHERE kind = 'message.accepted')
  AND (SELECT sum(count) FROM log_run) = (SELECT count(*) FROM lane_event) AS gapless`;

function draftOf(envelope: Envelope, now: number): Draft {
  const { message, conversation, recipient, flow, bundle, floor, expires, commitment } = envelope;
  const body = canonicalBytes(envelope);
  const event = {
    ...{ v: 1 as const, kind: 'message.accepted' as const, at: now, message, envelope: commitment as never },
    ...{ conversation, recipient, flow, bundle, floor, expires, commitment },
  };
  const prepared = prepareEvent(event, () => crypto.getRandomValues(new Uint8Array(32)));
  return { envelope, id: sha256(body), body, lane: laneOf(conversation), prepared };
}

function makeMany<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}

async function makeManyAsync<T>(count: number, make: () => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  for (let i = 0; i < count; i++) made.push(await make());
  return made;
}

function close(server: Server): Promise<void> {
  return Promise.resolve(server.close()).then(() => undefined);
}

function report(json: boolean, { bytes, lines, budgets }: Result): void {
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`;
  const load = loadavg()[0] ?? 0;
  if (json) {
    console.log(JSON.stringify({ bench: 'accept', machine, load, bytes, lines, budgets }));
    return;
  }
  console.log(`accept on ${machine}, load ${load.toFixed(1)}; callers, server and PostgreSQL (fsync on) share it`);
  console.log(`an envelope has ${bytes} bytes; right: processor µs of Node and of PostgreSQL for each\n`);
  for (const { name, rate, unit, node, postgres } of lines) {
    const cost = node === undefined ? '' : `${node.toFixed(0).padStart(6)} + ${(postgres ?? 0).toFixed(0)} µs`;
    console.log(`${name.padEnd(80)} ${Math.round(rate).toLocaleString('en').padStart(8)} ${unit.padEnd(6)} ${cost}`);
  }
  console.log('');
  for (const { name, ratio, budget } of budgets) {
    const verdict = ratio >= budget ? 'met' : 'MISSED';
    console.log(`${name.padEnd(80)} ${ratio.toFixed(2).padStart(8)} budget ≥ ${budget}  ${verdict}`);
  }
}
