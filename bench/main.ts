/**
 * `node bench/main.ts <name> [--json]`: runs bench/<name>.ts. Figures are ratios against a raw baseline of the same run; a
 * bench prints one JSON line with --json and a readable table otherwise.
 */
import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false } },
});
const known = readdirSync(import.meta.dirname)
  .filter((file) => /^[a-z-]+\.ts$/.test(file) && file !== 'main.ts')
  .map((file) => file.slice(0, -3))
  .sort();
const [name = ''] = positionals;
if (known.includes(name)) {
  const bench: { run(options: { json: boolean }): Promise<unknown> } = await import(`./${name}.ts`);
  await bench.run(values);
} else {
  console.error(`sealpost: error: no such bench\nsealpost: hint: node bench/main.ts <${known.join('|')}> [--json]`);
  process.exitCode = 2;
}
