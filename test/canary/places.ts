/** Where markers are looked for: bytes, files, whole folders, and the memory of a running process. */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Hit, Search } from './search.ts';

export interface Found extends Hit {
  readonly place: string;
}

export interface Looked {
  /** Bytes that were looked at, so that "nothing found" can be told from "nothing there". */
  readonly bytes: number;
  readonly found: readonly Found[];
}

const CHUNK = 8 << 20;
const PAGE = 4096;
/** A page that is in memory, or swapped out of it (Documentation/admin-guide/mm/pagemap.rst, bits 63 and 62). */
const PRESENT_OR_SWAPPED = 0b1100_0000;
/** The kernel's own pages, which it lets nobody read through /proc/<pid>/mem. */
const KERNEL_OWNED = /\[v(var|vsyscall|syscall|var_vclock)\]$/;

export function lookAtText(search: Search, place: string, text: string): Looked {
  const bytes = Buffer.from(text);
  return { bytes: bytes.length, found: search([bytes]).map((hit) => ({ ...hit, place })) };
}

/** Every file below `folder`; places are named from there. A file that goes away meanwhile holds nothing any more. */
export function lookAtFolder(search: Search, folder: string): Looked {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return together(files.map(({ parentPath, name }) => lookAtFile(search, join(parentPath, name), folder)));
}

function lookAtFile(search: Search, path: string, folder: string): Looked {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return { bytes: 0, found: [] };
    throw cause;
  }
  try {
    const counter = { bytes: 0 };
    const hits = search(counted(counter, chunksOf(file, null, Number.POSITIVE_INFINITY)));
    return { bytes: counter.bytes, found: hits.map((hit) => ({ ...hit, place: relative(folder, path) })) };
  } finally {
    closeSync(file);
  }
}

/**
 * Every page a process holds, private or shared, byte arrays and buffers as well as heap: what `gcore` writes, without the
 * pages that were reserved and never touched, of which Node has ten gigabytes (guards of WebAssembly memory, the heap's
 * cage) and gcore writes each. The process stands still meanwhile, as under gdb, so that nothing moves past the reader.
 */
export function lookAtMemory(search: Search, place: string, pid: number): Looked {
  const [memory, pagemap] = [openSync(`/proc/${pid}/mem`, 'r'), openSync(`/proc/${pid}/pagemap`, 'r')];
  process.kill(pid, 'SIGSTOP');
  try {
    const counter = { bytes: 0 };
    const found = runsOf(pid, pagemap).flatMap(({ start, length }) =>
      search(counted(counter, chunksOf(memory, start, length))).map((hit) => ({ ...hit, at: start + hit.at, place })),
    );
    return { bytes: counter.bytes, found };
  } finally {
    process.kill(pid, 'SIGCONT');
    closeSync(memory);
    closeSync(pagemap);
  }
}

export function together(looked: readonly Looked[]): Looked {
  return { bytes: looked.reduce((sum, { bytes }) => sum + bytes, 0), found: looked.flatMap(({ found }) => found) };
}

interface Run {
  readonly start: number;
  readonly length: number;
}

/** Pages that follow each other and hold something, of all mappings (proc(5), maps and pagemap). */
function runsOf(pid: number, pagemap: number): Run[] {
  const runs: Run[] = [];
  for (const { start, length } of mappingsOf(pid)) {
    let page = start;
    for (const entries of chunksOf(pagemap, (start / PAGE) * 8, (length / PAGE) * 8)) {
      for (let at = 7; at < entries.length; at += 8, page += PAGE) {
        if (((entries[at] ?? 0) & PRESENT_OR_SWAPPED) === 0) continue;
        const last = runs.at(-1);
        if (last !== undefined && last.start + last.length === page)
          runs[runs.length - 1] = { start: last.start, length: last.length + PAGE };
        else runs.push({ start: page, length: PAGE });
      }
    }
  }
  return runs;
}

function mappingsOf(pid: number): Run[] {
  return readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !KERNEL_OWNED.test(line))
    .map((line) => {
      const [start = 0, end = 0] = (line.split(' ')[0] ?? '').split('-').map((hex) => Number.parseInt(hex, 16));
      return { start, length: end - start };
    });
}

/** From `position`, or from where the file stands when it is null; a chunk is worthless once the next is asked for. */
function* chunksOf(file: number, position: number | null, length: number): Generator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK, length));
  for (let done = 0; done < length; ) {
    const at = position === null ? null : position + done;
    const read = readSync(file, buffer, 0, Math.min(buffer.length, length - done), at);
    if (read === 0) return;
    yield buffer.subarray(0, read);
    done += read;
  }
}

function* counted(counter: { bytes: number }, chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const chunk of chunks) {
    counter.bytes += chunk.length;
    yield chunk;
  }
}
