/**
 * `npm run kill -- [--kills N] [--messages N] [--seed N] [--points] [--postgres] [--port-base N] [--json]`: SIGKILL to
 * gateway, dispatcher and control while messages flow. Words on stderr; the verdict on stdout, with --json as one object
 * in the last line. Exit code 1: something was lost, doubled without a flag, or out of order; 2: no such option.
 */
import { parseArgs } from 'node:util';
import { type KillReport, passed, runKills } from './run.ts';

const DEFAULTS = { kills: '20', messages: '400', 'port-base': '7000' };

const say = (text: string) => void process.stderr.write(`${text}\n`);

function optionsOf(argv: readonly string[]) {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      kills: { type: 'string', default: DEFAULTS.kills },
      messages: { type: 'string', default: DEFAULTS.messages },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      points: { type: 'boolean', default: false },
      postgres: { type: 'boolean', default: false },
      'port-base': { type: 'string', default: DEFAULTS['port-base'] },
      json: { type: 'boolean', default: false },
    },
  });
  const { points, postgres, json } = values;
  const [kills, messages] = [wholeNumber('kills', values.kills), wholeNumber('messages', values.messages)];
  const [seed, portBase] = [wholeNumber('seed', values.seed), wholeNumber('port-base', values['port-base'])];
  return { kills, messages, seed, portBase, everyPoint: points, postgres, json, say };
}

function wholeNumber(option: string, text: string): number {
  if (!/^\d{1,7}$/.test(text)) throw new TypeError(`--${option} takes a whole number`);
  return Number(text);
}

function print(report: KillReport): void {
  const { lost, doubled, ambiguous, reordered, messages, kills, logSize, seconds, seed } = report;
  const lines = [
    `${kills} kills, ${messages} promises, ${logSize} log entries verified, ${seconds} s, seed ${seed}`,
    `lost ${lost} · doubled ${doubled} · ambiguous ${ambiguous} · reordered ${reordered}`,
    ...report.unreached.map((point) => `never reached: ${point}`),
    ...report.unasked.map((death) => `died unasked: ${death}`),
    ...report.findings.map(({ of, what }) => `${of}: ${what}`),
    ...(report.folder === undefined ? [] : [`kept: ${report.folder}`]),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function main(): Promise<void> {
  let options: ReturnType<typeof optionsOf>;
  try {
    options = optionsOf(process.argv.slice(2));
  } catch (cause) {
    say(`sealpost: error: ${cause instanceof Error ? cause.message : 'wrong options'}`);
    process.exitCode = 2;
    return;
  }
  const report = await runKills(options);
  if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else print(report);
  process.exitCode = passed(report) ? 0 : 1;
}

await main();
