/** What stands in the way of a start gets a sentence and a way out, and nothing is changed or left. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { endAll, launch, nothingLeft, run, temporaryFolder } from '../../../test/support/program.ts';
import { describeFailure } from '../src/output.ts';
import { openDataFolder } from '../src/start/data-folder.ts';
import { portsFrom } from '../src/start/ports.ts';

const folder = temporaryFolder();
let count = 0;
const newFolder = () => {
  const path = join(folder.path, `data-${count++}`);
  mkdirSync(path, { mode: 0o711 });
  return path;
};
/** What `sealpost start` prints and exits with; the process itself is tried in test/scenarios/house.test.ts. */
const start = (data: string) => {
  try {
    openDataFolder(data, '0.1.0').release();
  } catch (error) {
    const { lines, exit } = describeFailure(error);
    return { stderr: lines.join('\n'), code: exit };
  }
  throw new Error('the folder was opened');
};
const format = (value: unknown) => `${JSON.stringify(value)}\n`;
const root = process.getuid?.() === 0;

afterAll(async () => {
  await endAll();
  folder.remove();
});

test.each([
  ['format', { format: 2, postgres: 18, version: '9.0.0' }],
  ['PostgreSQL', { format: 1, postgres: 19, version: '9.0.0' }],
])('a data folder of a newer %s is refused and not touched', async (_what, newer) => {
  const data = newFolder();
  writeFileSync(join(data, 'format.json'), format(newer));
  const { code, stderr } = start(data);
  expect(stderr).toMatch(/ERR_START_NEWER/);
  expect(stderr).toMatch(/written by Sealpost 9\.0\.0/);
  expect(code).toBe(4);
  expect(readdirSync(data)).toEqual(['format.json']);
  expect(readFileSync(join(data, 'format.json'), 'utf8')).toBe(format(newer));
});

test.each(['{"format":', '[]', '{"format":1}'])(
  'a damaged format.json (%s) is refused and not guessed at',
  async (text) => {
    const data = newFolder();
    writeFileSync(join(data, 'format.json'), text);
    const { code, stderr } = start(data);
    expect(stderr).toMatch(/ERR_START_FORMAT/);
    expect(stderr).toMatch(/restore it from backup/);
    expect(code).toBe(4);
    expect(readdirSync(data)).toEqual(['format.json']);
  },
);

test('a folder with somebody else’s files is refused and not touched', async () => {
  const data = newFolder();
  writeFileSync(join(data, 'thesis.txt'), 'mine');
  const { code, stderr } = start(data);
  expect(stderr).toMatch(/ERR_START_FOREIGN/);
  expect(stderr).toMatch(/thesis\.txt/);
  expect(code).toBe(4);
  expect(readdirSync(data)).toEqual(['thesis.txt']);
});

test('a freshly made file system is an empty folder, whatever its lost+found', () => {
  const data = newFolder();
  mkdirSync(join(data, 'lost+found'));
  const opened = openDataFolder(data, '0.1.0');
  opened.release();
  expect(readdirSync(data)).toEqual(['lost+found']);
});

test.skipIf(!root)(
  'a folder this user cannot write is refused with a way out (needs root to become nobody)',
  async () => {
    const data = newFolder();
    chmodSync(data, 0o755);
    const before = ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', '--'];
    const { code, stderr } = await run(['start', '--data', data, '--port-base', '5240'], { before });
    expect(stderr).toMatch(/ERR_START_FOLDER/);
    expect(stderr).toMatch(/EACCES/);
    expect(stderr).toMatch(/--data DIR/);
    expect(code).toBe(4);
    expect(readdirSync(data)).toEqual([]);
  },
);

test('a file in the place of the data folder is refused with a way out', async () => {
  const data = join(folder.path, 'a-file');
  writeFileSync(data, '');
  const { code, stderr } = start(data);
  expect([code, /ERR_START_FOLDER/.test(stderr)]).toEqual([4, true]);
});

test('a port base without room is a usage error that says which have some', async () => {
  for (const base of [0, 80, 65_001, 4400.5, Number.NaN])
    expect(() => portsFrom(base)).toThrow(expect.objectContaining({ code: 'ERR_START_PORT_BASE' }));
  const { code, stderr } = await run(['start', '--data', join(folder.path, 'never'), '--port-base', '80']);
  expect(stderr).toMatch(/from 1024 to 65000/);
  expect(code).toBe(2);
  expect(existsSync(join(folder.path, 'never'))).toBe(false);
});

test('a lock of a process that ended, or of another with its number, is taken over', () => {
  const data = newFolder();
  for (const stale of ['4194303 1\n', `${process.ppid} 1\n`, '', 'nonsense\n']) {
    writeFileSync(join(data, 'lock'), stale);
    const opened = openDataFolder(data, '0.1.0');
    expect(readFileSync(join(data, 'lock'), 'utf8')).toMatch(new RegExp(`^${process.pid} \\d+\n$`));
    opened.release();
    expect(readdirSync(data)).toEqual([]);
  }
});

test('a folder that was made for a start that did not begin goes again', () => {
  const data = join(folder.path, 'made/for/this');
  const opened = openDataFolder(data, '0.1.0');
  expect(existsSync(join(data, 'lock'))).toBe(true);
  opened.release();
  expect(existsSync(join(folder.path, 'made'))).toBe(false);
});

test('a parent killed with SIGKILL while everything is still starting leaves no orphan', async () => {
  const house = launch(['start', '--data', newFolder(), '--port-base', '5240']);
  await house.says(/starting gateway/);
  const pids = house.processes();
  house.signal('SIGKILL');
  await house.ended;
  await nothingLeft(pids);
});
