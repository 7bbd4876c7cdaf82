/** The `sealpost` command as a process of its own, in its own temporary folder, ended when the test is done with it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const PROGRAM = join(import.meta.dirname, '../../packages/cli/bin/sealpost.mjs');

export interface CliResult {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The one line that `--json` promises. */
  readonly json: Record<string, unknown>;
}

export interface RunningCli {
  readonly pid: number;
  readonly ended: Promise<CliResult>;
}

export function startCli(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningCli {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<CliResult>((resolve, reject) => {
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      const stdout = Buffer.concat(out).toString('utf8');
      resolve({ exit: code ?? -1, stdout, stderr: Buffer.concat(err).toString('utf8'), json: onlyLine(stdout) });
    });
  });
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
  });
  return { pid: child.pid ?? -1, ended };
}

export function cli(...args: string[]): Promise<CliResult> {
  return startCli(args).ended;
}

/** Empty unless stdout is exactly one line of JSON. */
function onlyLine(stdout: string): Record<string, unknown> {
  const lines = stdout.split('\n').filter((line) => line !== '');
  const [line] = lines;
  if (lines.length !== 1 || line === undefined || !line.startsWith('{')) return {};
  return JSON.parse(line) as Record<string, unknown>;
}
