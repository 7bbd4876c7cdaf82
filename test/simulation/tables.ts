/**
 * A model of what PostgreSQL promises at READ COMMITTED, as much of it as delivery leans on: a statement sees what was
 * committed before it and its own transaction's changes; a row changed by a transaction under way is waited for and then
 * looked at again (EvalPlanQual), or passed over with SKIP LOCKED; who would wait in a circle gets 40P01; COMMIT shows all
 * or nothing. A statement that waits for nobody is one step of the world.
 */
import type { Process, Resume, Scheduler } from './scheduler.ts';

export interface Change {
  readonly table: string;
  readonly before: object | undefined;
  readonly after: object | undefined;
}

/** A failure as `pg` shows it: a code, and nothing a person wrote. */
export class ServerError extends Error {
  readonly code: string;
  constructor(code: string) {
    super(`server: ${code}`);
    this.code = code;
  }
}

export class Table<Row extends object> {
  readonly name: string;
  readonly keyOf: (row: Row) => string;
  readonly rows = new Map<string, Row>();
  #identity = 0;

  constructor(name: string, keyOf: (row: Row) => string) {
    this.name = name;
    this.keyOf = keyOf;
  }

  /** GENERATED ALWAYS AS IDENTITY: given outside of transactions, so that a rollback leaves a hole. */
  identity(): number {
    this.#identity += 1;
    return this.#identity;
  }
}

type AnyTable = Table<object>;
type Overlay = Map<AnyTable, Map<string, object | undefined>>;

/** What was in force when a transaction asked what routing must know. */
export interface Sight {
  readonly bundle: number;
  readonly closed: ReadonlySet<string>;
}

/** A transaction as it is committed. */
export interface Committed {
  readonly changes: readonly Change[];
  readonly by: Process;
  readonly fenced: boolean;
  readonly sight: Sight | undefined;
}
export type OnCommit = (committed: Committed) => void;

export class Server {
  readonly scheduler: Scheduler;
  readonly onCommit: OnCommit;
  readonly holders = new Map<string, Transaction>();
  readonly waiting = new Map<Transaction, string>();
  readonly queues = new Map<string, Resume[]>();

  constructor(scheduler: Scheduler, onCommit: OnCommit) {
    this.scheduler = scheduler;
    this.onCommit = onCommit;
  }

  begin(by: Process): Transaction {
    return new Transaction(this, by);
  }
}

export class Transaction {
  readonly #server: Server;
  readonly #by: Process;
  readonly #onKill: () => void;
  #overlay: Overlay = new Map();
  #savepoint: Overlay | undefined;
  #held = new Set<string>();
  #open = true;
  /** Set by a statement that found that its transaction must not be committed. */
  fenced = false;
  /** Set by the first statement of routing. */
  sight: Sight | undefined;

  constructor(server: Server, by: Process) {
    this.#server = server;
    this.#by = by;
    this.#onKill = () => this.rollback();
    by.onKill.push(this.#onKill);
  }

  get open(): boolean {
    return this.#open;
  }

  get hasChanges(): boolean {
    return [...this.#overlay.values()].some(({ size }) => size > 0);
  }

  get<Row extends object>(table: Table<Row>, key: string): Row | undefined {
    const own = this.#own(table);
    return (own.has(key) ? own.get(key) : table.rows.get(key)) as Row | undefined;
  }

  /** What is visible now, in the order of insertion. */
  all<Row extends object>(table: Table<Row>): Row[] {
    const own = this.#own(table);
    const rows: Row[] = [];
    for (const [key, row] of table.rows) {
      const seen = own.has(key) ? own.get(key) : row;
      if (seen !== undefined) rows.push(seen as Row);
    }
    for (const [key, row] of own) if (row !== undefined && !table.rows.has(key)) rows.push(row as Row);
    return rows;
  }

  /** SELECT … FOR UPDATE of rows that exist. */
  async lock<Row extends object>(table: Table<Row>, key: string): Promise<Row | undefined> {
    await this.#hold(`${table.name}/${key}`);
    return this.get(table, key);
  }

  /** `order` is that in which rows are locked; the answer is the rows as they are now. */
  async update<Row extends object>(
    table: Table<Row>,
    where: (row: Row) => boolean,
    change: (row: Row) => Row,
    options: {
      readonly skipLocked?: boolean;
      readonly limit?: number;
      readonly order?: (a: Row, b: Row) => number;
    } = {},
  ): Promise<{ readonly before: Row; readonly after: Row }[]> {
    const found = this.all(table).filter(where);
    if (options.order !== undefined) found.sort(options.order);
    const changed: { before: Row; after: Row }[] = [];
    for (const row of found) {
      if (changed.length >= (options.limit ?? Number.POSITIVE_INFINITY)) break;
      const key = table.keyOf(row);
      if (options.skipLocked === true && this.#isHeldByAnother(`${table.name}/${key}`)) continue;
      const before = await this.lock(table, key);
      if (before === undefined || !where(before)) continue;
      const after = change(before);
      this.#own(table).set(key, after);
      changed.push({ before, after });
    }
    return changed;
  }

  /** Answers the rows that are gone. */
  async remove<Row extends object>(table: Table<Row>, where: (row: Row) => boolean): Promise<Row[]> {
    const removed: Row[] = [];
    for (const row of this.all(table).filter(where)) {
      const key = table.keyOf(row);
      const current = await this.lock(table, key);
      if (current === undefined || !where(current)) continue;
      this.#own(table).set(key, undefined);
      removed.push(current);
    }
    return removed;
  }

  /** INSERT … ON CONFLICT (key): without `onConflict` a second row of the key is a unique violation. */
  async insert<Row extends object>(
    table: Table<Row>,
    row: Row,
    onConflict?: (existing: Row) => Row | undefined,
  ): Promise<void> {
    const key = table.keyOf(row);
    const existing = await this.lock(table, key);
    if (existing === undefined) this.#own(table).set(key, row);
    else if (onConflict === undefined) throw new ServerError('23505');
    else {
      const next = onConflict(existing);
      if (next !== undefined) this.#own(table).set(key, next);
    }
  }

  savepoint(): void {
    this.#savepoint = new Map([...this.#overlay].map(([table, rows]) => [table, new Map(rows)]));
  }

  release(): void {
    this.#savepoint = undefined;
  }

  rollbackToSavepoint(): void {
    if (this.#savepoint === undefined) throw new ServerError('3B001');
    this.#overlay = this.#savepoint;
    this.savepoint();
  }

  commit(): void {
    const changes: Change[] = [];
    for (const [table, rows] of this.#overlay) {
      for (const [key, after] of rows) {
        const before = table.rows.get(key);
        if (before === after) continue;
        if (after === undefined) table.rows.delete(key);
        else table.rows.set(key, after);
        changes.push({ table: table.name, before, after });
      }
    }
    this.#close();
    const { fenced, sight } = this;
    if (changes.length > 0 || fenced) this.#server.onCommit({ changes, by: this.#by, fenced, sight });
  }

  rollback(): void {
    if (this.#open) this.#close();
  }

  #own<Row extends object>(table: Table<Row>): Map<string, object | undefined> {
    const any = table as unknown as AnyTable;
    let own = this.#overlay.get(any);
    if (own === undefined) {
      own = new Map();
      this.#overlay.set(any, own);
    }
    return own;
  }

  #isHeldByAnother(name: string): boolean {
    const holder = this.#server.holders.get(name);
    return holder !== undefined && holder !== this;
  }

  async #hold(name: string): Promise<void> {
    const { holders, waiting, queues, scheduler } = this.#server;
    while (this.#isHeldByAnother(name)) {
      waiting.set(this, name);
      if (this.#waitsForItself()) {
        waiting.delete(this);
        throw new ServerError('40P01');
      }
      await scheduler.suspend((resume) => {
        const queue = queues.get(name) ?? [];
        queue.push(() => resume());
        queues.set(name, queue);
      });
      waiting.delete(this);
    }
    holders.set(name, this);
    this.#held.add(name);
  }

  #waitsForItself(): boolean {
    const { holders, waiting } = this.#server;
    for (let at = waiting.get(this); at !== undefined; ) {
      const holder = holders.get(at);
      if (holder === this) return true;
      at = holder === undefined ? undefined : waiting.get(holder);
    }
    return false;
  }

  #close(): void {
    this.#open = false;
    const { holders, queues, waiting } = this.#server;
    waiting.delete(this);
    for (const name of this.#held) {
      holders.delete(name);
      for (const resume of queues.get(name) ?? []) resume();
      queues.delete(name);
    }
    this.#held.clear();
    this.#by.onKill.splice(this.#by.onKill.indexOf(this.#onKill), 1);
  }
}
