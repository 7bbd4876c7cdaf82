/**
 * What a bench answers and how it is printed: rates with the processor time each unit took, then ratios beside their
 * budgets (DESIGN section 15). The load average stands at the top, because a rate taken on a busy machine is no figure.
 */
import { cpus, loadavg } from 'node:os';
import type { Measured } from './load.ts';

export interface BenchOptions {
  /** So little work that a test can run it: it shows that the bench works, its rates mean nothing. */
  readonly quick: boolean;
  /** The sizes the budgets speak of, where the default is smaller. */
  readonly full: boolean;
}

export interface Line extends Partial<Measured> {
  readonly name: string;
  readonly rate: number;
  readonly unit: string;
}

export interface Budget {
  readonly name: string;
  readonly value: number;
  readonly budget: number;
  /** `least` of what is to be much, `most` of what is to be little. */
  readonly bound: 'least' | 'most';
}

export interface Result {
  readonly bench: string;
  readonly about: readonly string[];
  readonly lines: readonly Line[];
  readonly budgets: readonly Budget[];
  /** What was counted in the end: the work was really done. */
  readonly counted: Readonly<Record<string, number>>;
}

export function machine(): { machine: string; load: number } {
  const name = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`;
  return { machine: name, load: Number((loadavg()[0] ?? 0).toFixed(2)) };
}

export function print({ bench, about, lines, budgets, counted }: Result): void {
  const { machine: name, load } = machine();
  console.log(`${bench} on ${name}, load ${load}; callers, servers and PostgreSQL (fsync on) share it`);
  for (const sentence of about) console.log(sentence);
  console.log('right: processor µs of Node and of PostgreSQL for each\n');
  for (const { name: what, rate, unit, node, postgres = 0 } of lines) {
    const cost = node === undefined ? '' : `${node.toFixed(0).padStart(7)} + ${postgres.toFixed(0)} µs`;
    console.log(`${what.padEnd(80)} ${figure(rate).padStart(10)} ${unit.padEnd(9)} ${cost}`);
  }
  console.log('');
  for (const { name: what, value, budget, bound } of budgets) {
    const met = bound === 'least' ? value >= budget : value <= budget;
    const sign = bound === 'least' ? '≥' : '≤';
    console.log(
      `${what.padEnd(80)} ${figure(value).padStart(10)} budget ${sign} ${figure(budget)}  ${met ? 'met' : 'MISSED'}`,
    );
  }
  console.log(`\ncounted: ${JSON.stringify(counted)}\n`);
}

function figure(value: number): string {
  return value < 100 ? value.toFixed(2) : Math.round(value).toLocaleString('en');
}
