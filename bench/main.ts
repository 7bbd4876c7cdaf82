/**
 * `node bench/main.ts <name|all> [--json] [--quick | --full]`: runs bench/<name>.ts. Figures are ratios against a raw
 * baseline of the same run; a readable table, or with --json one object as the last line. Exit code 2: no such bench.
 */
import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type BenchOptions, machine, print, type Result } from './support/report.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
  },
});
const known = readdirSync(import.meta.dirname)
  .filter((file) => /^[a-z0-9-]+\.ts$/.test(file) && file !== 'main.ts')
  .map((file) => file.slice(0, -3))
  .sort();
const [asked = ''] = positionals;
const names = asked === 'all' ? known : known.filter((name) => name === asked);

if (names.length === 0) {
  const hint = `node bench/main.ts <${known.join('|')}|all> [--json] [--quick | --full]`;
  console.error(`sealpost: error: no such bench\nsealpost: hint: ${hint}`);
  process.exitCode = 2;
}
const results: (Result & ReturnType<typeof machine>)[] = [];
for (const name of names) {
  const bench: { run(options: BenchOptions): Promise<Result> } = await import(`./${name}.ts`);
  const result = await bench.run(values);
  if (values.json) results.push({ ...machine(), ...result });
  else print(result);
}
if (values.json && names.length > 0) console.log(JSON.stringify(asked === 'all' ? { benches: results } : results[0]));
