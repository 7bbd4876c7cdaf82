/** The embedded PostgreSQL starts, answers, keeps its data, and refuses what it cannot do safely. */
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';

import { ask, keepsake, scratch } from './scratch.ts';

const asRoot = process.getuid?.() === 0;

describe('a started server', () => {
  test('answers with checksums, fsync and scram on, in UTF-8, and has nothing beside its data open to others', async () => {
    await using place = await scratch();
    const server = await place.start({ unsafeNoFsync: false });
    const names = [
      'data_checksums',
      'fsync',
      'synchronous_commit',
      'full_page_writes',
      'password_encryption',
      'server_encoding',
    ];
    const rows = await ask<{ value: string }>(
      server,
      `SELECT current_setting(n) AS value FROM unnest('{${names}}'::text[]) n`,
    );
    expect(rows.map(({ value }) => value)).toEqual(['on', 'on', 'on', 'on', 'scram-sha-256', 'UTF8']);
    const methods = await ask<{ auth_method: string }>(server, 'SELECT DISTINCT auth_method FROM pg_hba_file_rules');
    expect(methods).toEqual([{ auth_method: 'scram-sha-256' }]);

    expect(
      readdirSync(place.folder)
        .filter((name) => name !== 'postgres-binaries')
        .sort(),
    ).toEqual(['postgres', 'postgres-superuser', 'postgres.log']);
    expect(statSync(join(place.folder, 'postgres-superuser'))).toMatchObject({ uid: process.getuid?.() });
    expect(modeOf(join(place.folder, 'postgres-superuser'))).toBe(0o600);
    expect(modeOf(place.dataDir)).toBe(0o700);
    expect(modeOf(server.socketDir)).toBe(0o700);
    expect(place.log.filter((line) => line.includes('fsync'))).toEqual([]);
  });

  test('listens on its unix socket and on no TCP port', async () => {
    const server = inject('postgres');
    const [row] = await ask<{ pid: number }>(
      server,
      `SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int AS pid`,
    );
    expect(existsSync(join(server.socketDir, '.s.PGSQL.5432'))).toBe(true);
    expect(listeningTcpSockets(row?.pid ?? 0)).toEqual([]);
  });

  test('refuses a wrong password and a role it does not know', async () => {
    const server = inject('postgres');
    await expect(ask(server, 'SELECT 1', { password: 'wrong' })).rejects.toMatchObject({ code: '28P01' });
    await expect(ask(server, 'SELECT 1', { role: 'nobody_known' })).rejects.toMatchObject({ code: '28P01' });
  });

  test('keeps its data over a stop and a second start, and removes its socket folder in between', async () => {
    await using place = await scratch();
    const first = await place.start();
    await keepsake.write(first);
    await first.stop();
    expect(await first.exited).toEqual({ code: 0, signal: null });
    expect(existsSync(first.socketDir)).toBe(false);
    const second = await place.start();
    expect(await keepsake.read(second)).toBe('kept');
    expect(second.superuserPassword).toBe(first.superuserPassword);
  });

  test.skipIf(!asRoot)('never runs as root when root starts it, nor with a group of root', async () => {
    await using place = await scratch();
    const { pid } = await place.start();
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    for (const field of ['Uid', 'Gid']) {
      const ids = new RegExp(`^${field}:\\s+(.*)$`, 'm').exec(status)?.[1]?.split(/\s+/);
      expect(ids).toHaveLength(4);
      expect(ids).not.toContain('0');
    }
    expect(/^Groups:(.*)$/m.exec(status)?.[1]?.trim()).toBe('');
  });

  test('passes extra settings on, and refuses those that durability and access rest on', async () => {
    await using place = await scratch();
    const server = await place.start({ settings: { work_mem: '7MB' } });
    expect(await ask(server, 'SHOW work_mem')).toEqual([{ work_mem: '7MB' }]);
    for (const name of ['fsync', 'Listen_Addresses', 'sealpost.owner', 'hba_file']) {
      await expect(place.start({ settings: { [name]: 'off' } })).rejects.toMatchObject({
        code: 'ERR_POSTGRES_SETTING_RESERVED',
      });
    }
  });

  test('says so when it runs without fsync', async () => {
    await using place = await scratch();
    await place.start({ unsafeNoFsync: true });
    expect(place.log.join()).toContain('without fsync');
  });
});

describe('a start that cannot succeed', () => {
  test('is refused with a hint when the socket path is too long', async () => {
    await using place = await scratch();
    const attempt = place.start({ socketDir: `/tmp/${'s'.repeat(100)}` });
    await expect(attempt).rejects.toMatchObject({
      code: 'ERR_POSTGRES_SOCKET_PATH_TOO_LONG',
      hint: expect.stringContaining('/run/sealpost'),
    });
    expect(existsSync(place.dataDir)).toBe(false);
  });

  test('is refused when the cluster was written by another major version, and the cluster stays as it was', async () => {
    await using place = await scratch();
    await mkdir(place.dataDir);
    await writeFile(join(place.dataDir, 'PG_VERSION'), '19\n');
    await expect(place.start()).rejects.toMatchObject({
      code: 'ERR_POSTGRES_VERSION_MISMATCH',
      message: expect.stringMatching(/PostgreSQL 19, .* PostgreSQL 18/),
      hint: expect.stringContaining('pg_dumpall'),
    });
    expect(readdirSync(place.dataDir)).toEqual(['PG_VERSION']);
  });

  test('is refused when the folder holds something that is no cluster', async () => {
    await using place = await scratch();
    await mkdir(place.dataDir);
    await writeFile(join(place.dataDir, 'thesis.txt'), 'the only copy');
    await expect(place.start()).rejects.toMatchObject({ code: 'ERR_POSTGRES_FOLDER_FOREIGN' });
    expect(readdirSync(place.dataDir)).toEqual(['thesis.txt']);
  });

  test('is refused when the password file of the cluster is gone or belongs to another', async () => {
    await using place = await scratch();
    const server = await place.start();
    await server.stop();
    const file = join(place.folder, 'postgres-superuser');
    await writeFile(file, 'another\n');
    await expect(place.start()).rejects.toMatchObject({ code: 'ERR_POSTGRES_PASSWORD_REJECTED' });
    await rm(file);
    await expect(place.start()).rejects.toMatchObject({ code: 'ERR_POSTGRES_PASSWORD_MISSING' });
  });

  test('quotes the last lines of the log when PostgreSQL stops while starting', async () => {
    await using place = await scratch();
    await expect(place.start({ settings: { shared_buffers: 'plenty' } })).rejects.toMatchObject({
      code: 'ERR_POSTGRES_START_FAILED',
      message: expect.stringContaining('shared_buffers'),
      hint: expect.stringContaining('postgres.log'),
    });
  });

  test.skipIf(!asRoot)('is refused when the user PostgreSQL runs as cannot reach the data folder', async () => {
    await using place = await scratch();
    await chmod(place.folder, 0o700);
    await expect(place.start()).rejects.toMatchObject({
      code: 'ERR_POSTGRES_FOLDER_UNREACHABLE',
      message: expect.stringContaining(dirname(place.dataDir)),
      hint: expect.stringContaining('chmod o+x'),
    });
  });

  test('is refused when something else lies where the socket folder should be', async () => {
    await using place = await scratch();
    const socketDir = join(place.folder, 'link');
    await writeFile(socketDir, '');
    await expect(place.start({ socketDir })).rejects.toMatchObject({ code: 'ERR_POSTGRES_SOCKET_DIR_FOREIGN' });
  });
});

const modeOf = (path: string): number => statSync(path).mode & 0o777;

/** Inodes of the process's sockets that proc(5) lists as listening (state 0A) for TCP, version 4 or 6. */
const listeningTcpSockets = (pid: number): string[] => {
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  const own = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  expect(own.size).toBeGreaterThan(0);
  return ['tcp', 'tcp6']
    .flatMap((table) => readFileSync(`/proc/${pid}/net/${table}`, 'utf8').trim().split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .flatMap((fields) => (fields[3] === '0A' && own.has(fields[9] ?? '') ? [fields[9] ?? ''] : []));
};
