/**
 * Services under the harness: started as `sealpost start` starts them, with the hook loaded first, and started again at
 * once whenever they die, where the real supervision would wait longer each time. None outlives the harness.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ServiceSpec } from '../../packages/cli/src/start/children.ts';
import { type Arm, KEEP_CODE } from './kill-messages.ts';

export const TARGETS = ['gateway', 'dispatcher', 'control'] as const;
export type Target = (typeof TARGETS)[number];

export interface Death {
  readonly service: string;
  /** Where the hook ended it; `undefined` for a kill from outside. */
  readonly point: string | undefined;
}

export interface Processes {
  start(spec: ServiceSpec): Promise<void>;
  /** Takes effect while this life lasts; the next one asks `onStart`. */
  arm(service: string, points: readonly string[], pass: number): void;
  /** SIGKILL from outside; answers whether there was a process to kill. */
  kill(service: string): boolean;
  ready(service: string): boolean;
  readonly deaths: readonly Death[];
  stop(): Promise<void>;
}

const HOOK = fileURLToPath(new URL('./hook.ts', import.meta.url));
/** A service that cannot come up at all must end the run and not loop. */
const FAILURES_IN_A_ROW = 20;
const STOP_LIMIT = 12_000;

interface Life {
  readonly child: ChildProcess;
  ready: boolean;
  /** Killed by us, from outside. */
  shot: boolean;
}

export function createProcesses(options: {
  readonly logs: string;
  readonly compileCache: string;
  /** What a fresh life is to die at, if anything. */
  readonly onStart: (service: string) => Omit<Arm, 'kind'> | undefined;
  /** A death the harness has not asked for. */
  readonly onUnasked: (service: string, how: string) => void;
}): Processes {
  const lives = new Map<string, Life>();
  const deaths: Death[] = [];
  let stopping = false;

  const launch = (spec: ServiceSpec, failures = 0): Promise<void> =>
    new Promise((resolve, reject) => {
      const epitaph = join(options.logs, `${spec.name}.epitaph`);
      rmSync(epitaph, { force: true });
      const log = openSync(join(options.logs, `${spec.name}.log`), 'a', 0o600);
      const node = ['--disable-warning=ExperimentalWarning', '--import', HOOK, spec.entry, '--config', spec.config];
      const child = spawn('setpriv', ['--pdeathsig=KILL', '--', process.execPath, ...node], {
        stdio: ['ignore', log, log, 'ipc'],
        env: { ...process.env, NODE_COMPILE_CACHE: options.compileCache, SEALPOST_KILL_EPITAPH: epitaph },
        detached: true,
      });
      closeSync(log);
      const life: Life = { child, ready: false, shot: false };
      lives.set(spec.name, life);
      const arm = options.onStart(spec.name);
      if (arm !== undefined) child.send({ kind: 'arm', ...arm } satisfies Arm, () => undefined);
      child.on('message', (message) => {
        if (!isReady(message)) return;
        life.ready = true;
        child.send(KEEP_CODE, () => undefined);
        resolve();
      });
      child.on('error', reject);
      child.on('exit', (code, signal) => {
        lives.delete(spec.name);
        if (stopping) return resolve();
        const point = readIfThere(epitaph);
        const asked = point !== undefined || life.shot;
        if (asked) deaths.push({ service: spec.name, point });
        else options.onUnasked(spec.name, signal ?? `code ${code}`);
        const failed = asked ? 0 : failures + 1;
        if (failed > FAILURES_IN_A_ROW) return reject(new Error(`${spec.name} does not come up`));
        launch(spec, life.ready ? 0 : failed).then(resolve, reject);
      });
    });

  return {
    deaths,
    start: launch,
    arm(service, points, pass) {
      lives.get(service)?.child.send({ kind: 'arm', points, pass } satisfies Arm, () => undefined);
    },
    kill(service) {
      const life = lives.get(service);
      if (life === undefined) return false;
      life.shot = true;
      return life.child.kill('SIGKILL');
    },
    ready: (service) => lives.get(service)?.ready === true,
    async stop() {
      stopping = true;
      await Promise.all([...lives.values()].map(({ child }) => ended(child)));
    },
  };
}

function isReady(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'kind' in message && message.kind === 'ready';
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT);
    child.once('exit', () => {
      clearTimeout(limit);
      resolve();
    });
    child.kill('SIGTERM');
  });
}
