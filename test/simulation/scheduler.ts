/**
 * Virtual time. Whatever happens in a simulated world happens in a fiber, one at a time: a fiber runs until it parks (it
 * sleeps, waits for a row, for an answer), and the earliest of those that may go on is next. The order is that of time and
 * then of scheduling, so it depends on the seed alone. Fibers belong to a process, which may be paused or killed: a killed
 * one is simply never continued, as nothing runs after SIGKILL.
 */
export interface Process {
  readonly name: string;
  alive: boolean;
  pausedUntil: number;
  /** Runs at the kill, after which nothing of the process does: the server notices that its connections are gone. */
  readonly onKill: (() => void)[];
}

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly process: Process;
  readonly go: () => void;
}

export type Resume = () => void;

export class Scheduler {
  /** Milliseconds since the Unix epoch by the world's own clock, which no process reads. */
  now: number;
  /** Continuations so far; a run that never ends is stopped by it. */
  steps = 0;
  readonly #heap: Entry[] = [];
  #order = 0;
  #parked: () => void = () => undefined;
  #running: Process | undefined;
  #failure: unknown;

  constructor(start: number) {
    this.now = start;
  }

  /** The process whose fiber runs now. */
  get running(): Process {
    if (this.#running === undefined) throw new Error('no fiber is running');
    return this.#running;
  }

  process(name: string): Process {
    return { name, alive: true, pausedUntil: 0, onKill: [] };
  }

  /** Time passes and nothing happens in it: what was to happen meanwhile happens at its end. */
  skip(ms: number): void {
    this.now += ms;
  }

  /** Begins a fiber now. What it throws ends the run: a fiber handles what it expects. */
  spawn(process: Process, work: () => Promise<void>): void {
    this.#push(this.now, process, () => {
      work()
        .catch((cause: unknown) => {
          this.#failure ??= cause;
        })
        .finally(() => this.#parked());
    });
  }

  sleep(ms: number): Promise<void> {
    return this.suspend((resume) => resume(ms));
  }

  /** Parks until `resume` is called the first time, by whomever, and `after` milliseconds from then. */
  suspend(register: (resume: (after?: number) => void) => void): Promise<void> {
    const process = this.running;
    return new Promise((resolve) => {
      let resumed = false;
      register((after = 0) => {
        if (resumed) return;
        resumed = true;
        this.#push(this.now + after, process, resolve);
      });
      this.#parked();
    });
  }

  /** As `suspend`, but no longer than `ms`. */
  suspendAtMost(ms: number, register: (resume: Resume) => void): Promise<void> {
    const process = this.running;
    return new Promise((resolve) => {
      let resumed = false;
      const once = () => {
        if (resumed) return;
        resumed = true;
        resolve();
        return true;
      };
      this.#push(this.now + ms, process, () => once() ?? this.#parked());
      register(() => {
        if (!resumed) this.#push(this.now, process, () => once() ?? this.#parked());
      });
      this.#parked();
    });
  }

  kill(process: Process): void {
    process.alive = false;
    for (const notice of [...process.onKill]) notice();
  }

  /** Runs until nothing is left, `until` says so, or `most` continuations were made. */
  async run(until: () => boolean, most: number): Promise<'ended' | 'idle' | 'too-long'> {
    while (!until()) {
      const entry = this.#pop();
      if (entry === undefined) return 'idle';
      if (!entry.process.alive) continue;
      if (entry.process.pausedUntil > entry.at) {
        this.#push(entry.process.pausedUntil, entry.process, entry.go);
        continue;
      }
      if (this.steps++ >= most) return 'too-long';
      this.now = Math.max(this.now, entry.at);
      await new Promise<void>((resolve) => {
        this.#parked = resolve;
        this.#running = entry.process;
        entry.go();
      });
      this.#running = undefined;
      if (this.#failure !== undefined) throw this.#failure;
    }
    return 'ended';
  }

  #push(at: number, process: Process, go: () => void): void {
    const entry = { at, order: this.#order++, process, go };
    const heap = this.#heap;
    let place = heap.push(entry) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!before(entry, heap[parent]!)) break;
      heap[place] = heap[parent]!;
      place = parent;
    }
    heap[place] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = last;
    return first;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
