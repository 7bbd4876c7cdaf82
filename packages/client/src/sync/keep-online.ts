/**
 * Being online as something wanted: one connection at a time, made again after a pause when it ends, until somebody says
 * otherwise or the gateway's refusal is final. Promises of `connect` wait for `ready`, however many attempts it takes.
 */
import { clientError } from '../client-errors.ts';
import { afterOf } from '../surroundings.ts';
import { backoff } from './backoff.ts';
import { type Connection, openConnection, type SyncDeps } from './connection.ts';
import { isFinal } from './refusals.ts';

export interface Online {
  readonly online: boolean;
  connect(): Promise<void>;
  /** Resolves once nothing of it runs any more. */
  disconnect(): Promise<void>;
  sendReceipts(): void;
}

export interface OnlineDeps extends SyncDeps {
  tell(change: { readonly kind: 'online' | 'offline' | 'problem'; readonly code?: string }): void;
}

interface Session {
  wanted: boolean;
  connection: Connection | undefined;
  /** Ends the pause between two attempts. */
  wake: () => void;
  readonly waiters: { resolve(): void; reject(error: Error): void }[];
  done: Promise<void>;
}

export function createOnline(deps: OnlineDeps): Online {
  const { surroundings, tell } = deps;
  let online = false;
  let session: Session | undefined;

  /** `ready` answers whether the gateway ever said so: that starts the pauses anew. */
  const attempt = async (mine: Session): Promise<{ readonly ready: boolean; readonly code: string | undefined }> => {
    let wasReady = false;
    const ready = (keyPackages: number) => {
      online = true;
      wasReady = true;
      deps.work.ready(keyPackages);
      tell({ kind: 'online' });
      for (const { resolve } of mine.waiters.splice(0)) resolve();
    };
    mine.connection = connectionOf({ ...deps, work: { ...deps.work, ready } });
    const code = mine.connection === undefined ? 'ERR_CLIENT_AWAY' : await mine.connection.ended;
    mine.connection = undefined;
    if (online) {
      online = false;
      tell({ kind: 'offline' });
    }
    return { ready: wasReady, code };
  };

  const giveUp = (mine: Session, code: string) => {
    mine.wanted = false;
    const refused = clientError('ERR_CLIENT_REFUSED', { details: [{ pointer: 'sync', detail: code }] });
    for (const { reject } of mine.waiters.splice(0)) reject(refused);
    tell({ kind: 'problem', code: refused.code });
  };

  const pause = (mine: Session, ms: number) =>
    new Promise<void>((resolve) => {
      const cancel = afterOf(surroundings)(ms, resolve);
      mine.wake = () => {
        cancel();
        resolve();
      };
    });

  const run = async (mine: Session, previous: Promise<void> | undefined): Promise<void> => {
    await previous;
    let failures = 0;
    while (mine.wanted) {
      const { ready, code } = await attempt(mine);
      // A connection that came up but broke on what it brought counts on: it would break on it again at once.
      failures = ready && code === undefined ? 1 : failures + 1;
      if (code !== undefined) tell({ kind: 'problem', code });
      if (code !== undefined && isFinal(code)) giveUp(mine, code);
      if (mine.wanted) await pause(mine, backoff(failures, surroundings.random));
    }
  };

  const start = (): Session => {
    const mine: Session = {
      wanted: true,
      connection: undefined,
      wake: () => undefined,
      waiters: [],
      done: Promise.resolve(),
    };
    mine.done = run(mine, session?.done);
    return mine;
  };

  return {
    get online() {
      return online;
    },
    connect() {
      if (session?.wanted !== true) session = start();
      const { waiters } = session;
      return online ? Promise.resolve() : new Promise((resolve, reject) => waiters.push({ resolve, reject }));
    },
    async disconnect() {
      if (session === undefined) return;
      const mine = session;
      mine.wanted = false;
      for (const { reject } of mine.waiters.splice(0)) reject(clientError('ERR_CLIENT_OFFLINE'));
      mine.connection?.close();
      mine.wake();
      await mine.done;
    },
    sendReceipts: () => session?.connection?.sendReceipts(),
  };
}

/** `undefined` where the platform refuses to open a socket at all. */
function connectionOf(deps: SyncDeps): Connection | undefined {
  try {
    return openConnection(deps);
  } catch {
    return undefined;
  }
}
