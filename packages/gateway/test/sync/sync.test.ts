/** Sync as a device meets it: real WebSockets, a real queue, a second node on the same database. */
import type { ConversationId } from '@sealpost/protocol';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type Bench, createBench, type Node } from '../directory/bench.ts';
import { createPerson, type Person } from '../directory/people.ts';
import { storeEnvelope } from '../groups/envelope.ts';
import { type Agent, commitPost, createAgent, engineOf, keyPackageOf, newConversationId } from '../groups/mls.ts';
import { connect, helloFor, open } from './connection.ts';
import { type Listener, startListener } from './listener.ts';

describe('sync', () => {
  let bench: Bench;
  let listener: Listener;
  let secondNode: Node;
  let second: Listener;
  let agent: Agent;
  beforeAll(async () => {
    bench = await createBench();
    listener = await startListener(bench);
    secondNode = await bench.node();
    second = await startListener(bench, secondNode);
    agent = await createAgent(bench.organisation);
  });
  afterAll(async () => {
    await second[Symbol.asyncDispose]();
    await listener[Symbol.asyncDispose]();
    await bench[Symbol.asyncDispose]();
  });

  /** A person in a conversation, whose queue holds the welcome at cursor 1 and `envelopes` after it. */
  const joined = async (name: string, envelopes: number): Promise<Person & { conversation: ConversationId }> => {
    const engine = engineOf(bench.organisation);
    const person = await bench.enroll(name);
    const conversation = newConversationId();
    await bench.groups.create(conversation, agent.uri);
    const state = await engine.createGroup(conversation, agent.identity, Date.now());
    const keyPackage = (await keyPackageOf(engine, person)).upload.keyPackage;
    await bench.groups.commit(
      conversation,
      (await commitPost(engine, agent, state, { add: [{ device: person.device, keyPackage }] })).post,
    );
    for (let n = 0; n < envelopes; n++) await storeEnvelope(bench, conversation, { devices: [person.device] });
    return { ...person, conversation };
  };

  it('challenges, and answers a signed hello with the cursor and how many key packages are left', async () => {
    const person = await bench.enroll('alice');
    const made = await keyPackageOf(engineOf(bench.organisation), person);
    await bench.groups.uploadKeyPackages((await bench.directory.device(person.device))!, [made.upload]);
    const connection = await connect(listener);
    connection.send(await helloFor(connection, person));
    expect(await connection.next()).toEqual({ type: 'ready', cursor: 0, keyPackages: 1 });
    connection.send({ type: 'ping' });
    expect(await connection.next()).toEqual({ type: 'pong' });
    await connection.close();
  });

  it('sends items in order, no more than credit, and goes on as credit is granted', async () => {
    const person = await joined('bob', 5);
    const connection = await open(listener, person, { credit: 2 });
    expect(await connection.items(2)).toEqual([1, 2]);
    connection.send({ type: 'ping' });
    expect(await connection.next()).toEqual({ type: 'pong' });
    connection.send({ type: 'credit', more: 3 });
    expect(await connection.items(3)).toEqual([3, 4, 5]);
    connection.send({ type: 'ping' });
    expect(await connection.next()).toEqual({ type: 'pong' });
    connection.send({ type: 'credit', more: 1 });
    expect(await connection.items(1)).toEqual([6]);
    await connection.close();
  });

  it('repeats what was not acknowledged and resumes from the cursor the device names', async () => {
    const person = await joined('carol', 3);
    const first = await open(listener, person);
    expect(await first.items(4)).toEqual([1, 2, 3, 4]);
    first.send({ type: 'ack', cursor: 2 });
    first.send({ type: 'ping' });
    expect(await first.next()).toEqual({ type: 'pong' });
    await first.close();
    const again = await open(listener, person);
    expect(await again.items(2)).toEqual([3, 4]);
    await again.close();
    const later = await open(second, person, { cursor: 3 });
    expect(await later.items(1)).toEqual([4]);
    await later.close();
    expect(await bench.groups.cursors(person.device)).toEqual({ given: 4, acknowledged: 3 });
  });

  it('sends what is queued while connected, also when another node queued it and no hint arrives', async () => {
    const person = await joined('dora', 0);
    const connection = await open(listener, person);
    expect(await connection.items(1)).toEqual([1]);
    await storeEnvelope(bench, person.conversation, { devices: [person.device] });
    expect(await connection.items(1)).toEqual([2]);
    await storeEnvelope({ ...bench, ...secondNode }, person.conversation, { devices: [person.device] });
    expect(await connection.items(1)).toEqual([3]);
    await connection.close();
  });

  it('hands receipts over for the connected device and answers each in order', async () => {
    const person = await bench.enroll('erin');
    const connection = await open(listener, person);
    connection.send({ type: 'receipts', id: 7, receipts: ['receipt-1', 'nonsense', 'receipt-1'] });
    expect(await connection.next()).toEqual({
      type: 'receipts',
      id: 7,
      results: [
        { outcome: 'recorded' },
        { outcome: 'refused', code: 'ERR_DELIVERY_RECEIPT' },
        { outcome: 'duplicate' },
      ],
    });
    expect(listener.receipts.taken).toEqual([{ jws: 'receipt-1', device: person.device }]);
    await connection.close();
  });

  it('keeps the newest of two connections of a device, on one node and across nodes', async () => {
    const person = await bench.enroll('frank');
    const first = await open(listener, person);
    const newer = await open(listener, person);
    expect(await first.ended()).toBe('ERR_SYNC_SUPERSEDED');
    const newest = await open(second, person);
    expect(await newer.ended()).toBe('ERR_SYNC_SUPERSEDED');
    newest.send({ type: 'ping' });
    expect(await newest.next()).toEqual({ type: 'pong' });
    await newest.close();
  });

  it('closes a revoked device’s connections on every node and lets it in no more', async () => {
    const [here, there] = [await bench.enroll('gail'), await bench.enroll('hans')];
    const own = await open(listener, here);
    const other = await open(second, there);
    await bench.revoke(here);
    await bench.revoke(there);
    expect(await own.ended()).toBe('ERR_SYNC_REVOKED');
    expect(await other.ended()).toBe('ERR_SYNC_REVOKED');
    const again = await connect(listener);
    again.send(await helloFor(again, here));
    expect(await again.ended()).toBe('ERR_SYNC_REVOKED');
  });

  it('refuses a hello of an unknown device, another key, or another connection’s challenge', async () => {
    const person = await bench.enroll('iris');
    const stranger = await createPerson(bench.organisation, 'iris');
    const unknown = await connect(listener);
    unknown.send(await helloFor(unknown, stranger));
    expect(await unknown.ended()).toBe('ERR_SYNC_SIGNATURE');
    const otherKey = await connect(listener);
    otherKey.send(await helloFor(otherKey, { device: person.device, signer: stranger.signer }));
    expect(await otherKey.ended()).toBe('ERR_SYNC_SIGNATURE');
    const heard = await connect(listener);
    const hello = await helloFor(heard, person);
    const replay = await connect(listener);
    await replay.next();
    replay.send(hello);
    expect(await replay.ended()).toBe('ERR_SYNC_SIGNATURE');
    heard.send(hello);
    expect((await heard.next())?.type).toBe('ready');
    heard.send(hello);
    expect(await heard.ended()).toBe('ERR_SYNC_ORDER');
  });

  it('ends on every frame before hello but hello itself', async () => {
    for (const frame of [
      { type: 'ping' },
      { type: 'ack', cursor: 0 },
      { type: 'credit', more: 1 },
      { type: 'receipts', id: 1, receipts: ['receipt-x'] },
    ]) {
      const connection = await connect(listener);
      connection.send(frame);
      expect(await connection.ended()).toBe('ERR_SYNC_ORDER');
    }
    expect(listener.receipts.taken.some(({ jws }) => jws === 'receipt-x')).toBe(false);
  });

  it('ends with a code on every bad frame and changes nothing', async () => {
    const person = await joined('jane', 2);
    const bad: [string, string | Uint8Array][] = [
      ['ERR_SYNC_FRAME', 'no json'],
      ['ERR_SYNC_FRAME', '[]'],
      ['ERR_SYNC_FRAME', '{"type":"unheard-of"}'],
      ['ERR_SYNC_FRAME', '{"type":"ack","cursor":1,"more":true}'],
      ['ERR_SYNC_FRAME', '{"type":"ack","cursor":-1}'],
      ['ERR_SYNC_FRAME', '{"type":"ack","cursor":1.5}'],
      ['ERR_SYNC_FRAME', '{"type":"credit","more":1001}'],
      ['ERR_SYNC_FRAME', '{"type":"receipts","id":1,"receipts":[]}'],
      ['ERR_SYNC_FRAME', new TextEncoder().encode('{"type":"ping"}')],
      ['ERR_SYNC_TOO_LARGE', `{"type":"ping"}${' '.repeat(300_000)}`],
      ['ERR_SYNC_CURSOR', '{"type":"ack","cursor":4}'],
      ['ERR_SYNC_CREDIT', '{"type":"credit","more":998}'],
    ];
    for (const [code, data] of bad) {
      const connection = await open(listener, person, { credit: 6 });
      expect(await connection.items(3)).toEqual([1, 2, 3]);
      connection.sendRaw(data, typeof data !== 'string');
      expect(await connection.ended()).toBe(code);
    }
    const beyond = await connect(listener);
    beyond.send(await helloFor(beyond, person, { cursor: 4 }));
    expect(await beyond.ended()).toBe('ERR_SYNC_CURSOR');
    expect(await bench.groups.cursors(person.device)).toEqual({ given: 3, acknowledged: 0 });
    expect((await bench.groups.queue(person.device, 0, 10)).entries).toHaveLength(3);
  });

  it('ends a connection that does not answer the challenge within ten seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const connection = await connect(listener);
      expect((await connection.next())?.type).toBe('challenge');
      vi.advanceTimersByTime(9_999);
      connection.sendRaw('');
      expect(await connection.ended()).toBe('ERR_SYNC_FRAME');
      const silent = await connect(listener);
      await silent.next();
      vi.advanceTimersByTime(10_000);
      expect(await silent.ended()).toBe('ERR_SYNC_TIMEOUT');
    } finally {
      vi.useRealTimers();
    }
  });

  it('holds a bounded part of the queue for a device that does not read, and gives it up after thirty seconds', async () => {
    const person = await joined('lars', 0);
    for (let n = 0; n < 80; n++)
      await storeEnvelope(bench, person.conversation, { devices: [person.device], size: 250_000 });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const connection = await open(listener, person, { credit: 1000 });
      connection.pause();
      const given = async () => (await bench.groups.cursors(person.device)).given;
      // Stuck once the number has stood still over many questions to the database.
      for (let last = -1, same = 0; same < 200; ) {
        const now = await given();
        same = now > 0 && now === last ? same + 1 : 0;
        last = now;
      }
      expect(await given()).toBeLessThan(81);
      vi.advanceTimersByTime(30_000);
      connection.resume();
      await connection.closed;
    } finally {
      vi.useRealTimers();
    }
    const again = await open(second, person, { credit: 3 });
    expect(await again.items(3)).toEqual([1, 2, 3]);
    await again.close();
  });

  it('upgrades only at its path and for its subprotocol', async () => {
    const refused = async (path: string, protocols: string[]) => {
      const socket = new WebSocket(`${listener.url.replace('http', 'ws')}${path}`, protocols);
      return await new Promise((resolve) => socket.on('error', (error) => resolve(error.message)));
    };
    expect(await refused('/v1/other', ['sealpost.sync.v1'])).toContain('404');
    expect(await refused('/v1/sync', [])).toContain('400');
    expect(await refused('/v1/sync', ['sealpost.sync.v2'])).toContain('400');
  });

  it('tells every connection why when the node stops', async () => {
    await using own = await startListener(bench);
    const person = await bench.enroll('kim');
    const [proven, unproven] = [await open(own, person), await connect(own)];
    const ended = [proven.ended(), unproven.ended()];
    await own[Symbol.asyncDispose]();
    expect(await Promise.all(ended)).toEqual(['ERR_SYNC_UNAVAILABLE', 'ERR_SYNC_UNAVAILABLE']);
  });
});
