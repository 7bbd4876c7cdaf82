/**
 * Durable accept (DESIGN section 15): how many envelopes a second the gateway stores, in process and over HTTP, against raw
 * baselines of the same run on the same embedded PostgreSQL with fsync on. Callers, server and PostgreSQL share the cores.
 */
import { createServer } from '@sealpost/platform';
import { canonicalBytes, type Envelope } from '@sealpost/protocol';
import type { Draft } from '../packages/gateway/src/modules/envelopes/accept-statement.ts';
import { registerEnvelopeRoutes } from '../packages/gateway/src/modules/envelopes/index.ts';
import { laneOf, prepareEvent } from '../packages/gateway/src/modules/log/index.ts';
import { sha256 } from '../packages/gateway/src/platform/hash.ts';
import { measureBaseline } from './support/baseline.ts';
import { type House, withHouse } from './support/house.ts';
import { type Measured, type Meter, makeMany, makeManyAsync, times } from './support/load.ts';
import type { BenchOptions, Result } from './support/report.ts';
import { type BenchServer, withServer } from './support/server.ts';

const CALLERS = 512;
const BATCH = 100;
const AMOUNTS = {
  usual: { drafts: 40_000, singles: 8_000, batches: 150, noops: 20_000 },
  quick: { drafts: 400, singles: 40, batches: 1, noops: 40 },
};

export function run(options: BenchOptions): Promise<Result> {
  return withServer(options, (server) =>
    withHouse(server, { noticeAfter: 30_000 }, (house) => measure(server, house, options)),
  );
}

async function measure(server: BenchServer, house: House, { quick }: BenchOptions): Promise<Result> {
  const { meter } = server;
  const amounts = quick ? AMOUNTS.quick : AMOUNTS.usual;
  const bytes = canonicalBytes(house.envelope()).length;
  const base = await measureBaseline(server, bytes);

  // In process. Drafts and signatures are made beforehand: making them is control's work.
  const drafts = makeMany(amounts.drafts, () => draftOf(house.envelope(), house.surroundings));
  const plain = await meter.run({ callers: CALLERS, work: drafts }, (draft) => house.groupCommit.accept(draft));
  const singles = await makeManyAsync(amounts.singles, () => house.submission(1));
  const alone = await meter.run({ callers: CALLERS, work: singles }, (one) => house.envelopes.submit(one));
  const batches = await makeManyAsync(amounts.batches, () => house.submission(BATCH));
  const together = times(
    BATCH,
    await meter.run({ callers: 5, work: batches }, (batch) => house.envelopes.submit(batch)),
  );
  const http = await measureHttp(house, meter, amounts);

  await house.settle();
  const counted = await countAndCheck(house);
  return {
    bench: 'accept',
    about: [`an envelope has ${bytes} bytes`],
    lines: [
      ...base.lines,
      { name: 'no-op POST, 64 connections (client in the same process)', unit: 'req/s', ...http.noop },
      { name: `in-process accept, ${CALLERS} callers, drafts prepared`, unit: 'msg/s', ...plain },
      { name: `in-process accept, ${CALLERS} callers, one signature each, receipted`, unit: 'msg/s', ...alone },
      { name: `in-process accept, 5 × ${BATCH} a signature, receipted`, unit: 'msg/s', ...together },
      { name: 'HTTP single accept, 64 connections', unit: 'msg/s', ...http.single },
      { name: `HTTP batch of ${BATCH}, 8 connections`, unit: 'msg/s', ...http.batch },
    ],
    budgets: [
      least('in-process accept, no verification ÷ one-row transaction', plain.rate / base.oneRow, 6),
      least('in-process accept, batch-signed as the product does it ÷ one-row', together.rate / base.oneRow, 3),
      least('HTTP single accept ÷ no-op POST', http.single.rate / http.noop.rate, 0.3),
      least(`HTTP batch of ${BATCH} ÷ raw 100-row insert`, http.batch.rate / base.hundred.rate, 0.5),
    ],
    counted,
  };
}

const least = (name: string, value: number, budget: number) => ({ name, value, budget, bound: 'least' }) as const;

interface OverHttp {
  readonly noop: Measured;
  readonly single: Measured;
  readonly batch: Measured;
}

/** Over loopback without TLS, so that the no-op POST and the accept differ by our work alone. */
async function measureHttp(house: House, meter: Meter, amounts: typeof AMOUNTS.usual): Promise<OverHttp> {
  const server = await createServer({
    name: 'bench',
    version: '0',
    logger: house.logger,
    bodyLimit: 8_500_000,
    ready: async () => undefined,
  });
  registerEnvelopeRoutes(server, { envelopes: house.envelopes });
  server.post('/noop', async () => ({ ok: true }));
  try {
    const address = await server.listen({ host: '127.0.0.1', port: 0 });
    const intake = `${address}/internal/v1/envelopes`;
    const bodyOf = async (count: number) => JSON.stringify(await house.submission(count));
    const idle = await bodyOf(1);
    const noops = makeMany(amounts.noops, () => idle);
    const noop = await meter.post(`${address}/noop`, 64, noops, 200);
    const singles = await makeManyAsync(amounts.singles, () => bodyOf(1));
    const single = await meter.post(intake, 64, singles, 202);
    const batches = await makeManyAsync(amounts.batches, () => bodyOf(BATCH));
    const batch = times(BATCH, await meter.post(intake, 8, batches, 202));
    return { noop, single, batch };
  } finally {
    await server.close();
  }
}

const CHECK = `
SELECT (SELECT count(*)::int FROM envelope) AS envelopes,
  (SELECT sum(head) FROM lane) = (SELECT count(*) FROM lane_event)
  AND (SELECT count(*) FROM envelope) = (SELECT count(*) FROM lane_event WHERE kind = 'message.accepted')
  AND (SELECT sum(count) FROM log_run) = (SELECT count(*) FROM lane_event) AS gapless`;

async function countAndCheck({ database }: House): Promise<{ envelopes: number }> {
  const [row] = await database.query<{ envelopes: number; gapless: boolean }>('bench-check', CHECK);
  if (row?.gapless !== true) throw new Error('a lane has a hole or an envelope has no event');
  return { envelopes: row.envelopes };
}

export function draftOf(envelope: Envelope, { now, random }: House['surroundings']): Draft {
  const { message, conversation, recipient, flow, bundle, floor, expires, commitment } = envelope;
  const body = canonicalBytes(envelope);
  const event = {
    ...{ v: 1 as const, kind: 'message.accepted' as const, at: now(), message, envelope: commitment as never },
    ...{ conversation, recipient, flow, bundle, floor, expires, commitment },
  };
  return { envelope, id: sha256(body), body, lane: laneOf(conversation), prepared: prepareEvent(event, random) };
}
