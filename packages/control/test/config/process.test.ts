/** The process itself: started from a YAML file as an operator starts it, and ended as an operating system ends it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { startTestControl } from '../support/control.ts';

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname;

it('control starts from its configuration file, says where it listens, serves, and drains on SIGTERM', async () => {
  await using control = await startTestControl();
  const file = join(control.organisation.folder, 'control.yaml');
  writeFileSync(file, stringify(control.config));
  const child = fork(MAIN, ['--config', file], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const lines: string[] = [];
  child.stdout?.on('data', (chunk) => lines.push(...String(chunk).split('\n').filter(Boolean)));
  const [message] = await once(child, 'message');
  expect(message).toEqual({ kind: 'ready', name: 'control' });
  const listening = () => lines.map((line) => JSON.parse(line)).find(({ event }) => event === 'listening');
  await expect.poll(listening).toBeDefined();
  expect((await fetch(`http://127.0.0.1:${listening().port}/readyz`)).status).toBe(200);
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

it('control says on standard error what is wrong with its configuration and where, and does not start', async () => {
  await using control = await startTestControl();
  const file = join(control.organisation.folder, 'broken.yaml');
  writeFileSync(file, stringify({ ...control.config, log_level: 'loud' }));
  const child = fork(MAIN, ['--config', file], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let errors = '';
  child.stderr?.on('data', (chunk) => {
    errors += String(chunk);
  });
  expect(await once(child, 'exit')).toEqual([1, null]);
  expect(errors).toMatch(/sealpost: error: The configuration is not valid/);
  expect(errors).toMatch(/broken\.yaml:\d+:\d+ \/log_level/);
});
