/**
 * The services of one start, each a process of its own. A child that dies while it should run is started again, ever
 * more slowly and without end, so that a disk that was full for an hour needs nobody afterwards; a child never outlives this process: the kernel sends it SIGTERM when this one is gone (setpriv),
 * and its IPC channel closes. It has a session of its own, so Ctrl-C reaches this process alone, which stops all in order.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { startError } from './start-errors.ts';

const reportSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({
    kind: z.literal('failed'),
    code: z.string(),
    sentence: z.string(),
    hint: z.string(),
    details: z.array(z.object({ pointer: z.string(), detail: z.string() })),
  }),
]);

/** Doubled with each death within the minute. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 15_000;
const STOP_LIMIT = 12_000;

export interface ServiceSpec {
  readonly name: string;
  readonly entry: string;
  readonly config: string;
}

export interface Children {
  start(spec: ServiceSpec): Promise<void>;
  /** Process id of a running service, for tests that end it. */
  pid(name: string): number | undefined;
  stopAll(): Promise<void>;
}

export function createChildren(options: {
  logs: string;
  /** Node keeps compiled code here: the second start is the faster one. */
  compileCache: string;
  now: () => number;
  onRestart: (name: string) => void;
}): Children {
  const running = new Map<string, ChildProcess>();
  const deaths = new Map<string, number[]>();
  const pauses = new Set<NodeJS.Timeout>();
  let stopping = false;

  const launch = (spec: ServiceSpec): Promise<void> =>
    new Promise((resolve, reject) => {
      const log = openLog(join(options.logs, `${spec.name}.log`));
      const child = spawn(
        'setpriv',
        [
          '--pdeathsig=TERM',
          '--',
          process.execPath,
          '--disable-warning=ExperimentalWarning',
          spec.entry,
          '--config',
          spec.config,
        ],
        {
          stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
          env: { ...process.env, NODE_COMPILE_CACHE: options.compileCache },
          detached: true,
        },
      );
      child.stdout?.on('data', log.write);
      child.stderr?.on('data', log.write);
      running.set(spec.name, child);
      let settled = false;
      child.on('message', (message) => {
        const report = reportSchema.safeParse(message);
        if (!report.success || settled) return;
        settled = true;
        if (report.data.kind === 'ready') return resolve();
        const { sentence, hint, code, details } = report.data;
        reject(
          startError('ERR_START_SERVICE', {
            details: [{ pointer: spec.name, detail: `${code}: ${sentence} ${hint}`.slice(0, 300) }, ...details],
          }),
        );
      });
      child.on('error', (cause) => {
        settled = true;
        reject(
          startError('ERR_START_SERVICE', { cause, details: [{ pointer: spec.name, detail: 'could not be run' }] }),
        );
      });
      child.on('exit', (code, signal) => {
        running.delete(spec.name);
        log.close();
        if (!settled) {
          settled = true;
          reject(
            startError('ERR_START_SERVICE', {
              details: [{ pointer: spec.name, detail: `ended with ${signal ?? `code ${code}`} before it was ready` }],
            }),
          );
        } else if (!stopping) revive(spec);
      });
    });

  const revive = (spec: ServiceSpec) => {
    const recent = [...(deaths.get(spec.name) ?? []).filter((at) => at > options.now() - 60_000), options.now()];
    deaths.set(spec.name, recent);
    options.onRestart(spec.name);
    const pause = setTimeout(
      () => {
        pauses.delete(pause);
        launch(spec).catch(() => {
          if (!stopping) revive(spec);
        });
      },
      Math.min(FIRST_PAUSE * 2 ** (recent.length - 1), LONGEST_PAUSE),
    );
    pauses.add(pause);
  };

  return {
    start: launch,
    pid: (name) => running.get(name)?.pid,
    async stopAll() {
      stopping = true;
      for (const pause of pauses) clearTimeout(pause);
      await Promise.all([...running.values()].map(stopChild));
    },
  };
}

/** A log that cannot be written (a full disk) costs its lines and nothing else. */
function openLog(path: string): { write: (chunk: Uint8Array) => void; close: () => void } {
  let file: number | undefined;
  const attempt = (work: () => void) => {
    try {
      work();
    } catch {
      // The service is worth more than what it says.
    }
  };
  return {
    write: (chunk) =>
      attempt(() => {
        file ??= openSync(path, 'a', 0o600);
        writeSync(file, chunk);
      }),
    close: () => attempt(() => file !== undefined && closeSync(file)),
  };
}

function stopChild(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT);
    child.once('exit', () => {
      clearTimeout(limit);
      resolve();
    });
    child.kill('SIGTERM');
  });
}
