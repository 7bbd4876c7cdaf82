/**
 * Whether answers waited for the disk, read off strace's output: with one request in flight, an answer is early when the
 * gateway begins to write it before a flush of the WAL has returned that began after the request was read. Pure; lines
 * are as `strace -f -yy` writes them, system calls of several processes interleaved.
 */
export interface Answers {
  readonly count: number;
  readonly early: number;
  /** Flushes of the WAL seen in all: none means that the wrong processes were watched. */
  readonly flushes: number;
}

interface SystemCall {
  readonly pid: string;
  readonly name: string;
  /** What `-yy` says of the first argument: a path, or a socket's ends. */
  readonly target: string;
  readonly phase: 'begun' | 'returned' | 'whole';
  /** Once it has returned. */
  readonly result: number;
}

const WHOLE = /^(?:\[pid +)?(\d+)\]? +(\w+)\(\d+<(.*?)>[,)].* = (-?\d+)/;
const BEGUN = /^(?:\[pid +)?(\d+)\]? +(\w+)\(\d+<(.*?)>[,) ].*<unfinished \.\.\.>$/;
const RESUMED = /^(?:\[pid +)?(\d+)\]? +<\.\.\. (\w+) resumed>.* = (-?\d+)/;

const READS: readonly string[] = ['read', 'recvfrom', 'recvmsg', 'readv'];
const WRITES: readonly string[] = ['write', 'sendto', 'sendmsg', 'writev'];
const FLUSHES: readonly string[] = ['fdatasync', 'fsync'];

/** `port`: where the gateway takes requests; the peer that is asked must speak to it over one connection. */
export function answersIn(lines: Iterable<string>, port: number): Answers {
  const ours = new RegExp(`^TCP(?:v6)?:\\[\\S*:${port}->`);
  const flushing = new Set<string>();
  let [count, early, flushes] = [0, 0, 0];
  let asked = false;
  let flushed = false;

  const onSocket = ({ name, phase, result }: SystemCall) => {
    // What is read on is the same request until it was answered.
    if (READS.includes(name) && phase !== 'begun' && result > 0 && !asked) {
      asked = true;
      flushed = false;
      flushing.clear();
    }
    // The answer is on its way from the moment the write begins.
    if (WRITES.includes(name) && phase !== 'returned' && asked) {
      count += 1;
      if (!flushed) early += 1;
      asked = false;
    }
  };
  const onWal = ({ pid, phase, result }: SystemCall) => {
    if (phase !== 'returned') flushing.add(pid);
    if (phase === 'begun' || result !== 0) return;
    flushes += 1;
    // One that was under way when the request came may have missed what the request made.
    if (flushing.delete(pid)) flushed = true;
  };

  for (const call of systemCalls(lines)) {
    if (FLUSHES.includes(call.name) && call.target.includes('/pg_wal/')) onWal(call);
    else if (ours.test(call.target)) onSocket(call);
  }
  return { count, early, flushes };
}

function* systemCalls(lines: Iterable<string>): Generator<SystemCall> {
  const open = new Map<string, string>();
  for (const line of lines) {
    const [, pid = '', name = '', target = ''] = BEGUN.exec(line) ?? [];
    if (pid !== '') {
      open.set(`${pid} ${name}`, target);
      yield { pid, name, target, phase: 'begun', result: 0 };
      continue;
    }
    const resumed = RESUMED.exec(line);
    if (resumed !== null) {
      const [, by = '', what = '', result = '-1'] = resumed;
      yield { pid: by, name: what, target: open.get(`${by} ${what}`) ?? '', phase: 'returned', result: Number(result) };
      open.delete(`${by} ${what}`);
      continue;
    }
    const [, by = '', what = '', at = '', result = '-1'] = WHOLE.exec(line) ?? [];
    if (by !== '') yield { pid: by, name: what, target: at, phase: 'whole', result: Number(result) };
  }
}
