/**
 * Starting everything on the embedded default (DESIGN section 15): cold is a first start with its bootstrap, warm a later
 * one on the same data. The baseline of the same run is PostgreSQL alone, which both contain.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemSurroundings } from '@sealpost/platform';
import { startPostgres } from '../packages/cli/src/postgres/index.ts';
import { startSealpost } from '../packages/cli/src/start/start.ts';
import { makeManyAsync, median } from './support/load.ts';
import type { BenchOptions, Result } from './support/report.ts';

const PORT_BASE = 7400;
const WARM_ROUNDS = 3;

const seconds = (from: number) => (performance.now() - from) / 1000;

export async function run({ quick }: BenchOptions): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'sealpost-bench-'));
  chmodSync(folder, 0o711);
  try {
    const alone = { cold: await postgresAlone(folder), warm: await postgresAlone(folder) };
    const cold = await everything(folder);
    const rounds = await makeManyAsync(quick ? 1 : WARM_ROUNDS, () => everything(folder));
    const warm = median(rounds);
    return {
      bench: 'start',
      about: [`cold: first start with bootstrap; warm: median of ${rounds.length} later ones`],
      lines: [
        { name: 'PostgreSQL alone, first start', unit: 's', rate: alone.cold },
        { name: 'PostgreSQL alone, later', unit: 's', rate: alone.warm },
        { name: 'everything, first start ÷ PostgreSQL alone', unit: '', rate: cold / alone.cold },
        { name: 'everything, later ÷ PostgreSQL alone', unit: '', rate: warm / alone.warm },
      ],
      budgets: [
        { name: 'everything, first start, s', value: cold, budget: 5, bound: 'most' },
        { name: 'everything, later, s', value: warm, budget: 2, bound: 'most' },
      ],
      counted: { starts: 1 + rounds.length },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function postgresAlone(folder: string): Promise<number> {
  const from = performance.now();
  const postgres = await startPostgres({ dataDir: join(folder, 'alone', 'postgres') });
  const taken = seconds(from);
  await postgres.stop();
  return taken;
}

async function everything(folder: string): Promise<number> {
  const from = performance.now();
  const options = {
    data: join(folder, 'data'),
    portBase: PORT_BASE,
    organisation: 'acme.example',
    version: '0.1.0',
    logLevel: 'warn',
  };
  const sealpost = await startSealpost(options, systemSurroundings(), () => undefined);
  const taken = seconds(from);
  await sealpost.stop();
  return taken;
}
