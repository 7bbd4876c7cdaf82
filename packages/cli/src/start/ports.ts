/** The ports a start needs, counted from one base, and who has them when they are taken. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename } from 'node:path';
import { startError } from './start-errors.ts';

export const DEFAULT_PORT_BASE = 4400;

export interface Ports {
  readonly control: number;
  readonly devices: number;
  readonly internal: number;
  readonly webhooks: number;
  readonly simulator: number;
  readonly smsc: number;
  readonly inbox: number;
  readonly console: number;
}

export function portsFrom(base: number): Ports {
  if (!Number.isInteger(base) || base < 1024 || base > 65_000) throw startError('ERR_START_PORT_BASE');
  return {
    control: base,
    devices: base + 1,
    internal: base + 2,
    webhooks: base + 3,
    simulator: base + 4,
    smsc: base + 5,
    inbox: base + 6,
    console: base + 7,
  };
}

/** Throws ERR_START_PORT naming each taken port and, where it may be seen, the process that has it. */
export async function requireFree(ports: Ports): Promise<void> {
  const details: { pointer: string; detail: string }[] = [];
  for (const [name, port] of Object.entries(ports)) {
    if (await isFree(port)) continue;
    const owner = ownerOf(port);
    details.push({
      pointer: `port ${port} (${name})`,
      detail:
        owner === undefined
          ? 'is taken by a process this user may not see'
          : `is taken by process ${owner.pid} (${owner.name})`,
    });
  }
  if (details.length > 0) throw startError('ERR_START_PORT', { details });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Looks the listening socket up in /proc/net/tcp (state 0A) and its inode among the processes’ descriptors (proc(5)). */
function ownerOf(port: number): { pid: number; name: string } | undefined {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readLines(table)) {
      const fields = line.trim().split(/\s+/);
      if (fields[1]?.endsWith(`:${hex}`) === true && fields[3] === '0A' && fields[9] !== undefined)
        inodes.add(`socket:[${fields[9]}]`);
    }
  }
  for (const pid of list('/proc').filter((name) => /^\d+$/.test(name))) {
    for (const descriptor of list(`/proc/${pid}/fd`)) {
      if (inodes.has(linkOf(`/proc/${pid}/fd/${descriptor}`))) return { pid: Number(pid), name: programOf(pid) };
    }
  }
  return undefined;
}

/** The program and, for an interpreter, its script; never further arguments, which may hold secrets. */
function programOf(pid: string): string {
  const [program = '', ...rest] = (readLines(`/proc/${pid}/cmdline`)[0] ?? '').split('\0');
  const script = rest.find((word) => /\.m?[jt]s$|\.py$|\.pl$/.test(word));
  return [program, ...(script === undefined ? [] : [script])].map((path) => basename(path)).join(' ');
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
