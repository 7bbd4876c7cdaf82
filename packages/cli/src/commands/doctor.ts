/** `sealpost doctor`: checks the surroundings a start needs and says honestly what one machine cannot protect. */
import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import { isBootstrapped, readBootstrapped } from '../bootstrap/bootstrap.ts';
import { EXIT_CODES } from '../output.ts';
import { DEFAULT_PORT_BASE, portsFrom, requireFree } from '../start/ports.ts';
import type { CommandContext } from './context.ts';
import { portBaseOf } from './start.ts';

interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'note' | 'problem';
  readonly text: string;
}

const ENOUGH_DISK = 1_000_000_000;

export function doctorCommand(context: CommandContext): Command {
  return new Command('doctor')
    .description('check this machine and the data folder; exit 3 when something stands in the way')
    .option('--data <dir>', 'data folder to look at')
    .option('--port-base <port>', 'first of eight ports', portBaseOf, DEFAULT_PORT_BASE)
    .action(async (flags: { data?: string; portBase: number }) => {
      const data = resolve(flags.data ?? context.defaultData);
      const findings = await examine(data, flags.portBase);
      const problems = findings.filter(({ state }) => state === 'problem');
      context.output().result(
        { ok: problems.length === 0, findings },
        findings.map(({ check, state, text }) => `${state.padEnd(7)} ${check.padEnd(10)} ${text}`),
      );
      if (problems.length > 0) context.exitWith(EXIT_CODES.refused);
    });
}

/** Also for the support bundle. */
export async function examine(data: string, portBase: number): Promise<Finding[]> {
  return [
    node(),
    tool('setpriv', 'util-linux'),
    folder(data),
    disk(data),
    await ports(portBase),
    await ceremony(data),
    zones(),
  ];
}

function node(): Finding {
  return {
    check: 'node',
    state: process.versions.node.startsWith('24.') ? 'ok' : 'problem',
    text: `Node ${process.versions.node} (24 is needed)`,
  };
}

function tool(name: string, debian: string): Finding {
  const found = (process.env.PATH ?? '').split(':').some((path) => existsSync(join(path, name)));
  return { check: name, state: found ? 'ok' : 'problem', text: found ? 'found' : `missing: apt-get install ${debian}` };
}

function folder(data: string): Finding {
  let existing = data;
  while (!existsSync(existing)) existing = dirname(existing);
  try {
    accessSync(existing, constants.W_OK);
    return { check: 'data', state: 'ok', text: `${data} ${existing === data ? 'is writable' : 'can be made'}` };
  } catch {
    return {
      check: 'data',
      state: 'problem',
      text: `${data} cannot be written by this user; choose another with --data`,
    };
  }
}

function disk(data: string): Finding {
  let existing = data;
  while (!existsSync(existing)) existing = dirname(existing);
  const { bavail, bsize } = statfsSync(existing);
  const free = bavail * bsize;
  return {
    check: 'disk',
    state: free > ENOUGH_DISK ? 'ok' : 'problem',
    text: `${Math.floor(free / 1_000_000)} MB free`,
  };
}

async function ports(base: number): Promise<Finding> {
  try {
    await requireFree(portsFrom(base));
    return { check: 'ports', state: 'ok', text: `${base} to ${base + 5} are free` };
  } catch (error) {
    const details = (error as { details?: readonly { pointer: string; detail: string }[] }).details ?? [];
    return {
      check: 'ports',
      state: 'note',
      text: details.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; ') || 'the port base cannot be used',
    };
  }
}

async function ceremony(data: string): Promise<Finding> {
  const folders = {
    operator: join(data, 'operator'),
    zones: { control: join(data, 'control'), gateway: join(data, 'gateway'), dispatcher: join(data, 'dispatcher') },
  };
  if (!isBootstrapped(folders))
    return { check: 'bootstrap', state: 'note', text: 'not carried out here yet; the first start does it' };
  try {
    const { trust, rootFingerprint } = await readBootstrapped(folders.operator);
    return {
      check: 'bootstrap',
      state: 'ok',
      text: `${trust.organisation}, root ${rootFingerprint.slice(0, 23)}…; the operator’s keys lie beside the servers’ data: move them`,
    };
  } catch {
    return {
      check: 'bootstrap',
      state: 'problem',
      text: 'the operator’s folder does not verify; restore it from backup',
    };
  }
}

function zones(): Finding {
  return {
    check: 'zones',
    state: 'note',
    text: 'on one machine the zones are a design that tests check, not a protection against this machine’s administrator',
  };
}
