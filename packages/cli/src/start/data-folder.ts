/**
 * The data folder: where it is, that it is ours and writable, that no other Sealpost uses it, and in which format it was
 * written. Each zone has a folder of its own in it; the operator's keys have theirs beside them, read by no server.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { writeDurably } from '@sealpost/platform';
import { utf8 } from '@sealpost/protocol';
import { z } from 'zod';
import { startError } from './start-errors.ts';

/** Raised when an older Sealpost could not read what a newer one writes. */
export const DATA_FORMAT = 1;
export const POSTGRES_MAJOR = 18;

const formatSchema = z.strictObject({ format: z.int().min(1), postgres: z.int(), version: z.string() });

export interface DataFolder {
  readonly path: string;
  /** No earlier start had finished setting it up. */
  readonly fresh: boolean;
  zone(name: 'control' | 'gateway' | 'dispatcher' | 'simulator' | 'devices' | 'logs' | 'run'): string;
  readonly postgres: string;
  /** Frees the lock. */
  release(): void;
}

export function defaultDataFolder(uid: number): string {
  return uid === 0 ? '/var/lib/sealpost' : join(homedir(), '.local/state/sealpost');
}

/** Opens and locks `path`. Throws ERR_START_… with the way out; nothing is changed then. */
export function openDataFolder(path: string, version: string): DataFolder {
  const folder = resolve(path);
  const existed = existsSync(folder);
  makeWritable(folder);
  const entries = existed ? readdirSync(folder) : [];
  const formatFile = join(folder, 'format.json');
  if (entries.length > 0 && !entries.includes('format.json') && !entries.includes('lock')) {
    throw startError('ERR_START_FOREIGN', { details: [{ pointer: folder, detail: `holds ${entries[0]}` }] });
  }
  const fresh = !entries.includes('format.json');
  if (!fresh) checkFormat(formatFile);
  const release = takeLock(join(folder, 'lock'));
  writeDurably(
    formatFile,
    utf8(`${JSON.stringify({ format: DATA_FORMAT, postgres: POSTGRES_MAJOR, version })}\n`),
    0o644,
  );
  return {
    path: folder,
    fresh,
    zone(name) {
      const zone = join(folder, name);
      mkdirSync(zone, { recursive: true, mode: 0o700 });
      return zone;
    },
    postgres: join(folder, 'postgres'),
    release,
  };
}

function makeWritable(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o711 });
    if (!statSync(folder).isDirectory()) throw new Error('not a folder');
    const probe = join(folder, `.probe-${process.pid}`);
    writeFileSync(probe, '');
    rmSync(probe);
  } catch (cause) {
    throw startError('ERR_START_FOLDER', {
      cause,
      details: [{ pointer: folder, detail: (cause as NodeJS.ErrnoException).code ?? 'is not a folder' }],
    });
  }
}

function checkFormat(file: string): void {
  let text: unknown;
  try {
    text = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw startError('ERR_START_FORMAT', { cause });
  }
  const parsed = formatSchema.safeParse(text);
  if (!parsed.success) throw startError('ERR_START_FORMAT');
  const { format, postgres, version } = parsed.data;
  if (format > DATA_FORMAT || postgres > POSTGRES_MAJOR) {
    throw startError('ERR_START_NEWER', {
      details: [
        {
          pointer: file,
          detail: `written by Sealpost ${version}, format ${format}, PostgreSQL ${postgres}; this one reads format ${DATA_FORMAT}, PostgreSQL ${POSTGRES_MAJOR}`,
        },
      ],
    });
  }
}

/** The lock names its process and when that started, so that a number used again is not taken for the old owner. */
function takeLock(file: string): () => void {
  const own = `${process.pid} ${startTimeOf(process.pid) ?? ''}\n`;
  if (existsSync(file)) {
    const [pid = '', started = ''] = readFileSync(file, 'utf8').trim().split(' ');
    const alive =
      /^\d+$/.test(pid) && Number(pid) !== process.pid && startTimeOf(Number(pid)) === started && started !== '';
    if (alive) throw startError('ERR_START_LOCKED', { details: [{ pointer: file, detail: `held by process ${pid}` }] });
    rmSync(file, { force: true });
  }
  try {
    writeFileSync(file, own, { flag: 'wx', mode: 0o644 });
  } catch (cause) {
    throw startError('ERR_START_LOCKED', {
      cause,
      details: [{ pointer: file, detail: 'another process took it just now' }],
    });
  }
  return () => {
    if (existsSync(file) && readFileSync(file, 'utf8') === own) rmSync(file, { force: true });
  };
}

/** Field 22 of /proc/<pid>/stat (proc(5)): clock ticks since boot. `undefined` when there is no such process. */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
