/** A console session in a browser, against a control that is played here: pinned root, kept key, and every way it ends. */
import { verifyJws } from '@sealpost/crypto/verify';
import { beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { follow } from '../../src/console/live/follow.ts';
import { takeCode } from '../../src/console/session/code.ts';
import { createHttp } from '../../src/console/session/http.ts';
import { createSession } from '../../src/console/session/session.ts';
import type { SessionStore } from '../../src/console/session/session-store.ts';
import { smallLog, trustOf } from './small-log.ts';

const NOW = 1_795_473_143_000;
const SESSION = `ses_${'s'.repeat(22)}`;
const claims = z.object({ iss: z.string(), sub: z.string(), aud: z.literal('control'), jti: z.string() });
let clock: number;
let kept: Map<string, unknown>;
let pauses: number[];
let control: {
  away: boolean;
  trust: string;
  codes: Map<string, string>;
  sessions: Map<string, object>;
  asked: string[];
};

beforeEach(async () => {
  clock = NOW;
  kept = new Map();
  pauses = [];
  const trust = await trustOf((await smallLog()).keys);
  control = { away: false, trust, codes: new Map([['CODE', '']]), sessions: new Map(), asked: [] };
});

const store: SessionStore = {
  read: async (name) => kept.get(name) as never,
  write: async (name, value) => void kept.set(name, value),
  remove: async (name) => void kept.delete(name),
};
const json = (status: number, body: object) => new Response(JSON.stringify(body), { status });
const problem = (status: number, code: string) =>
  json(status, { type: `urn:sealpost:error:${code}`, title: 'Refused.', status, code, hint: 'A test asked for it.' });

/** What control answers on the console's listener, as far as a session asks. */
const answer: typeof fetch = async (input, init) => {
  const [path, body] = [String(input), JSON.parse(String(init?.body ?? '{}'))];
  control.asked.push(`${init?.method ?? 'GET'} ${path}`);
  if (control.away) throw new TypeError('failed to fetch');
  if (path === '/v1/trust') return new Response(control.trust);
  if (path === '/v1/console/sessions') {
    const bound = control.codes.get(body.code);
    if (bound === undefined) return problem(403, 'ERR_IDENTITY_CODE');
    if (bound !== '' && bound !== body.publicKey.x) return problem(409, 'ERR_IDENTITY_CODE_USED');
    control.codes.set(body.code, body.publicKey.x);
    control.sessions.set(SESSION, body.publicKey);
    return json(200, { session: SESSION, expires: NOW + 1000 });
  }
  if (path === '/v1/token') {
    const key = control.sessions.get(SESSION) as never;
    if (key === undefined) return problem(401, 'ERR_IDENTITY_ASSERTION');
    const verdict = await verifyJws(body.client_assertion, { typ: 'JWT', key, schema: claims });
    if (verdict.kind === 'refused' || body.scope !== 'console') return problem(401, 'ERR_IDENTITY_ASSERTION');
    return json(200, { access_token: 'token', token_type: 'Bearer', expires_in: 300, scope: 'console' });
  }
  if (!control.sessions.has(SESSION)) return problem(401, 'ERR_IDENTITY_UNAUTHENTICATED');
  if (init?.method === 'DELETE') control.sessions.delete(SESSION);
  return json(200, init?.method === 'DELETE' ? { outcome: 'done' } : { messages: [] });
};
const newSession = (onPause: () => void = () => undefined) =>
  createSession({
    http: createHttp(answer),
    store: async () => store,
    now: () => clock,
    pause: async (ms) => {
      pauses.push(ms);
      onPause();
    },
  });
const readsOf = (session: ReturnType<typeof newSession>) => {
  const state = session.snapshot();
  if (state.kind !== 'signed-in') throw new Error(state.kind);
  return state.reads;
};

test('a code of the link signs the browser in, and its key cannot be read out', async () => {
  const session = newSession();
  await session.start('CODE');
  expect(session.snapshot().kind).toBe('signed-in');
  expect(kept.get('session')).toMatchObject({ session: SESSION, privateKey: { extractable: false } });
  expect(await readsOf(session).messages()).toEqual([]);
});

test('the page loaded again goes on with the kept key, without a code, and asks one token for many reads', async () => {
  await newSession().start('CODE');
  const again = newSession();
  await again.start(undefined);
  await Promise.all([readsOf(again).messages(), readsOf(again).messages(), readsOf(again).messages()]);
  expect(control.asked.filter((call) => call === 'POST /v1/token')).toHaveLength(1);
  clock += 241_000;
  await readsOf(again).messages();
  expect(control.asked.filter((call) => call === 'POST /v1/token')).toHaveLength(2);
});

test('without a code, with a wrong one, and with one another browser used, it asks for a code and says why', async () => {
  const session = newSession();
  await session.start(undefined);
  expect(session.snapshot()).toEqual({ kind: 'signed-out', busy: false });
  await session.signIn('wrong');
  expect(session.snapshot()).toMatchObject({ kind: 'signed-out', problem: { code: 'ERR_IDENTITY_CODE' } });
  control.codes.set('CODE', 'another key');
  await session.signIn('code');
  expect(session.snapshot()).toMatchObject({ kind: 'signed-out', problem: { code: 'ERR_IDENTITY_CODE_USED' } });
  expect(kept.has('session')).toBe(false);
});

test('while control is away it waits, says so, and signs in with the same code once control answers', async () => {
  control.away = true;
  const seen: string[] = [];
  const session = newSession(() => {
    control.away = pauses.length < 3;
  });
  session.subscribe(() => seen.push(session.snapshot().kind));
  await session.start('CODE');
  expect([...new Set(seen)]).toEqual(['waiting', 'signed-in']);
  expect(pauses).toHaveLength(3);
});

test('a session that control ended, and one whose time is over, lead back to the code', async () => {
  const session = newSession();
  await session.start('CODE');
  control.sessions.clear();
  await expect(readsOf(session).messages()).rejects.toMatchObject({ code: 'ERR_CONSOLE_ENDED' });
  expect(session.snapshot()).toMatchObject({ kind: 'signed-out', problem: { code: 'ERR_CONSOLE_ENDED' } });
  control.codes.set('CODE', '');
  await session.signIn('CODE');
  clock += 1001;
  const late = newSession();
  await late.start(undefined);
  expect(late.snapshot().kind).toBe('signed-out');
});

test('signing out ends the session at control and forgets the key here, even while control is away', async () => {
  const session = newSession();
  await session.start('CODE');
  await session.signOut();
  expect([control.sessions.size, kept.has('session')]).toEqual([0, false]);
  control.codes.set('CODE', '');
  await session.signIn('CODE');
  control.away = true;
  await session.signOut();
  expect([session.snapshot().kind, kept.has('session')]).toEqual(['signed-out', false]);
});

test('a trust file of another root than the pinned one stops the page until people accept it', async () => {
  await newSession().start('CODE');
  control.trust = await trustOf((await smallLog()).keys);
  const session = newSession();
  await session.start(undefined);
  const state = session.snapshot();
  expect(state).toMatchObject({ kind: 'other-root', pinned: expect.stringMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/) });
  if (state.kind === 'other-root') expect(state.shown).not.toBe(state.pinned);
  await session.acceptRoot();
  expect(session.snapshot().kind).toBe('signed-out');
});

test('a trust file with one byte changed is not believed, and nothing is asked of control under it', async () => {
  control.trust = `${control.trust.slice(0, -4)}AAAA`;
  const session = newSession();
  await session.start('CODE');
  expect(session.snapshot()).toMatchObject({ kind: 'signed-out', problem: { code: 'ERR_CONSOLE_TRUST' } });
  expect(control.asked).toEqual(['GET /v1/trust']);
});

test('the code is taken out of the address, which is then erased', () => {
  const erased: string[] = [];
  const address = { pathname: '/', search: '?a=1' };
  expect(takeCode({ ...address, hash: '#code=AB-CD' }, (text) => erased.push(text))).toBe('AB-CD');
  expect(takeCode({ ...address, hash: '' }, (text) => erased.push(text))).toBeUndefined();
  expect(erased).toEqual(['/?a=1']);
});

test('following the log goes on after control was away, and then counts everything as changed', async () => {
  const session = newSession();
  await session.start('CODE');
  const leaving = new AbortController();
  const [problems, asked]: [(string | undefined)[], number[]] = [[], []];
  let changes = 0;
  await follow({
    reads: {
      changes: async (after) => {
        asked.push(after);
        if (asked.length === 2)
          return readsOf(session)
            .checkpoint()
            .then(() => ({ position: 0, messages: [] }));
        if (asked.length === 4) leaving.abort();
        return { position: after + 1, messages: [] };
      },
    },
    newest: async () => 5,
    signal: leaving.signal,
    pause: async (ms) => void pauses.push(ms),
    onChange: () => {
      changes += 1;
    },
    onProblem: (each) => problems.push(each?.code),
  });
  expect(asked).toEqual([5, 6, 5, 6]);
  expect(problems).toEqual([undefined, 'ERR_CONSOLE_ANSWER', undefined]);
  expect([changes, pauses.length]).toEqual([5, 1]);
});
