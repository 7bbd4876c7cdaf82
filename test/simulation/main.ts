/**
 * `npm run simulate -- --seeds N [--from S] [--json]` runs seeds on the code as it is; `--seed S` replays one and tells its
 * story; `--find` looks for each planted bug among 2,000 seeds. Exit 0: as it should be; 1: an invariant was broken, or a
 * planted bug was not found; 2: wrong usage. Data on stdout (with --json one object, last), words on stderr.
 */
import { parseArgs } from 'node:util';
import * as code from './code.ts';
import { INVARIANTS } from './invariants.ts';
import { PLANTED_BUGS } from './planted.ts';
import { loadPlanted } from './planted-loader.ts';
import { type Run, simulate } from './simulate.ts';

const SEEDS = 2_000;
const TOLD_EVERY = 500;
const USAGE = 'npm run simulate -- (--seeds N [--from S] | --seed S | --find) [--json]';

const say = (words: string) => process.stderr.write(`${words}\n`);

/** Seeds one after the other; answers what they came to. */
async function runMany(from: number, seeds: number) {
  const broken: { seed: number; invariant: string; what: string }[] = [];
  const sums = { steps: 0, messages: 0, kills: 0, virtualMs: 0 };
  for (let seed = from; seed < from + seeds; seed++) {
    const run = await simulate(seed, code);
    for (const name of ['steps', 'messages', 'kills', 'virtualMs'] as const) sums[name] += run[name];
    if (run.violation !== undefined) {
      broken.push({ seed, ...run.violation });
      say(wordsOf(run));
    }
    if ((seed - from + 1) % TOLD_EVERY === 0) say(`${seed - from + 1} of ${seeds} seeds`);
  }
  const cpuSeconds = Math.round(process.cpuUsage().user / 1e5) / 10;
  return {
    seeds,
    from,
    invariants: Object.keys(INVARIANTS).length,
    violations: broken.length,
    broken,
    ...sums,
    cpuSeconds,
  };
}

/** The first seed at which each planted bug breaks an invariant. */
async function find() {
  const found: { bug: string; seed: number | null; invariant: string | null }[] = [];
  for (const bug of PLANTED_BUGS) {
    const planted = await loadPlanted(bug);
    let first: Run | undefined;
    for (let seed = 0; seed < SEEDS && first === undefined; seed++) {
      const run = await simulate(seed, planted);
      if (run.violation !== undefined) first = run;
    }
    found.push({ bug: bug.name, seed: first?.seed ?? null, invariant: first?.violation?.invariant ?? null });
    say(`${bug.name} (${bug.says}): ${first === undefined ? `not found in ${SEEDS} seeds` : wordsOf(first)}`);
  }
  const cpuSeconds = Math.round(process.cpuUsage().user / 1e5) / 10;
  return { planted: found.length, missed: found.filter(({ seed }) => seed === null).length, found, cpuSeconds };
}

function wordsOf({ seed, violation }: Run): string {
  return violation === undefined
    ? `seed ${seed}: every invariant holds`
    : `seed ${seed} breaks ${violation.invariant}: ${violation.what}; ${INVARIANTS[violation.invariant]}`;
}

async function replay(seed: number, json: boolean): Promise<boolean> {
  const run = await simulate(seed, code, { story: true });
  if (json) process.stdout.write(`${JSON.stringify({ ...run, violation: run.violation ?? null })}\n`);
  else process.stdout.write(`${run.story.join('\n')}\n${run.hash}\n`);
  say(wordsOf(run));
  return run.violation === undefined;
}

async function main(): Promise<boolean> {
  const natural = (text: string): number => {
    if (!/^\d{1,10}$/.test(text)) throw new TypeError(`${text} is not a number of seeds or a seed`);
    return Number(text);
  };
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      from: { type: 'string', default: '0' },
      seed: { type: 'string' },
      find: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  if (values.seed !== undefined) return replay(natural(values.seed), values.json);
  if (values.find) {
    const result = await find();
    process.stdout.write(
      values.json
        ? `${JSON.stringify(result)}\n`
        : `${result.planted - result.missed} of ${result.planted} planted bugs found\n`,
    );
    return result.missed === 0;
  }
  if (values.seeds === undefined) throw new TypeError('say how many seeds');
  const result = await runMany(natural(values.from), natural(values.seeds));
  const { seeds, violations, cpuSeconds } = result;
  process.stdout.write(
    values.json ? `${JSON.stringify(result)}\n` : `${seeds} seeds, ${violations} violations, ${cpuSeconds} s of CPU\n`,
  );
  return violations === 0;
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (cause) {
  if (!(cause instanceof TypeError)) throw cause;
  say(`sealpost: error: ${cause.message}\nsealpost: hint: ${USAGE}`);
  process.exitCode = 2;
}
