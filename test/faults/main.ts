/**
 * `npm run faults -- [--json]`: the whole fault matrix, as a table or, with --json, as one object in the last line. Words on
 * stderr; exit code 0: every cell ends as documented, 1: one does not, 2: no such option. It runs the tests of
 * `test/scenarios/faults.test.ts`, which do the same in CI, and reads the cells they leave behind.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { FAULTS } from './kinds.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const USAGE = 'npm run faults -- [--json]';

const cellSchema = z.object({
  adapter: z.string(),
  fault: z.enum(FAULTS),
  ended: z.string(),
  effects: z.int(),
  cannot: z.string().optional(),
  right: z.boolean(),
});
type Cell = z.infer<typeof cellSchema>;
const reportSchema = z.object({
  testResults: z.array(
    z.object({ assertionResults: z.array(z.object({ meta: z.object({ cells: z.array(cellSchema).default([]) }) })) }),
  ),
});

async function main(): Promise<boolean> {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
  const cells = await run();
  const counts = {
    faults: new Set(cells.map(({ fault }) => fault)).size,
    adapters: new Set(cells.map(({ adapter }) => adapter)).size,
    cells: cells.filter(({ cannot }) => cannot === undefined).length,
    cannot: cells.filter(({ cannot }) => cannot !== undefined).length,
    wrong: cells.filter(({ right }) => !right).length,
  };
  if (values.json) process.stdout.write(`${JSON.stringify({ ...counts, table: cells })}\n`);
  else process.stdout.write(tableOf(cells));
  process.stderr.write(
    `${counts.cells} cells of ${counts.faults} faults and ${counts.adapters} adapters, ${counts.wrong} wrong; ${counts.cannot} cannot be shown\n`,
  );
  return counts.wrong === 0 && counts.faults === FAULTS.length;
}

async function run(): Promise<Cell[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sealpost-faults-report-'));
  try {
    const file = join(folder, 'report.json');
    const vitest = [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'node'];
    const options = ['test/scenarios/faults.test.ts', '--reporter=json', `--outputFile=${file}`];
    const child = spawn(process.execPath, [...vitest, ...options], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await once(child, 'exit');
    const report = reportSchema.parse(JSON.parse(await readFile(file, 'utf8')));
    return report.testResults.flatMap(({ assertionResults }) => assertionResults.flatMap(({ meta }) => meta.cells));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Adapters down, faults across; a cell is how the message ended and how often the person was shown it. */
function tableOf(cells: readonly Cell[]): string {
  const said = ({ ended, effects, cannot, right }: Cell) =>
    cannot === undefined ? `${ended} ${effects}${right ? '' : ' WRONG'}` : '-';
  const byAdapter = Map.groupBy(cells, ({ adapter }) => adapter);
  const lines = [...byAdapter].flatMap(([adapter, own]) =>
    own.map((cell) => [adapter, cell.fault, said(cell)].join('\t')),
  );
  return `${lines.join('\n')}\n`;
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (cause) {
  if (!(cause instanceof TypeError)) throw cause;
  process.stderr.write(`sealpost: error: ${cause.message}\nsealpost: hint: ${USAGE}\n`);
  process.exitCode = 2;
}
