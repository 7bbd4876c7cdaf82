/** The command line as a contract: help, suggestions, JSON, exit codes, completion, configuration, doctor. */
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConfig } from '@sealpost/platform';
import type { Command } from 'commander';
import { afterAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { BIN, run, temporaryFolder } from '../../../test/support/program.ts';
import { CONFIG_SCHEMAS, type Deployable, exampleOf } from '../src/config/reference.ts';
import { createProgram } from '../src/main.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

const DEPLOYABLES = Object.keys(CONFIG_SCHEMAS) as Deployable[];

/** An example with its gaps filled as their comments ask, and of the two ways to name a database the one in a line. */
function filled(deployable: Deployable): string {
  const values: Record<string, string> = {
    organisation: 'acme.example',
    url: 'https://gateway.example',
    device_url: 'https://devices.example',
    public_url: 'https://control.example',
  };
  const lines = exampleOf(deployable)
    .split('\n')
    .map((line) => {
      if (line === '  # url: # string, optional') return '  url: postgresql://sealpost@127.0.0.1:5432/sealpost';
      const gap = /^(\s*)([a-z_]+): # (\w+).*, required$/.exec(line);
      if (gap === null) return line;
      const [, indent = '', name = '', type] = gap;
      return `${indent}${name}: ${type === 'integer' ? 4400 : (values[name] ?? (name === 'host' ? '127.0.0.1' : `/etc/sealpost/${name}`))}`;
    });
  return lines.join('\n');
}

function written(name: string, text: string): string {
  const file = join(folder.path, name);
  writeFileSync(file, text);
  return file;
}

function commandsBelow(command: Command, path: readonly string[] = []): string[][] {
  return command.commands.flatMap((child) => [
    [...path, child.name()],
    ...commandsBelow(child, [...path, child.name()]),
  ]);
}

test('every command explains itself with --help', () => {
  const paths = commandsBelow(createProgram()).filter(([first]) => first !== 'complete');
  const tops = new Set(paths.map(([first]) => first));
  for (const name of [
    'start',
    'control',
    'gateway',
    'device',
    'send',
    'log',
    'bootstrap',
    'manifests',
    'config',
    'doctor',
  ])
    expect(tops).toContain(name);
  for (const path of paths) {
    const found = path.reduce<Command | undefined>(
      (at, name) => at?.commands.find((child) => child.name() === name),
      createProgram(),
    );
    expect(found?.description()).not.toBe('');
    for (const option of found?.options ?? []) expect([path, option.flags, option.description]).not.toContain('');
    expect(found?.helpInformation()).toMatch(/Usage: sealpost/);
  }
});

test('help goes to standard output with exit code 0 and lists the exit codes', async () => {
  const { code, stdout, stderr } = await run(['--help']);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/Exit codes: 0 ok, 1 failed, 2 usage, 3 refused, 4 denied, 5 unavailable/);
});

test('an unknown command is a usage error that suggests the one meant', async () => {
  const { code, stdout, stderr } = await run(['strat']);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/Did you mean start\?/);
});

test('an unknown option is a usage error', async () => {
  expect((await run(['doctor', '--bogus'])).code).toBe(2);
});

test.each(['bash', 'zsh', 'fish'])('completion for %s is a script', async (shell) => {
  const { code, stdout } = await run(['complete', shell]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/sealpost/);
  expect(stdout.split('\n').length).toBeGreaterThan(10);
});

test('an unreachable server is exit code 5, as words and as exactly one JSON line', async () => {
  const flags = [
    'send',
    '--application',
    'a',
    '--key',
    written('key.json', '{}'),
    '--flow',
    'f',
    '--to',
    'alice',
    '--subject',
    's',
    '--body',
    'b',
  ];
  const malformed = await run([...flags, '--json', '--control', 'http://127.0.0.1:5899']);
  expect(malformed.code).toBe(2);
  expect(JSON.parse(malformed.stdout)).toMatchObject({ ok: false });
  expect(malformed.stdout.trimEnd().split('\n')).toHaveLength(1);
  const key = join(folder.path, 'application');
  expect((await run(['send', 'key', '--out', key])).code).toBe(0);
  const away = await run([
    ...flags.slice(0, 4),
    key,
    ...flags.slice(5),
    '--json',
    '--control',
    'http://127.0.0.1:5899',
  ]);
  expect([away.code, JSON.parse(away.stdout)]).toMatchObject([5, { ok: false, code: 'ERR_CONTROL_AWAY' }]);
  expect(away.stderr).toMatch(/^sealpost: error: control does not answer\n/);
  expect(away.stderr).toMatch(/sealpost: hint: /);
});

test.each(DEPLOYABLES)(
  'the example of %s is valid once its required values are filled in, and prints every default',
  (deployable) => {
    const config = parseConfig(CONFIG_SCHEMAS[deployable], filled(deployable), 'filled.yaml');
    expect(config).toMatchObject({
      log_level: 'info',
      database: { pool: 10, password_file: '/etc/sealpost/password_file' },
    });
    for (const name of keysOf(config)) if (/password|secret|key$|kek|token/.test(name)) expect(name).toMatch(/_file$/);
  },
);

test('config init, check and print answer the example, its gaps by place, and every default', async () => {
  const { code, stdout } = await run(['config', 'init', 'control']);
  expect([code, stdout]).toEqual([0, exampleOf('control')]);
  const unfilled = await run(['config', 'check', 'control', written('unfilled.yaml', stdout)]);
  expect(unfilled.code).toBe(3);
  expect(unfilled.stderr).toMatch(/unfilled\.yaml:\d+:\d+ \/organisation/);
  const file = written('control.yaml', filled('control'));
  const checked = await run(['config', 'check', 'control', file]);
  expect([checked.stderr, checked.code]).toEqual(['', 0]);
  const printed = await run(['config', 'print', 'control', file]);
  expect(parse(printed.stdout)).toEqual(parseConfig(CONFIG_SCHEMAS.control, filled('control'), file));
});

test('config init never overwrites a file', async () => {
  const file = written('mine.yaml', 'mine');
  const { code } = await run(['config', 'init', 'control', '--out', file]);
  expect([code, readFileSync(file, 'utf8')]).toEqual([1, 'mine']);
});

test('an unknown key is refused with exit code 3, naming file, line and column', async () => {
  const file = written('unknown.yaml', `${filled('dispatcher')}\nlog_levle: debug\n`);
  const { code, stdout, stderr } = await run(['config', 'check', 'dispatcher', file, '--json']);
  expect(code).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, code: 'ERR_CONFIG_INVALID' });
  expect(stderr).toMatch(/log_levle/);
  expect(stderr).toMatch(/unknown\.yaml:\d+:\d+ /);
});

test('an unknown deployable and a missing file each say what to do', async () => {
  const unknown = await run(['config', 'check', 'kontrol', 'x.yaml']);
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toMatch(/choose one of control, gateway, dispatcher/);
  const missing = await run(['config', 'check', 'control', join(folder.path, 'none.yaml')]);
  expect([missing.code, /ERR_CONFIG_UNREADABLE/.test(missing.stderr)]).toEqual([3, true]);
});

test('manifests check says no with exit code 3, naming file, line and column', async () => {
  const manifests = join(folder.path, 'manifests');
  mkdirSync(manifests);
  writeFileSync(join(manifests, 'flow.yaml'), 'apiVersion: sealpost/v1\nkind: Flow\nmetadata: { name: x }\nspec: {}\n');
  const { code, stderr } = await run(['manifests', 'check', manifests]);
  expect(code).toBe(3);
  expect(stderr).toMatch(/flow\.yaml:\d+:\d+/);
});

test('doctor finds a fresh machine fit, in one JSON line', async () => {
  const { code, stdout } = await run(['doctor', '--json', '--data', join(folder.path, 'new'), '--port-base', '5250']);
  expect(code).toBe(0);
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  expect(JSON.parse(stdout)).toMatchObject({ ok: true });
});

test('doctor exits 3 when something stands in the way, and says what', async () => {
  const { code, stdout } = await run(['doctor', '--data', join(folder.path, 'new'), '--port-base', '5250'], {
    env: { PATH: '/nowhere' },
  });
  expect(code).toBe(3);
  expect(stdout).toMatch(/problem\s+setpriv\s+missing: apt-get install util-linux/);
});

test('a Node that is too old is told in one sentence what to install, with exit code 1', async () => {
  const preload = written('old.cjs', "Object.defineProperty(process.versions, 'node', { value: '18.0.0' });");
  const { code, stdout, stderr } = await run(['start'], { node: ['-r', preload] });
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^sealpost: error: Node 18\.0\.0 is too old\nsealpost: hint: install Node 20 or newer .*\n$/);
});

test('a Node that is new enough without the pinned one beside it is told what to install', async () => {
  const alone = join(folder.path, 'alone/packages/cli/bin');
  mkdirSync(alone, { recursive: true });
  chmodSync(join(folder.path, 'alone'), 0o711);
  cpSync(BIN, join(alone, 'sealpost.mjs'));
  const preload = written('other.cjs', "Object.defineProperty(process.versions, 'node', { value: '22.0.0' });");
  const other = await run(['start'], { node: ['-r', preload, join(alone, 'sealpost.mjs')] });
  expect([other.code, other.stdout]).toEqual([1, '']);
  expect(other.stderr).toMatch(/runs on Node 24; this is Node 22\.0\.0 and the pinned one is not installed/);
  expect(other.stderr).toMatch(/npm install again without --omit=optional/);
  const right = await run(['start'], { node: [join(alone, 'sealpost.mjs')] });
  expect([right.code, /run npm install first/.test(right.stderr)]).toEqual([1, true]);
});

function keysOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => (typeof member === 'object' ? keysOf(member) : [name]));
}
