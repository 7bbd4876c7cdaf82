/**
 * The services of one start, each a process of its own. A child that dies while it should run is started again, at most
 * a few times a minute; a child never outlives this process: the kernel sends it SIGTERM when this one is gone (setpriv),
 * and its IPC channel closes. It has a session of its own, so Ctrl-C reaches this process alone, which stops all in order.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
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

/** Beyond this many deaths within a minute a service is left down and the start says so. */
const RESTARTS_A_MINUTE = 5;
/** Doubled with each death within the minute: a database that comes back in seconds must not use up the restarts. */
const FIRST_PAUSE = 100;
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
  onGivenUp: (name: string) => void;
}): Children {
  const running = new Map<string, { process: ChildProcess; log: WriteStream }>();
  const deaths = new Map<string, number[]>();
  const pauses = new Set<NodeJS.Timeout>();
  let stopping = false;

  const launch = (spec: ServiceSpec): Promise<void> =>
    new Promise((resolve, reject) => {
      const log = createWriteStream(join(options.logs, `${spec.name}.log`), { flags: 'a', mode: 0o600 });
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
      child.stdout?.pipe(log, { end: false });
      child.stderr?.pipe(log, { end: false });
      running.set(spec.name, { process: child, log });
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
        log.end();
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
    if (recent.length > RESTARTS_A_MINUTE) return options.onGivenUp(spec.name);
    options.onRestart(spec.name);
    const pause = setTimeout(
      () => {
        pauses.delete(pause);
        launch(spec).catch(() => {
          if (!stopping) revive(spec);
        });
      },
      FIRST_PAUSE * 2 ** (recent.length - 1),
    );
    pauses.add(pause);
  };

  return {
    start: launch,
    pid: (name) => running.get(name)?.process.pid,
    async stopAll() {
      stopping = true;
      for (const pause of pauses) clearTimeout(pause);
      await Promise.all([...running.values()].map(({ process: child }) => stopChild(child)));
    },
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
