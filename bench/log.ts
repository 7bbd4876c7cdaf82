/**
 * The log (DESIGN section 15): events appended a hundred a transaction until all are under a signed head, and the
 * verification of an export from a file. `--full` verifies the million the budget speaks of; otherwise fewer, and the time
 * is carried over and says so.
 */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@sealpost/crypto/verify';
import { pagesOf, verifyExport } from '@sealpost/tlog';
import { conversationOf } from '../packages/gateway/test/support/envelopes.ts';
import { measureBaseline } from './support/baseline.ts';
import { routeStep, writeExportFile } from './support/export-file.ts';
import { CONVERSATIONS, type House, withHouse } from './support/house.ts';
import { type Measured, type Meter, makeMany } from './support/load.ts';
import type { BenchOptions, Result } from './support/report.ts';
import { withServer } from './support/server.ts';

const BATCH = 100;
const WRITERS = 4;
const MILLION = 1_000_000;
const RECORD_BYTES = 640;

function amountsOf({ quick, full }: BenchOptions): { append: number; verify: number } {
  if (quick) return { append: 1_000, verify: 1_000 };
  return { append: 60_000, verify: full ? MILLION : 100_000 };
}

export function run(options: BenchOptions): Promise<Result> {
  const amounts = amountsOf(options);
  return withServer(options, async (server) => {
    const base = await measureBaseline(server, RECORD_BYTES);
    const { appended, message } = await withHouse(server, { noticeAfter: 30_000 }, async (house) => ({
      appended: await append(house, server.meter, amounts.append),
      message: house.surroundings.messageId(),
    }));
    const file = join(server.folder, 'export.jsonl');
    const { logKey } = await writeExportFile(file, amounts.verify, message);
    const hashed = await server.meter.timed(async () => hashAlone(amounts.verify));
    const verified = await server.meter.timed(() => verify(file, logKey));
    const carried = amounts.verify === MILLION ? '' : ` (carried over from ${amounts.verify})`;
    return {
      bench: 'log',
      about: [`${amounts.append} events, ${BATCH} a transaction, ${WRITERS} writers; export of ${amounts.verify}`],
      lines: [
        ...base.lines,
        { name: 'append, until all are sequenced and signed', unit: 'events/s', ...appended },
        { name: 'three SHA-256 of 128 bytes, which an entry takes at least', unit: 'entries/s', ...hashed },
        { name: 'verify an export', unit: 'entries/s', ...verified },
      ],
      budgets: [
        { name: 'append, events/s', value: appended.rate, budget: 20_000, bound: 'least' },
        { name: `verify 1,000,000, s${carried}`, value: MILLION / verified.rate, budget: 20, bound: 'most' },
        { name: `the same in processor time, s`, value: verified.node, budget: 20, bound: 'most' },
      ],
      counted: { appended: amounts.append, verified: amounts.verify },
    };
  });
}

async function append({ database, log, surroundings }: House, meter: Meter, count: number): Promise<Measured> {
  const work = makeMany(count / BATCH, (batch) =>
    makeMany(BATCH, (at) => ({
      laneKey: conversationOf((batch * BATCH + at) % CONVERSATIONS),
      event: routeStep(surroundings.now(), surroundings.messageId()),
    })),
  );
  return meter.timed(async () => {
    await meter.run({ callers: WRITERS, work }, (entries) => database.transaction((tx) => log.append(tx, entries)));
    await log.settle();
    return count;
  });
}

async function verify(file: string, logKey: string): Promise<number> {
  const verdict = await verifyExport(pagesOf(createReadStream(file)), { logKey, sha256 });
  if (verdict.kind === 'failed') throw new Error(verdict.reason);
  return verdict.size;
}

function hashAlone(count: number): number {
  const bytes = new Uint8Array(128);
  for (let at = 0; at < 3 * count; at++) sha256(bytes);
  return count;
}
