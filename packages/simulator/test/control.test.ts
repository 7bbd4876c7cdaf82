/**
 * The control API, the demo images and the process around the simulator.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { inflateSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createServiceAccount } from '../src/index.ts';
import { AGENT, type Simulated, sendRcs, simulate, TEXT } from './harness.ts';

describe('control API', () => {
  let simulator: Simulated;
  beforeEach(async () => {
    simulator = await simulate();
  });
  afterEach(() => simulator.stop());

  it('lists the phones it has heard of with what they show', async () => {
    await simulator.call('PUT', '/phones/+4915112345678', { rcs: false, online: false });
    expect((await simulator.call('GET', '/phones')).json).toEqual([
      { number: '+4915112345678', rcs: false, online: false, readReceipts: true, messages: [] },
    ]);
  });

  it('refuses what it does not know: a fault, a carrier, a member, a number', async () => {
    expect((await simulator.call('PUT', '/faults/rbm', { kind: 'earthquake' })).status).toBe(400);
    expect((await simulator.call('PUT', '/faults/pigeon', { kind: 'ok' })).status).toBe(404);
    expect((await simulator.call('PUT', '/faults/smsc', { kind: 'forged-signature' })).status).toBe(400);
    expect((await simulator.call('PUT', '/faults/rbm', [{ kind: '503' }, { kind: 'slow' }])).status).toBe(400);
    expect(
      (
        await simulator.call('PUT', '/faults/rbm', [
          { kind: '503', rate: 0.6 },
          { kind: 'slow', rate: 0.6 },
        ])
      ).status,
    ).toBe(400);
    expect((await simulator.call('PUT', '/phones/+4915112345678', { offline: true })).status).toBe(400);
    expect((await simulator.call('GET', '/phones/alice')).status).toBe(400);
  });

  it('keeps everything a carrier was sent, and no credential', async () => {
    await sendRcs(simulator.base, '+4915112345678', randomUUID(), TEXT);
    const { json } = await simulator.call('GET', '/traffic');
    expect(json).toMatchObject([
      { carrier: 'rbm', address: '+4915112345678', text: 'Something is waiting https://inbox.example/m/1' },
    ]);
    expect(JSON.stringify(json)).not.toMatch(/Bearer|ya29/);
  });

  it('draws the same valid PNG for the same name, of a few kilobytes at most', async () => {
    const image = async (name: string) =>
      Buffer.from(await (await fetch(`${simulator.base}/images/${name}.png`)).arrayBuffer());
    const [first, again, other] = [await image('db1-disk'), await image('db1-disk'), await image('web')];
    expect(first.equals(again)).toBe(true);
    expect(first.equals(other)).toBe(false);
    expect(first.length).toBeLessThan(8_192);
    expect(first.subarray(0, 8)).toEqual(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]));
    const [width, height] = [first.readUInt32BE(16), first.readUInt32BE(20)];
    const data = first.indexOf('IDAT');
    const rows = inflateSync(first.subarray(data + 4, data + 4 + first.readUInt32BE(data - 4)));
    expect(rows.length).toBe((width + 1) * height);
  });

  it('draws no image for a name that is none', async () => {
    expect((await fetch(`${simulator.base}/images/..%2Fsecret`)).status).toBe(404);
  });
});

describe('process', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealpost-simulator-'));
    await writeFile(join(folder, 'client-token'), 'token\n');
    await writeFile(join(folder, 'password'), 'secret\n');
    await writeFile(join(folder, 'key.pem'), createServiceAccount().publicKeyPem);
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function start(extra = '', httpPort = 0) {
    const config = join(folder, 'simulator.yaml');
    const rbm = `rbm:\n  agent_id: ${AGENT}\n  service_account_public_key_file: key.pem\n  client_token_file: client-token\n`;
    await writeFile(
      config,
      `http_port: ${httpPort}\nsmsc_port: 0\n${rbm}smsc:\n  system_id: sealpost\n  password_file: password\n${extra}`,
    );
    const main = join(import.meta.dirname, '../src/main.ts');
    const child = spawn(process.execPath, [main, '--config', config], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    return { child, lines: createInterface({ input: child.stdout! }), exited: once(child, 'exit') };
  }

  it('prints one JSON line when it is ready and stops on SIGTERM', async () => {
    const { child, lines, exited } = await start();
    const [line] = await once(lines, 'line');
    const ready = JSON.parse(line);
    expect(ready).toMatchObject({
      event: 'ready',
      name: 'simulator',
      httpPort: expect.any(Number),
      smscPort: expect.any(Number),
    });
    expect((await fetch(`http://127.0.0.1:${ready.httpPort}/livez`)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });

  it('stops when its parent is gone', async () => {
    const { child, lines, exited } = await start();
    await once(lines, 'line');
    child.disconnect();
    expect(await exited).toEqual([0, null]);
  });

  it('ends with an error when a port it needs is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { exited } = await start('', (taken.address() as { port: number }).port);
    expect(await exited).toEqual([1, null]);
    taken.close();
    await once(taken, 'close');
  });

  it('refuses a configuration with a member it does not know', async () => {
    const { exited } = await start('surprise: 1\n');
    expect((await exited)[0]).toBe(1);
  });
});
