/**
 * The simulated RCS for Business platform, over HTTP as a sender sees it.
 */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createServiceAccount } from '../src/index.ts';
import {
  AGENT,
  CLIENT_TOKEN,
  grant,
  type Hook,
  type Simulated,
  sendRcs,
  simulate,
  startHook,
  TEXT,
  until,
} from './harness.ts';
import { createSpecCheck, SPEC_ABSENT } from './openapi.ts';

const ALICE = '+4915112345678';
let hook: Hook;
let simulator: Simulated;

beforeEach(async () => {
  hook = await startHook();
  simulator = await simulate({ webhookUrl: hook.url, rbmPort: 0 });
});
afterEach(async () => {
  await simulator.stop();
  await hook.close();
});

const phone = async (number = ALICE) => (await simulator.call('GET', `/phones/${number}`)).json;
const fault = (body: object) => simulator.call('PUT', '/faults/rbm', body);
const seen = (type: string) => hook.events.filter(({ event }) => event.eventType === type);

describe('token endpoint', () => {
  it('issues a bearer token of an hour for a grant signed by the registered service account', async () => {
    const answer = await (await grant(simulator.base)).json();
    expect(answer).toMatchObject({ token_type: 'Bearer', expires_in: 3599, access_token: expect.any(String) });
  });

  it('refuses a grant signed by another key, without the scope, or living over an hour', async () => {
    const other = await grant(simulator.base, {}, createServiceAccount().serviceAccountJson);
    const scope = await grant(simulator.base, { scope: 'openid' });
    const long = await grant(simulator.base, { exp: Math.floor(Date.now() / 1000) + 7200 });
    for (const answer of [other, scope, long]) {
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ error: 'invalid_grant' });
    }
  });

  it('refuses an API call without a token it issued', async () => {
    expect((await sendRcs(simulator.base, ALICE, randomUUID(), TEXT, 'made-up')).status).toBe(401);
  });
});

describe('agent messages', () => {
  it('shows a message with its link on the phone and reports its delivery, signed with the client token', async () => {
    const id = randomUUID();
    const answer = await (await sendRcs(simulator.base, ALICE, id, TEXT)).json();
    expect(answer.name).toBe(`phones/${ALICE}/agentMessages/${id}`);
    expect((await phone()).messages).toMatchObject([
      { id, channel: 'rcs', text: 'Something is waiting', url: 'https://inbox.example/m/1', status: 'delivered' },
    ]);
    const [delivered] = await until(() => (seen('DELIVERED').length > 0 ? seen('DELIVERED') : undefined), 'delivery');
    expect(delivered?.signed).toBe(true);
    expect(delivered?.event).toMatchObject({ messageId: id, agentId: AGENT, senderPhoneNumber: ALICE });
  });

  it('ignores a messageId it has seen', async () => {
    const id = randomUUID();
    await sendRcs(simulator.base, ALICE, id, TEXT);
    expect((await sendRcs(simulator.base, ALICE, id, TEXT)).status).toBe(200);
    expect((await phone()).messages).toHaveLength(1);
  });

  it('answers 404 with NOT_FOUND for a number without RCS, for capabilities too', async () => {
    await simulator.call('PUT', `/phones/${ALICE}`, { rcs: false });
    const answer = await sendRcs(simulator.base, ALICE, randomUUID(), TEXT);
    expect([answer.status, (await answer.json()).error.status]).toEqual([404, 'NOT_FOUND']);
    const token = (await (await grant(simulator.base)).json()).access_token;
    const url = `${simulator.base}/v1/phones/${encodeURIComponent(ALICE)}/capabilities?agentId=${AGENT}`;
    expect((await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status).toBe(404);
    await simulator.call('PUT', `/phones/${ALICE}`, { rcs: true });
    expect(await (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).json()).toMatchObject({
      features: expect.arrayContaining(['ACTION_OPEN_URL']),
    });
  });

  it('answers 400 for an unknown member, a suggestion text over 25 characters, or a messageId that is no UUID', async () => {
    const wide = {
      contentMessage: { text: 'a', suggestions: [{ reply: { text: 'x'.repeat(26), postbackData: 'eA==' } }] },
    };
    expect((await sendRcs(simulator.base, ALICE, randomUUID(), { ...TEXT, surprise: 1 })).status).toBe(400);
    expect((await sendRcs(simulator.base, ALICE, randomUUID(), wide)).status).toBe(400);
    expect((await sendRcs(simulator.base, ALICE, 'one', TEXT)).status).toBe(400);
  });

  it('keeps a message for a phone that is offline and delivers it when it is back', async () => {
    await simulator.call('PUT', `/phones/${ALICE}`, { online: false });
    await sendRcs(simulator.base, ALICE, randomUUID(), TEXT);
    expect((await phone()).messages).toEqual([]);
    await simulator.call('PUT', `/phones/${ALICE}`, { online: true });
    expect((await phone()).messages).toHaveLength(1);
    await until(() => seen('DELIVERED')[0], 'delivery');
  });

  it('takes back a message that waits, so that it is never shown', async () => {
    await simulator.call('PUT', `/phones/${ALICE}`, { online: false });
    const id = randomUUID();
    await sendRcs(simulator.base, ALICE, id, TEXT);
    const token = (await (await grant(simulator.base)).json()).access_token;
    const url = `${simulator.base}/v1/phones/${encodeURIComponent(ALICE)}/agentMessages/${id}?agentId=${AGENT}`;
    expect((await fetch(url, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
    expect((await simulator.call('PUT', `/phones/${ALICE}`, { online: true })).json.messages).toEqual([]);
  });

  it('reports TTL_EXPIRATION_REVOKED for a message that waited too long', async () => {
    await simulator.call('PUT', `/phones/${ALICE}`, { online: false });
    const id = randomUUID();
    await sendRcs(simulator.base, ALICE, id, { ...TEXT, expireTime: new Date(Date.now() + 150).toISOString() });
    const expired = await until(() => seen('TTL_EXPIRATION_REVOKED')[0], 'expiry');
    expect(expired.event).toMatchObject({ messageId: id, phoneNumber: ALICE });
  });

  it('reports READ once its owner opens the phone, and never when receipts are turned off', async () => {
    await simulator.call('PUT', '/phones/+4915100000001', { readReceipts: false });
    await sendRcs(simulator.base, '+4915100000001', randomUUID(), TEXT);
    await sendRcs(simulator.base, ALICE, randomUUID(), TEXT);
    await simulator.call('POST', '/phones/+4915100000001/read');
    expect((await simulator.call('POST', `/phones/${ALICE}/read`)).json.messages).toMatchObject([{ status: 'read' }]);
    await until(() => seen('READ')[0], 'read');
    expect(seen('READ').map(({ event }) => event.senderPhoneNumber)).toEqual([ALICE]);
  });
});

describe('webhooks', () => {
  it('shakes hands with the client token and a fresh secret before anything else', async () => {
    await until(() => hook.handshakes[0], 'handshake');
    expect(hook.handshakes).toMatchObject([
      { clientToken: CLIENT_TOKEN, secret: expect.stringMatching(/^[0-9a-f]{32}$/) },
    ]);
    await until(
      async () => ((await simulator.call('GET', '/livez')).json.webhook === 'verified' ? true : undefined),
      'verified',
    );
  });

  it('brings what a person writes, taps or wishes, signed, in the order it was done', async () => {
    const said = [
      { channel: 'rcs', kind: 'text', text: 'On my way' },
      { channel: 'rcs', kind: 'suggestion', text: 'Acknowledge', postbackData: 'YWNr' },
      { channel: 'rcs', kind: 'unsubscribe' },
    ];
    for (const written of said) await simulator.call('POST', `/phones/${ALICE}/writes`, written);
    await until(() => (hook.events.length === 3 ? true : undefined), 'three events');
    expect(hook.events.map(({ event, signed }) => ({ ...event, signed }))).toMatchObject([
      { senderPhoneNumber: ALICE, agentId: AGENT, text: 'On my way', signed: true },
      { suggestionResponse: { postbackData: 'YWNr', text: 'Acknowledge' }, signed: true },
      { eventType: 'UNSUBSCRIBE', signed: true },
    ]);
    expect((await simulator.call('POST', `/phones/${ALICE}/writes`, { channel: 'fax' })).status).toBe(400);
  });

  it('repeats an event until it is answered with 200, in order', async () => {
    hook.status = 503;
    const ids = [randomUUID(), randomUUID()];
    for (const id of ids) await sendRcs(simulator.base, ALICE, id, TEXT);
    await until(() => hook.events[1], 'a repeat');
    expect(new Set(hook.events.map(({ event }) => event.messageId))).toEqual(new Set([ids[0]]));
    hook.status = 200;
    await until(() => hook.events.find(({ event }) => event.messageId === ids[1]), 'the second event');
  });
});

describe("Google's published API", () => {
  it('allows what the platform answers to a message, its repeat, a capability check, a revocation, and what it refuses', async (context) => {
    if (SPEC_ABSENT !== undefined) context.skip(SPEC_ABSENT);
    const spec = createSpecCheck();
    const token = (await (await grant(simulator.base)).json()).access_token;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const person = `${simulator.base}/v1/phones/${encodeURIComponent(ALICE)}`;
    const id = randomUUID();
    const ask = (path: string, init: RequestInit = {}) =>
      spec.fetch(`${person}/${path}agentId=${AGENT}`, { headers, ...init });
    const body = JSON.stringify({ ...TEXT, ttl: '600s' });
    for (let i = 0; i < 2; i++) await ask(`agentMessages?messageId=${id}&`, { method: 'POST', body });
    await ask('capabilities?');
    await ask(`agentMessages/${id}?`, { method: 'DELETE' });
    await ask(`agentMessages/${randomUUID()}?`, { method: 'DELETE' });
    await simulator.call('PUT', `/phones/${ALICE}`, { rcs: false });
    await ask('capabilities?');
    await ask(`agentMessages?messageId=${id}&`, { method: 'POST', body });
    expect(spec.violations).toEqual([]);
    expect(spec.checked.map((what) => what.slice(-3))).toEqual(['200', '200', '200', '200', '404', '404', '404']);
  });
});

describe('faults', () => {
  it('refuses connections on its own port and takes them again when cleared', async () => {
    const base = `http://127.0.0.1:${simulator.rbmPort}`;
    expect((await grant(base)).status).toBe(200);
    await fault({ kind: 'refuse' });
    await expect(grant(base)).rejects.toThrow();
    await simulator.call('DELETE', '/faults');
    expect((await grant(base)).status).toBe(200);
  });

  it.each([
    ['503', 503],
    ['500', 500],
    ['429', 429],
    ['400', 400],
    ['403', 403],
    ['404', 404],
    ['unauthorized', 401],
  ])('answers %s without any effect', async (kind, status) => {
    await fault({ kind });
    const answer = await sendRcs(simulator.base, ALICE, randomUUID(), TEXT);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('retry-after')).toBe(status === 429 ? '7' : null);
    expect((await phone()).messages).toEqual([]);
  });

  it('strikes only as often as it was told', async () => {
    await fault({ kind: '503', count: 2 });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await sendRcs(simulator.base, ALICE, randomUUID(), TEXT)).status);
    expect(statuses).toEqual([503, 503, 200]);
    expect((await simulator.call('GET', '/faults')).json.rbm).toEqual({ kind: 'ok' });
  });

  it('drops the connection before the effect under reset', async () => {
    await fault({ kind: 'reset' });
    await expect(sendRcs(simulator.base, ALICE, randomUUID(), TEXT)).rejects.toThrow();
    expect((await phone()).messages).toEqual([]);
  });

  it('shows the message and answers nonsense under malformed', async () => {
    await fault({ kind: 'malformed' });
    await expect((await sendRcs(simulator.base, ALICE, randomUUID(), TEXT)).json()).rejects.toThrow();
    expect((await phone()).messages).toHaveLength(1);
  });

  it.each([
    ['timeout-before-effect', 0],
    ['timeout-after-effect', 1],
  ])('never answers under %s and shows %i messages', async (kind, shown) => {
    const token = (await (await grant(simulator.base)).json()).access_token;
    await fault({ kind });
    await expect(sendRcs(simulator.base, ALICE, randomUUID(), TEXT, token, 500)).rejects.toThrow(/timeout/);
    expect((await phone()).messages).toHaveLength(shown);
  });

  it('reports a delivery twice, or of a message nobody sent, when told so', async () => {
    await fault({ kind: 'duplicate-receipt', count: 1 });
    const id = randomUUID();
    await sendRcs(simulator.base, ALICE, id, TEXT);
    await until(() => seen('DELIVERED')[1], 'two receipts');
    await fault({ kind: 'unknown-receipt', count: 1 });
    await sendRcs(simulator.base, ALICE, randomUUID(), TEXT);
    await until(() => seen('DELIVERED')[3], 'an unknown receipt');
    const ids = seen('DELIVERED').map(({ event }) => event.messageId);
    expect(ids.slice(0, 2)).toEqual([id, id]);
    expect(new Set(ids).size).toBe(3);
  });

  it('holds late receipts until the fault ends', async () => {
    await fault({ kind: 'late-receipt' });
    await sendRcs(simulator.base, ALICE, randomUUID(), TEXT);
    expect(hook.events).toEqual([]);
    await simulator.call('DELETE', '/faults');
    await until(() => seen('DELIVERED')[0], 'the late receipt');
  });

  it('reports an early receipt before it answers the call', async () => {
    await until(
      async () => ((await simulator.call('GET', '/livez')).json.webhook === 'verified' ? true : undefined),
      'verified',
    );
    await fault({ kind: 'early-receipt' });
    await sendRcs(simulator.base, ALICE, randomUUID(), TEXT);
    expect(seen('DELIVERED')).toHaveLength(1);
  });

  it('signs with a wrong key under forged-signature and rightly again when it ends', async () => {
    await fault({ kind: 'forged-signature', count: 2 });
    await sendRcs(simulator.base, ALICE, randomUUID(), TEXT);
    await until(() => hook.events[2], 'three tries');
    expect(hook.events.map(({ signed }) => signed)).toEqual([false, false, true]);
  });
});
