/**
 * A console session in this browser, from a code to the end: pins the root, makes the key, keeps both, and says at each
 * moment where it stands. Pages look at `snapshot` and nothing else.
 */
import { controlApi, SealpostError } from '@sealpost/protocol';
import { consoleError } from '../console-errors.ts';
import type { Http } from './http.ts';
import { createReads, type Reads } from './reads.ts';
import { createSessionKey, type KeptSession, type SessionStore } from './session-store.ts';
import { type Trusted, verifiedTrust } from './trusted.ts';

export type SessionState =
  | { readonly kind: 'starting' }
  /** Control is away or cannot be believed; it is asked again. */
  | { readonly kind: 'waiting'; readonly problem: SealpostError }
  | { readonly kind: 'other-root'; readonly pinned: string; readonly shown: string }
  | { readonly kind: 'signed-out'; readonly problem?: SealpostError; readonly busy: boolean }
  | { readonly kind: 'signed-in'; readonly reads: Reads; readonly trusted: Trusted; readonly expires: number };

export type SignedInState = Extract<SessionState, { kind: 'signed-in' }>;

export interface Session {
  subscribe(onChange: () => void): () => void;
  snapshot(): SessionState;
  /** Once, when the page starts; `code` from its link. */
  start(code: string | undefined): Promise<void>;
  signIn(code: string): Promise<void>;
  signOut(): Promise<void>;
  /** After people compared fingerprints: the other root is pinned in place of the old one. */
  acceptRoot(): Promise<void>;
}

export interface SessionDeps {
  readonly http: Http;
  readonly store: () => Promise<SessionStore>;
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
}

const AGAIN = 3000;

export function createSession({ http, store: openStore, now, pause }: SessionDeps): Session {
  const listeners = new Set<() => void>();
  let state: SessionState = { kind: 'starting' };
  let link: string | undefined;
  let key: Pick<KeptSession, 'privateKey' | 'publicJwk'> | undefined;
  let keeping: Promise<SessionStore> | undefined;

  const become = (next: SessionState) => {
    state = next;
    for (const listener of listeners) listener();
  };
  const store = (): Promise<SessionStore> => {
    keeping ??= openStore();
    return keeping;
  };
  const forget = async () => (await store()).remove('session');

  const readsOf = (kept: KeptSession): Reads => {
    const onEnded = () => {
      void forget();
      become({ kind: 'signed-out', problem: consoleError('ERR_CONSOLE_ENDED'), busy: false });
    };
    return createReads({ http, kept, now, onEnded });
  };
  const enter = async (kept: KeptSession, trusted: Trusted) => {
    await (await store()).write('root', trusted.root);
    become({ kind: 'signed-in', reads: readsOf(kept), trusted, expires: kept.expires });
  };
  /** `undefined` once the other root is shown. */
  const trustedNow = async (): Promise<Trusted | undefined> => {
    const verdict = await verifiedTrust(await http.text('/v1/trust'), await (await store()).read('root'));
    if (verdict.kind === 'trusted') return verdict.trusted;
    become(verdict);
    return undefined;
  };
  const signedInBefore = async (): Promise<KeptSession | undefined> => {
    const kept = await (await store()).read('session');
    if (kept !== undefined && kept.expires > now()) return kept;
    await forget();
    return undefined;
  };
  const redeem = async (code: string, trusted: Trusted) => {
    // An answer that was lost is asked for again with the same key: a code is bound to its first.
    key ??= await createSessionKey();
    const body = { code, publicKey: key.publicJwk };
    const answer = await http.json('/v1/console/sessions', controlApi.consoleSessionSchema, { method: 'POST', body });
    const kept = { ...key, ...answer };
    await (await store()).write('session', kept);
    [key, link] = [undefined, undefined];
    await enter(kept, trusted);
  };
  const begin = async () => {
    const trusted = await trustedNow();
    if (trusted === undefined) return;
    const kept = await signedInBefore();
    if (kept !== undefined) return enter(kept, trusted);
    if (link === undefined) return become({ kind: 'signed-out', busy: false });
    await redeem(link, trusted);
  };

  const session: Session = {
    subscribe(onChange) {
      listeners.add(onChange);
      return () => listeners.delete(onChange);
    },
    snapshot: () => state,
    async start(code) {
      link = code;
      for (;;) {
        try {
          return await begin();
        } catch (error) {
          const problem = problemOf(error);
          if (problem.kind !== 'unavailable') return become({ kind: 'signed-out', problem, busy: false });
          become({ kind: 'waiting', problem });
          await pause(AGAIN);
        }
      }
    },
    async signIn(code) {
      become({ kind: 'signed-out', busy: true });
      try {
        const trusted = await trustedNow();
        if (trusted !== undefined) await redeem(code.trim().toUpperCase(), trusted);
      } catch (error) {
        become({ kind: 'signed-out', problem: problemOf(error), busy: false });
      }
    },
    async signOut() {
      // Gone here whether control hears of it or not; there it ends by itself.
      if (state.kind === 'signed-in') await state.reads.signOut().catch(() => undefined);
      await forget();
      become({ kind: 'signed-out', busy: false });
    },
    async acceptRoot() {
      await forget();
      await (await store()).remove('root');
      await session.start(link);
    },
  };
  return session;
}

function problemOf(error: unknown): SealpostError {
  return error instanceof SealpostError ? error : consoleError('ERR_CONSOLE_ANSWER', { cause: error });
}
