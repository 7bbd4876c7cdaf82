/**
 * The `Database` port on the model: a statement travels, is carried out under its name, and its answer travels back; on the
 * way the connection may be lost, and with COMMIT nobody knows then whether it was made. A process killed in between leaves
 * its transaction to the server, which rolls it back.
 */
import { createHash } from 'node:crypto';
import type { Database, Sql } from '@sealpost/platform';
import type { Statement } from './delivery-statements.ts';
import type { Random } from './random.ts';
import type { Process } from './scheduler.ts';
import { STATEMENT_TEXTS } from './statement-texts.ts';
import { type Server, ServerError, type Transaction } from './tables.ts';

/** Connection failure (PostgreSQL appendix A). */
const CONNECTION_LOST = '08006';

export interface Link {
  readonly server: Server;
  readonly statements: Readonly<Record<string, Statement>>;
  readonly random: Random;
  /** Longest time one way takes. */
  readonly latency: number;
  readonly rates: () => { readonly statement: number; readonly commit: number };
  /** Says a fault in words. */
  readonly tell: (words: string) => void;
}

export function openSimulated(process: Process, link: Link): Database {
  const { server, random, rates, tell } = link;
  const travel = () => server.scheduler.sleep(random.integer(link.latency + 1));

  const lose = (tx: Transaction, where: string): never => {
    tx.rollback();
    tell(`${process.name} loses its connection ${where}`);
    throw new ServerError(CONNECTION_LOST);
  };

  const execute = async (tx: Transaction, name: string, text: string, values: readonly unknown[]) => {
    await travel();
    if (!tx.open) throw new ServerError(CONNECTION_LOST);
    if (random.chance(rates().statement)) lose(tx, `at ${name}`);
    return statementOf(link, name, text)(tx, values);
  };

  const commit = async (tx: Transaction): Promise<void> => {
    await travel();
    // What only read is lost with `statement`; here would be nothing to be unsure of.
    const lost = tx.hasChanges && random.chance(rates().commit);
    if (lost && random.chance(0.5)) lose(tx, 'before COMMIT');
    tx.commit();
    await travel();
    if (lost) lose(tx, 'after COMMIT');
  };

  const within = async <T>(work: (tx: Transaction) => Promise<T>): Promise<T> => {
    const tx = server.begin(process);
    try {
      const result = await work(tx);
      await commit(tx);
      return result;
    } catch (cause) {
      tx.rollback();
      throw cause;
    }
  };

  const sqlOf = (tx: Transaction): Sql => ({
    query: async <Row extends object>(name: string, text: string, values: readonly unknown[] = []) =>
      (await execute(tx, name, text, values)) as Row[],
  });

  return {
    query: async <Row extends object>(name: string, text: string, values: readonly unknown[] = []) =>
      (await within((tx) => execute(tx, name, text, values))) as Row[],
    transaction: (work) => within((tx) => work(sqlOf(tx))),
    connection: () => Promise.reject(new Error('no connection of its own is simulated')),
    close: async () => undefined,
  };
}

const seen = new Map<string, string>();

/** A statement whose text is not the one the model was written after is not carried out: the model may be untrue. */
function statementOf({ statements }: Link, name: string, text: string): Statement {
  const statement = statements[name];
  if (statement === undefined) throw new Error(`the model has no statement ${name}`);
  if (seen.get(name) === text || name.startsWith('port:')) return statement;
  const digest = digestOf(text);
  if (STATEMENT_TEXTS[name] !== digest)
    throw new Error(`the text of ${name} is now ${digest}: compare the model with it, then pin it`);
  if (seen.has(name)) throw new Error(`${name} names two texts`);
  seen.set(name, text);
  return statement;
}

/** Of the words of a statement, however it is laid out. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text.trim().replaceAll(/\s+/g, ' ')).digest('hex').slice(0, 16);
}
