/**
 * The data folder: where it is, that it is ours and writable, that no other Sealpost uses it, and in which format it was
 * written. Each zone has a folder of its own in it; the operator's keys have theirs beside them, read by no server.
 */
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { writeDurably } from '@sealpost/platform';
import { utf8 } from '@sealpost/protocol';
import { z } from 'zod';
import { startError } from './start-errors.ts';

/** Raised when an older Sealpost could not read what a newer one writes. */
export const DATA_FORMAT = 1;
export const POSTGRES_MAJOR = 18;

/** What a freshly made file system holds (ext4). */
const LOST_AND_FOUND = 'lost+found';

const formatSchema = z.strictObject({ format: z.int().min(1), postgres: z.int(), version: z.string() });

export interface DataFolder {
  readonly path: string;
  /** No earlier start had finished setting it up. */
  readonly fresh: boolean;
  zone(name: 'control' | 'gateway' | 'dispatcher' | 'simulator' | 'devices' | 'logs' | 'run'): string;
  readonly postgres: string;
  /** Writes format.json: from here on the folder is ours. */
  settle(): void;
  /** Frees the lock; a folder that was made and never settled goes with it. */
  release(): void;
}

export function defaultDataFolder(uid: number): string {
  return uid === 0 ? '/var/lib/sealpost' : join(homedir(), '.local/state/sealpost');
}

/** Opens and locks `path`. Throws ERR_START_… with the way out; nothing is changed then. */
export function openDataFolder(path: string, version: string): DataFolder {
  const folder = resolve(path);
  const made = makeWritable(folder);
  const entries = readdirSync(folder).filter((name) => name !== LOST_AND_FOUND);
  const formatFile = join(folder, 'format.json');
  if (entries.length > 0 && !entries.includes('format.json') && !entries.includes('lock')) {
    throw startError('ERR_START_FOREIGN', { details: [{ pointer: folder, detail: `holds ${entries[0]}` }] });
  }
  const fresh = !entries.includes('format.json');
  if (!fresh) checkFormat(formatFile);
  const unlock = takeLock(join(folder, 'lock'));
  let settled = false;
  return {
    path: folder,
    fresh,
    zone(name) {
      const zone = join(folder, name);
      mkdirSync(zone, { recursive: true, mode: 0o700 });
      return zone;
    },
    postgres: join(folder, 'postgres'),
    settle() {
      settled = true;
      const format = { format: DATA_FORMAT, postgres: POSTGRES_MAJOR, version };
      writeDurably(formatFile, utf8(`${JSON.stringify(format)}\n`), 0o644);
    },
    release() {
      unlock();
      if (!settled && made !== undefined) removeEmpty(folder, made);
    },
  };
}

/** Answers the uppermost folder that had to be made. */
function makeWritable(folder: string): string | undefined {
  try {
    const made = mkdirSync(folder, { recursive: true, mode: 0o711 });
    if (made !== undefined && process.getuid?.() === 0) letPass(folder, made);
    if (!statSync(folder).isDirectory()) throw new Error('not a folder');
    const probe = join(folder, `.probe-${process.pid}`);
    writeFileSync(probe, '');
    rmSync(probe);
    return made;
  } catch (cause) {
    throw startError('ERR_START_FOLDER', {
      cause,
      details: [{ pointer: folder, detail: (cause as NodeJS.ErrnoException).code ?? 'is not a folder' }],
    });
  }
}

/** Whatever root's umask: PostgreSQL runs as another user and must pass through the folders above its own. */
function letPass(folder: string, uppermost: string): void {
  for (let at = folder; at.length >= uppermost.length; at = dirname(at)) chmodSync(at, 0o711);
}

function removeEmpty(folder: string, uppermost: string): void {
  for (let at = folder; at.length >= uppermost.length; at = dirname(at)) {
    try {
      rmdirSync(at);
    } catch {
      return;
    }
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
    removeStale(file, `${pid} ${started}`);
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

/** Two starts may find the same stale lock: what was moved away is looked at again, and a fresh one is put back. */
function removeStale(file: string, stale: string): void {
  const aside = `${file}.stale-${process.pid}`;
  try {
    renameSync(file, aside);
    if (readFileSync(aside, 'utf8').trim() !== stale.trim()) linkSync(aside, file);
  } catch {
    // The other start was faster; creating the lock decides.
  } finally {
    rmSync(aside, { force: true });
  }
}

/**
 * Field 22 of /proc/<pid>/stat (proc(5)): clock ticks since boot. `undefined` when there is no such process; a zombie,
 * as a killed start stays one under a PID 1 that does not reap, counts as none.
 */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
