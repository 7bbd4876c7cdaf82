/** `sealpost start`: everything on one machine; tells the story on a fresh folder, then keeps serving. */
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { demoManifests } from '../assets.ts';
import { describeFailure, EXIT_CODES } from '../output.ts';
import { DEFAULT_PORT_BASE, portsFrom } from '../start/ports.ts';
import { originsOf } from '../start/services.ts';
import { type RunningSealpost, startSealpost } from '../start/start.ts';
import { openLivePage } from '../story/live-page.ts';
import { tellStory } from '../story/story.ts';
import type { CommandContext } from './context.ts';

const DEMO_ORGANISATION = 'acme.example';

interface StartFlags {
  readonly data?: string;
  readonly operator?: string;
  readonly portBase: number;
  readonly organisation: string;
  readonly story?: boolean;
  readonly demo?: boolean;
  readonly logLevel: string;
}

export function startCommand(context: CommandContext): Command {
  return new Command('start')
    .description('start PostgreSQL, control, gateway, dispatcher and simulated carriers on this machine')
    .option('--data <dir>', `data folder (default: ${context.defaultData})`)
    .option('--operator <dir>', 'folder of the operator’s keys (default: operator/ in the data folder)')
    .option('--port-base <port>', 'first of eight ports', portBaseOf, DEFAULT_PORT_BASE)
    .option('--organisation <domain>', 'name of the organisation, used once by the first start', DEMO_ORGANISATION)
    .option('--story', 'tell the story again on existing data')
    .option('--demo', 'tell the story in a temporary folder and exit')
    .option('--log-level <level>', 'debug, info, warn or error', 'info')
    .addHelpText(
      'after',
      '\nExamples:\n  sealpost start\n  sealpost start --data ~/sealpost --port-base 5400\n  sealpost start --demo --json',
    )
    .action(async (flags: StartFlags) => {
      await (flags.demo === true ? demo(context, flags) : serve(context, flags));
      // A story cut short leaves sockets and timers of its devices behind; what had to stop has stopped.
      context.exitNow();
    });
}

/** Parses `--port-base`, also for `doctor`. */
export function portBaseOf(text: string): number {
  try {
    return portsFrom(Number(text)).control;
  } catch {
    throw new InvalidArgumentError('choose a number from 1024 to 65000; eight ports are counted from it.');
  }
}

/** `undefined` when it was told to stop before everything ran. */
async function start(
  context: CommandContext,
  flags: StartFlags,
  data: string,
  signal: AbortSignal,
): Promise<RunningSealpost | undefined> {
  const { operator, portBase, organisation, logLevel } = flags;
  const options = {
    data,
    portBase,
    organisation,
    logLevel,
    version: context.version,
    signal,
    ...(operator === undefined ? {} : { operator: resolve(operator) }),
    ...(context.runtimeDir === undefined ? {} : { runtimeDir: context.runtimeDir }),
  };
  try {
    return await startSealpost(options, context.surroundings, context.output().say);
  } catch (cause) {
    if (signal.aborted) return undefined;
    throw cause;
  }
}

async function serve(context: CommandContext, flags: StartFlags): Promise<void> {
  const { say, result } = context.output();
  const { signal, stopped } = stopRequested();
  const sealpost = await start(context, flags, flags.data ?? context.defaultData, signal);
  if (sealpost === undefined) return;
  try {
    for (const warning of sealpost.warnings) say(`note: ${warning}`);
    if (flags.story === true || !existsSync(join(sealpost.folder.zone('run'), 'story-told'))) {
      const story = await Promise.race([tellStory(sealpost, demoManifests(), context.surroundings, say), stopped]);
      if (signal.aborted) return say('stopping');
      if (story !== undefined && !story.ok) {
        const failed = story.steps.find((step) => !step.ok)?.step ?? '';
        process.stderr.write(`${describeFailure(story.failure).lines.join('\n')}\n`);
        result({ ok: false, failed, steps: story.steps }, ['', `Step ${failed} failed.`]);
        return context.exitWith(EXIT_CODES.failed);
      }
    }
    const page = await openLivePage(sealpost, context.surroundings).catch((cause: unknown) => {
      // Everything serves all the same, and `sealpost page` asks again.
      say(describeFailure(cause).lines.join('\n'));
      return undefined;
    });
    const { frame, inbox, console } = originsOf(sealpost.ports);
    const places = { page: page ?? `${frame}/`, inbox, console, ...placesOf(sealpost) };
    result({ serving: true, ...places }, [
      '',
      'Sealpost is serving:',
      ...Object.entries(places).map(([name, place]) => `  ${name.padEnd(10)} ${place}`),
      page === undefined
        ? 'The page asks for codes: `npm run sealpost -- page --operator DIR` makes a link that holds them.'
        : 'The codes in the page’s link last ten minutes and open it once; `npm run sealpost -- page` makes a new link.',
      'Ctrl-C stops everything.',
    ]);
    await stopped;
    say('stopping');
  } finally {
    await sealpost.stop();
  }
}

async function demo(context: CommandContext, flags: StartFlags): Promise<void> {
  const { say, result } = context.output();
  const folder = mkdtempSync(join(tmpdir(), 'sealpost-demo-'));
  // PostgreSQL runs as another user when root starts it and must pass through, not read.
  chmodSync(folder, 0o711);
  const { signal, stopped } = stopRequested();
  let sealpost: RunningSealpost | undefined;
  try {
    sealpost = await start(context, flags, join(folder, 'data'), signal);
    if (sealpost === undefined) return context.exitWith(EXIT_CODES.failed);
    const story = await Promise.race([tellStory(sealpost, demoManifests(), context.surroundings, say), stopped]);
    if (story === undefined || signal.aborted) return context.exitWith(EXIT_CODES.failed);
    const failed = story.steps.find((step) => !step.ok);
    if (!story.ok) process.stderr.write(`${describeFailure(story.failure).lines.join('\n')}\n`);
    result({ ok: story.ok, ...(failed === undefined ? {} : { failed: failed.step }), steps: story.steps }, [
      '',
      story.ok ? `All ${story.steps.length} steps happened.` : `Step ${failed?.step ?? ''} failed.`,
    ]);
    if (!story.ok) context.exitWith(EXIT_CODES.failed);
    await sealpost.stop();
    sealpost = undefined;
    if (story.ok) rmSync(folder, { recursive: true, force: true });
    else say(`logs are kept in ${folder}`);
  } finally {
    await sealpost?.stop();
  }
}

function placesOf({ ports, folder, operator, rootFingerprint }: RunningSealpost): Record<string, string> {
  const at = (port: number) => `http://127.0.0.1:${port}`;
  return {
    control: at(ports.control),
    devices: at(ports.devices),
    carriers: at(ports.simulator),
    data: folder.path,
    operator,
    root: rootFingerprint,
  };
}

/**
 * Ctrl-C, SIGTERM, and the end of the process that started this one. Asked twice is asked once: whoever presses Ctrl-C
 * again, or whose signal arrives both directly and passed on, must not cut the orderly stop short.
 */
function stopRequested(): { signal: AbortSignal; stopped: Promise<undefined> } {
  const controller = new AbortController();
  const stopped = new Promise<undefined>((resolve) => {
    const stop = () => {
      controller.abort();
      resolve(undefined);
    };
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, stop);
    if (process.send === undefined) return;
    // Whoever started this one may have gone while it was still loading; then no event comes any more.
    if (!process.connected) return stop();
    process.once('disconnect', stop);
    // Listening for the parent's end is no reason to stay once everything else is done.
    process.channel?.unref();
  });
  return { signal: controller.signal, stopped };
}
