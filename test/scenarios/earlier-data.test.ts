/**
 * A data folder that an earlier commit wrote, by its own code and its own story, opened by the present one: whoever upgrades
 * does exactly this.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { startSealpost } from '../../packages/cli/src/start/start.ts';
import { createFileStore, openDevice } from '../../packages/client/src/index.ts';
import { systemSurroundings } from '../../packages/platform/src/index.ts';
import { alertOnce } from '../support/alert-once.ts';
import { BIN, endAll, launch, REPOSITORY } from '../support/program.ts';
import { cli } from '../support/run-cli.ts';
import { until } from '../support/until.ts';

/** The last commit of issue 2: the first state of the house that people could keep data in. */
const EARLIER = '96f02c1';
const PORTS = 7240;
const PATIENCE = 240_000;

const known = spawnSync('git', ['cat-file', '-e', `${EARLIER}^{commit}`], { cwd: REPOSITORY }).status === 0;
const folder = mkdtempSync(join(tmpdir(), 'sealpost-earlier-'));
chmodSync(folder, 0o711);
afterAll(async () => {
  await endAll();
  rmSync(folder, { recursive: true, force: true });
});

test.skipIf(!known)(
  `the data folder of ${EARLIER} opens: migrations apply, an alert reaches a device enrolled then, the log verifies (skipped without git history)`,
  async () => {
    const data = join(folder, 'data');
    await writtenByEarlier(checkout(), data);

    const surroundings = systemSurroundings();
    const options = { data, portBase: PORTS, organisation: 'acme.example', version: '0.1.0', logLevel: 'info' };
    const sealpost = await startSealpost(options, surroundings, () => undefined);
    try {
      const devices = sealpost.folder.zone('devices');
      const name = readdirSync(devices).find((entry) => entry.startsWith('phone-'));
      const store = await createFileStore(join(devices, name ?? ''), join(devices, 'kek'));
      const phone = await openDevice({ store, surroundings });
      try {
        expect((await phone.inbox()).length, 'what it received then').toBe(3);
        await phone.connect();
        const message = await alertOnce(sealpost, surroundings);
        await until('the alert on the phone', async () =>
          (await phone.inbox()).some((entry) => entry.message === message && entry.state !== 'unreadable'),
        );
      } finally {
        await phone.close();
      }
      const exported = join(folder, 'export.jsonl');
      const control = `http://127.0.0.1:${PORTS}`;
      const { operator } = sealpost;
      // The witness follows the log: the head of this moment is cosigned a moment later.
      await until('a log that verifies and is cosigned', async () => {
        const written = await cli(
          'log',
          'export',
          '--out',
          exported,
          '--operator',
          operator,
          '--control',
          control,
          '--json',
        );
        expect(written).toMatchObject({ exit: 0 });
        const verified = await cli('log', 'verify', exported, '--operator', operator, '--json');
        expect(verified).toMatchObject({ exit: 0, json: { ok: true } });
        return String(verified.json.cosignedBy) === 'acme.example/control';
      });
      const { json } = await cli('doctor', '--data', data, '--port-base', String(PORTS), '--json');
      expect(json.findings).toContainEqual(expect.objectContaining({ check: 'bootstrap', state: 'ok' }));
    } finally {
      await sealpost.stop();
    }
  },
  PATIENCE,
);

/** Its sources, and the present node_modules but for our own packages, which point into it. */
function checkout(): string {
  const tree = join(folder, 'checkout');
  const modules = join(tree, 'node_modules');
  mkdirSync(join(modules, '@sealpost'), { recursive: true });
  const unpack = `git archive ${EARLIER} | tar -x -C "$1"`;
  const { status, stderr } = spawnSync('sh', ['-c', unpack, 'sh', tree], { cwd: REPOSITORY, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  for (const name of readdirSync(join(REPOSITORY, 'node_modules')))
    if (name !== '@sealpost') symlinkSync(join(REPOSITORY, 'node_modules', name), join(modules, name));
  for (const name of readdirSync(join(tree, 'packages')))
    symlinkSync(join(tree, 'packages', name), join(modules, '@sealpost', name));
  return tree;
}

/** The story told and stopped as a person stops it. */
async function writtenByEarlier(tree: string, data: string): Promise<void> {
  const bin = join(tree, BIN.slice(REPOSITORY.length));
  const house = launch(['start', '--data', data, '--port-base', String(PORTS), '--json'], { bin });
  await house.says(/"serving":true/, PATIENCE);
  house.signal('SIGTERM');
  expect((await house.ended).code).toBe(0);
}
