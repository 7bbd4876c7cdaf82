/** `sealpost start`: everything on one machine; tells the story on a fresh folder, then keeps serving. */
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { demoManifests } from '../assets.ts';
import { describeFailure, EXIT_CODES } from '../output.ts';
import { DEFAULT_PORT_BASE } from '../start/ports.ts';
import { type RunningSealpost, startSealpost } from '../start/start.ts';
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
    .option('--port-base <port>', 'first of six ports', portNumber, DEFAULT_PORT_BASE)
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

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port)) throw new InvalidArgumentError('give a port number.');
  return port;
}

function start(context: CommandContext, flags: StartFlags, data: string): Promise<RunningSealpost> {
  const { operator, portBase, organisation, logLevel } = flags;
  const options = {
    data,
    portBase,
    organisation,
    logLevel,
    version: context.version,
    ...(operator === undefined ? {} : { operator: resolve(operator) }),
    ...(context.runtimeDir === undefined ? {} : { runtimeDir: context.runtimeDir }),
  };
  return startSealpost(options, context.surroundings, context.output().say);
}

async function serve(context: CommandContext, flags: StartFlags): Promise<void> {
  const { say, result } = context.output();
  const stopped = stopRequested();
  const sealpost = await start(context, flags, flags.data ?? context.defaultData);
  try {
    for (const warning of sealpost.warnings) say(`note: ${warning}`);
    if (flags.story === true || !existsSync(join(sealpost.folder.zone('run'), 'story-told'))) {
      const story = await Promise.race([tellStory(sealpost, demoManifests(), context.surroundings, say), stopped]);
      if (story !== undefined && !story.ok) throw story.failure;
    }
    const places = placesOf(sealpost);
    result({ serving: true, ...places }, [
      '',
      'Sealpost is serving:',
      ...Object.entries(places).map(([name, place]) => `  ${name.padEnd(10)} ${place}`),
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
  const stopped = stopRequested();
  let sealpost: RunningSealpost | undefined;
  try {
    sealpost = await start(context, flags, join(folder, 'data'));
    const story = await Promise.race([tellStory(sealpost, demoManifests(), context.surroundings, say), stopped]);
    if (story === undefined) return context.exitWith(EXIT_CODES.failed);
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

function placesOf({ ports, folder, operator }: RunningSealpost): Record<string, string> {
  const at = (port: number) => `http://127.0.0.1:${port}`;
  return {
    control: at(ports.control),
    devices: at(ports.devices),
    carriers: at(ports.simulator),
    data: folder.path,
    operator,
  };
}

/** Resolves on Ctrl-C, on SIGTERM, and when the process that started this one is gone. */
function stopRequested(): Promise<undefined> {
  return new Promise((resolve) => {
    const stop = () => resolve(undefined);
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
    process.once('SIGHUP', stop);
    if (!process.connected) return;
    process.once('disconnect', stop);
    // Listening for the parent's end is no reason to stay once everything else is done.
    process.channel?.unref();
  });
}
