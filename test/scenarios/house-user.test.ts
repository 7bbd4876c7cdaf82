/** The demo as an ordinary user who owns nothing on this machine but a temporary folder. */
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { areFree, endAll, launch, nothingLeft, REPOSITORY, run, temporaryFolder } from '../support/program.ts';

const BASE = 5260;
const folder = temporaryFolder();
const NOBODY = { uid: 65_534, gid: 65_534 };
const before = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'];

afterAll(async () => {
  await endAll();
  folder.remove();
}, 60_000);

test('npm run demo as an ordinary user tells the story, ends with one JSON line and leaves nothing', async (context) => {
  if (process.getuid?.() !== 0) return context.skip('only root can become another user');
  const [home, temporary] = [join(folder.path, 'home'), join(folder.path, 'tmp')];
  for (const path of [home, temporary]) {
    mkdirSync(path, { mode: 0o700 });
    chownSync(path, NOBODY.uid, NOBODY.gid);
  }
  const readable = await reads(join(REPOSITORY, 'packages/cli/src/main.ts'));
  if (!readable) return context.skip(`${REPOSITORY} is not readable for the user nobody`);
  const house = launch(['start', '--demo', '--json', '--port-base', String(BASE)], {
    before,
    env: { HOME: home, TMPDIR: temporary },
    cwd: home,
  });
  const seen = new Set<number>();
  const watch = setInterval(() => {
    for (const pid of house.processes()) seen.add(pid);
  }, 500);
  const { code, stdout, stderr } = await house.ended;
  clearInterval(watch);
  expect([stderr, code]).toEqual(['', 0]);
  const [line = '', ...more] = stdout.trimEnd().split('\n');
  expect(more).toEqual([]);
  const { ok, steps } = JSON.parse(line) as { ok: boolean; steps: { step: string; ok: boolean }[] };
  expect(ok).toBe(true);
  expect(steps.length).toBeGreaterThan(25);
  expect(steps.filter((step) => !step.ok)).toEqual([]);
  await nothingLeft([...seen]);
  expect(await areFree(BASE)).toBe(true);
  expect(readdirSync(temporary)).toEqual([]);
  expect(existsSync(join(home, '.local'))).toBe(false);
}, 150_000);

async function reads(path: string): Promise<boolean> {
  const probe = join(folder.path, 'probe.cjs');
  const { writeFileSync } = await import('node:fs');
  writeFileSync(probe, `require('node:fs').readFileSync(${JSON.stringify(path)});process.exit(7);`);
  chmodSync(probe, 0o644);
  return (await run([], { before, node: ['-r', probe] })).code === 7;
}
