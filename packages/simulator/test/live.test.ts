/**
 * What a page on the simulator's origin gets and what a page of any other is refused.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LiveState } from '../src/http/live.ts';
import { AGENT, grant, type Simulated, sendRcs, simulate, TEXT, until } from './harness.ts';

const ALICE = '+4915112345678';

/** Collects the states a watching page is told. */
function watch(base: string, headers: Record<string, string> = {}) {
  const states: LiveState[] = [];
  const seen: { status?: number } = {};
  const watcher = get(`${base}/live`, { headers, agent: false }, (answer) => {
    seen.status = answer.statusCode ?? 0;
    let text = '';
    answer.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) states.push(JSON.parse(event.slice('data: '.length)));
    });
    answer.on('error', () => undefined);
  });
  watcher.on('error', () => undefined);
  return { states, seen, end: () => watcher.destroy() };
}

function call(base: string, method: string, path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(`${base}${path}`, { method, headers, agent: false }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 0));
    });
    sent.on('error', reject);
    sent.end(method === 'PUT' ? '{"online":false}' : undefined);
  });
}

describe('live events', () => {
  let simulator: Simulated;
  const ends: (() => void)[] = [];
  const watching = (headers?: Record<string, string>) => {
    const watched = watch(simulator.base, headers);
    ends.push(watched.end);
    return watched;
  };
  beforeEach(async () => {
    simulator = await simulate();
  });
  afterEach(async () => {
    for (const end of ends.splice(0)) end();
    await simulator.stop();
  });

  it('tell the state at once and again after each change: phone, notice, fault', async () => {
    const { states } = watching();
    const last = <T>(what: string, pick: (state: LiveState) => T | undefined) =>
      until(() => (states.at(-1) === undefined ? undefined : pick(states.at(-1)!)), what);
    await last('a first state', (state) => state);
    expect(states).toEqual([{ phones: [], traffic: [], faults: { rbm: [{ kind: 'ok' }], smsc: [{ kind: 'ok' }] } }]);

    await simulator.call('PUT', `/phones/${ALICE}`, { online: false });
    await last('the phone off', ({ phones }) => (phones[0]?.online === false ? phones : undefined));
    await sendRcs(simulator.base, ALICE, randomUUID(), TEXT);
    const held = await last('a message waiting', (state) => (state.phones[0]?.waiting === 1 ? state : undefined));
    expect(held.phones[0]?.messages).toEqual([]);
    expect(held.traffic).toMatchObject([{ id: 1, carrier: 'rbm', sender: AGENT, address: ALICE }]);

    await simulator.call('PUT', `/phones/${ALICE}`, { online: true });
    await last('it appears', ({ phones }) => (phones[0]?.messages.length === 1 ? phones : undefined));
    await simulator.call('POST', `/phones/${ALICE}/read`);
    await last('it is read', ({ phones }) => (phones[0]?.messages[0]?.status === 'read' ? phones : undefined));
    await simulator.call('PUT', '/faults/rbm', { kind: '503' });
    await last('the fault', ({ faults }) => (faults.rbm[0]?.kind === '503' ? faults : undefined));
  });

  it('show what a broken provider was sent, and with which status it turned it away', async () => {
    await simulator.call('PUT', '/faults/rbm', { kind: '503' });
    await sendRcs(simulator.base, ALICE, randomUUID(), TEXT);
    expect((await simulator.call('GET', '/traffic')).json).toMatchObject([
      { operation: 'POST agentMessages', address: ALICE, text: expect.stringContaining('waiting'), refused: 503 },
    ]);
  });

  it('stay bounded: the newest entries of a long record', async () => {
    const token = (await (await grant(simulator.base)).json()).access_token;
    for (let sent = 0; sent < 35; sent += 1) await sendRcs(simulator.base, ALICE, randomUUID(), TEXT, token);
    const { states } = watching();
    const state = await until(() => states[0], 'a state');
    expect(state.traffic.map(({ id }) => id)).toEqual(Array.from({ length: 30 }, (_, at) => at + 6));
    expect(state.phones[0]?.messages).toHaveLength(30);
  });

  it('are for a few pages at once; a place is free again when one goes', async () => {
    const first = watching();
    await until(() => first.states[0], 'the first page');
    const others = Array.from({ length: 15 }, () => watching());
    for (const { states } of others) await until(() => states[0], 'another page');
    const full = watching();
    expect(await until(() => full.seen.status, 'an answer')).toBe(503);
    first.end();
    await until(async () => {
      const next = watching();
      return (await until(() => next.seen.status, 'an answer')) === 200 ? true : undefined;
    }, 'a free place');
  });

  it('are kept from pages of other origins, which would only take up places', async () => {
    const foreign = watching({ 'sec-fetch-site': 'cross-site' });
    expect(await until(() => foreign.seen.status, 'an answer')).toBe(403);
  });
});

describe('a page of another origin', () => {
  let simulator: Simulated;
  beforeEach(async () => {
    simulator = await simulate();
  });
  afterEach(() => simulator.stop());

  const json = { 'content-type': 'application/json' };
  const phone = `/phones/${encodeURIComponent(ALICE)}`;

  it.each([
    ['fetch metadata of another site', { 'sec-fetch-site': 'cross-site' }],
    ['fetch metadata of another port of this machine', { 'sec-fetch-site': 'same-site' }],
    ['an Origin that is not this one', { origin: 'https://evil.example' }],
    ['the Origin of another port of this machine', { origin: 'http://127.0.0.1:1' }],
    ['an opaque Origin', { origin: 'null' }],
  ])('changes nothing: %s', async (_name, headers: Record<string, string>) => {
    const base = simulator.base;
    expect(await call(base, 'PUT', phone, { ...json, ...headers })).toBe(403);
    expect(await call(base, 'POST', `${phone}/read`, headers)).toBe(403);
    expect(await call(base, 'DELETE', '/faults', headers)).toBe(403);
    expect((await simulator.call('GET', '/phones')).json).toEqual([]);
  });

  it('reads nothing through a name that was made to lead here', async () => {
    for (const host of ['evil.example', `evil.example:${simulator.httpPort}`, '127.0.0.1.evil.example'])
      expect(await call(simulator.base, 'GET', '/traffic', { host })).toBe(421);
  });

  it('is not mistaken for the own page, the command line, or this machine by its names', async () => {
    const own = { 'sec-fetch-site': 'same-origin', origin: simulator.base };
    for (const headers of [own, { origin: simulator.base }, {}])
      expect(await call(simulator.base, 'PUT', phone, { ...json, ...headers })).toBe(200);
    for (const host of ['localhost', `[::1]:${simulator.httpPort}`, '127.0.0.1'])
      expect(await call(simulator.base, 'GET', '/traffic', { host })).toBe(200);
  });
});

describe('pages', () => {
  let folder: string;
  let simulator: Simulated;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealpost-pages-'));
    for (const name of ['frame', 'carrier']) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'index.html'), `<title>${name}</title><meta content="{{nonce}}">`);
      await writeFile(join(folder, name, 'main.js'), `// ${name}`);
    }
    const pages = { folder, inbox: 'http://127.0.0.1:4406/', console: 'http://127.0.0.1:4407' };
    simulator = await simulate({ pages });
  });
  afterEach(async () => {
    await simulator.stop();
    await rm(folder, { recursive: true });
  });

  const policyOf = async (path: string) => {
    const answer = await fetch(`${simulator.base}${path}`);
    return { text: await answer.text(), policy: answer.headers.get('content-security-policy') ?? '' };
  };

  it('are the frame, which shows three origins and is shown by none, and the carrier page inside it', async () => {
    const frame = await policyOf('/');
    expect(frame.text).toContain('<title>frame</title>');
    expect(frame.policy).toContain("frame-src 'self' http://127.0.0.1:4406 http://127.0.0.1:4407;");
    expect(frame.policy).toContain("frame-ancestors 'none'");
    const carrier = await policyOf('/carrier/');
    expect(carrier.text).toContain('<title>carrier</title>');
    expect(carrier.policy).toContain("frame-src 'none'");
    expect(carrier.policy).toContain("frame-ancestors 'self'");
    for (const { policy } of [frame, carrier]) expect(policy).toMatch(/script-src 'self';.*connect-src 'self';/);
  });

  it('are told the other two origins, and nothing else', async () => {
    const { json } = await simulator.call('GET', '/origins');
    expect(json).toEqual({ inbox: 'http://127.0.0.1:4406', console: 'http://127.0.0.1:4407' });
  });

  it('leave the provider beside them as it was', async () => {
    expect((await sendRcs(simulator.base, ALICE, randomUUID(), TEXT)).status).toBe(200);
    expect((await grant(simulator.base)).status).toBe(200);
  });
});
