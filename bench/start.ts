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

const PORT_BASE = 7400;
const WARM_ROUNDS = 3;
const BUDGET = { cold: 5, warm: 2 };

const seconds = (from: number) => (performance.now() - from) / 1000;
const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

export async function run({ json }: { json: boolean }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sealpost-bench-'));
  chmodSync(folder, 0o711);
  try {
    const alone = { cold: await postgresAlone(folder), warm: await postgresAlone(folder) };
    const cold = await everything(folder);
    const warm: number[] = [];
    for (let round = 0; round < WARM_ROUNDS; round++) warm.push(await everything(folder));
    const result = {
      bench: 'start',
      unit: 's',
      cold,
      warm: median(warm),
      postgresAlone: alone,
      budget: BUDGET,
      ratio: { cold: cold / alone.cold, warm: median(warm) / alone.warm },
    };
    if (json) console.log(JSON.stringify(result));
    else {
      const row = (name: 'cold' | 'warm') =>
        `${name.padEnd(6)} ${result[name].toFixed(2)} s  (budget ${BUDGET[name]} s; PostgreSQL alone ${alone[name].toFixed(2)} s)`;
      console.log([row('cold'), row('warm')].join('\n'));
    }
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
