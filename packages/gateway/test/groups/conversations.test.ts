/** Conversations, commits and queues as devices and control meet them, with real MLS commits and welcomes. */
import type { GroupState, MlsEngine } from '@sealpost/crypto/mls';
import { type ConversationId, fromBase64url, type SyncItem } from '@sealpost/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommitPost } from '../../src/modules/groups/commit-schema.ts';
import { laneOf } from '../../src/modules/log/index.ts';
import { type Bench, createBench } from '../directory/bench.ts';
import type { Person } from '../directory/people.ts';
import { storeEnvelope } from './envelope.ts';
import { type Agent, commitPost, createAgent, engineOf, keyPackageOf, newConversationId } from './mls.ts';

describe('conversations', () => {
  let bench: Bench;
  let engine: MlsEngine;
  let agent: Agent;
  beforeAll(async () => {
    bench = await createBench();
    engine = engineOf(bench.organisation);
    agent = await createAgent(bench.organisation);
  });
  afterAll(() => bench[Symbol.asyncDispose]());

  const start = async (): Promise<{ conversation: ConversationId; state: GroupState }> => {
    const conversation = newConversationId();
    await bench.groups.create(conversation, agent.uri);
    return { conversation, state: await engine.createGroup(conversation, agent.identity, Date.now()) };
  };
  const adding = async (person: Person) => {
    const { upload, bundle } = await keyPackageOf(engine, person);
    return { device: person.device, keyPackage: upload.keyPackage, bundle };
  };
  const items = async (person: Person, after = 0): Promise<SyncItem[]> =>
    (await bench.groups.queue(person.device, after, 100)).entries.map(({ item }) => item);

  it('creates a conversation once for its creator and refuses it to another', async () => {
    const { conversation } = await start();
    expect(await bench.groups.create(conversation, agent.uri)).toEqual({ conversation, epoch: 0, devices: [] });
    const other = await createAgent(bench.organisation, 'acme-sales');
    await expect(bench.groups.create(conversation, other.uri)).rejects.toMatchObject({ code: 'ERR_GROUPS_CREATOR' });
    for (const uri of ['sealpost://other.example/agent/x', 'sealpost://acme.example/service/control', 'x'])
      await expect(bench.groups.create(newConversationId(), uri)).rejects.toMatchObject({
        code: 'ERR_GROUPS_CREATOR_NAME',
      });
    const events = await bench.log.read(bench.database, laneOf(conversation), 0, 1000);
    expect(
      events.filter(({ event }) => event.kind === 'group.created' && event.conversation === conversation),
    ).toHaveLength(1);
  });

  it('lets exactly one of several commits made in one epoch win and tells the others the epoch', async () => {
    const second = await bench.node();
    const { conversation, state } = await start();
    const people = await Promise.all(['ulla', 'vera', 'wim', 'xaver'].map((name) => bench.enroll(name)));
    const posts = await Promise.all(
      people.map(async (person) => (await commitPost(engine, agent, state, { add: [await adding(person)] })).post),
    );
    const results = await Promise.allSettled(
      posts.map((post, at) => (at % 2 === 0 ? bench : second).groups.commit(conversation, post)),
    );
    const winner = results.findIndex(({ status }) => status === 'fulfilled');
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results)
      if (result.status === 'rejected')
        expect(result.reason).toMatchObject({
          code: 'ERR_GROUPS_EPOCH',
          details: [{ pointer: '/epoch', detail: '1' }],
        });
    expect(await bench.groups.state(conversation)).toEqual({
      conversation,
      epoch: 1,
      devices: [people[winner]!.device],
    });
    expect(await bench.groups.commit(conversation, posts[winner]!)).toMatchObject({ epoch: 1 });
    expect(await items(people[winner]!)).toHaveLength(1);
    const events = await bench.log.read(bench.database, laneOf(conversation), 0, 1000);
    expect(
      events.filter(({ event }) => event.kind === 'group.committed' && event.conversation === conversation),
    ).toHaveLength(1);
  });

  it('gives a new device a welcome it can join with and the others the commit, payloads stored once and gone when read', async () => {
    const { conversation, state } = await start();
    const [yara, zoe] = [await bench.enroll('yara'), await bench.enroll('zoe')];
    const one = await adding(yara);
    const first = await commitPost(engine, agent, state, { add: [one] });
    await bench.groups.commit(conversation, first.post);
    const two = await commitPost(engine, agent, first.next, { add: [await adding(zoe)] });
    await bench.groups.commit(conversation, two.post);
    const [welcome, commit] = await items(yara);
    expect(welcome).toEqual({
      kind: 'welcome',
      conversation,
      message: first.post.welcome?.message,
      ratchetTree: first.post.welcome?.ratchetTree,
    });
    expect(commit).toEqual({ kind: 'commit', conversation, epoch: 1, message: two.post.commit });
    if (welcome?.kind !== 'welcome') throw new Error('no welcome');
    const joined = await engine.join(
      fromBase64url(welcome.message)!,
      fromBase64url(welcome.ratchetTree)!,
      [one.bundle],
      yara,
      Date.now(),
    );
    expect(joined?.state.epoch).toBe(1n);
    const payloads = () =>
      bench.database.query<{ n: number }>(
        'payloads',
        'SELECT count(*)::int AS n FROM conversation_commit WHERE conversation = $1 AND (message IS NOT NULL OR welcome IS NOT NULL)',
        [conversation],
      );
    expect((await payloads())[0]?.n).toBe(2);
    await bench.groups.acknowledge(yara.device, 2);
    await bench.groups.queue(zoe.device, 0, 10);
    await bench.groups.acknowledge(zoe.device, 1);
    expect((await payloads())[0]?.n).toBe(0);
    expect(await items(yara)).toEqual([]);
    expect(await bench.groups.commit(conversation, first.post)).toMatchObject({ epoch: 2 });
  });

  it('refuses commits that are not what they are said to be, or whose devices do not fit, and changes nothing', async () => {
    const { conversation, state } = await start();
    const other = await start();
    const [amy, ben] = [await bench.enroll('amy'), await bench.enroll('ben')];
    await bench.revoke(ben);
    const { post } = await commitPost(engine, agent, state, { add: [await adding(amy)] });
    const ofBen = (await commitPost(engine, agent, state, { add: [await adding(ben)] })).post;
    const foreign = (await commitPost(engine, agent, other.state, { add: [await adding(amy)] })).post;
    const welcome = post.welcome!;
    const wrong: readonly (readonly [CommitPost, string])[] = [
      [{ ...post, commit: foreign.commit }, 'ERR_GROUPS_COMMIT'],
      [{ ...post, commit: welcome.message }, 'ERR_GROUPS_COMMIT'],
      [{ ...post, commit: 'AAAA' }, 'ERR_GROUPS_COMMIT'],
      [{ ...post, welcome: { ...welcome, message: post.commit } }, 'ERR_GROUPS_COMMIT'],
      [{ ...post, welcome: { ...welcome, devices: [amy.device, ben.device] } }, 'ERR_GROUPS_COMMIT'],
      [{ ...post, removed: [amy.device] }, 'ERR_GROUPS_COMMIT'],
      [{ ...post, removed: [ben.device] }, 'ERR_GROUPS_DEVICES'],
      [ofBen, 'ERR_GROUPS_DEVICES'],
      [{ ...post, epoch: 3 }, 'ERR_GROUPS_EPOCH'],
    ];
    for (const [each, code] of wrong)
      await expect(bench.groups.commit(conversation, each)).rejects.toMatchObject({ code });
    await expect(bench.groups.commit(newConversationId(), post)).rejects.toMatchObject({ code: 'ERR_GROUPS_MISSING' });
    expect(await bench.groups.state(conversation)).toEqual({ conversation, epoch: 0, devices: [] });
    expect(await items(amy)).toEqual([]);
  });

  it('adds nobody while the log is stalled', async () => {
    await using own = await createBench();
    const cleo = await own.enroll('cleo');
    const here = engineOf(own.organisation);
    const ownAgent = await createAgent(own.organisation);
    const conversation = newConversationId();
    await own.groups.create(conversation, ownAgent.uri);
    const state = await here.createGroup(conversation, ownAgent.identity, Date.now());
    const keyPackage = (await keyPackageOf(here, cleo)).upload.keyPackage;
    const { post } = await commitPost(here, ownAgent, state, { add: [{ device: cleo.device, keyPackage }] });
    own.clock.advance(5 * 60_000);
    await expect(own.groups.commit(conversation, post)).rejects.toMatchObject({ code: 'ERR_GROUPS_LOG_STALLED' });
  });

  it('stops queueing for a revoked device at once and names the conversation until a commit removes it', async () => {
    const { conversation, state } = await start();
    const [dan, eva] = [await bench.enroll('dan'), await bench.enroll('eva')];
    const first = await commitPost(engine, agent, state, { add: [await adding(dan), await adding(eva)] });
    await bench.groups.commit(conversation, first.post);
    expect(await bench.groups.devices(bench.database, conversation)).toHaveLength(2);
    await bench.revoke(dan);
    expect(await bench.groups.devices(bench.database, conversation)).toEqual([eva.device]);
    expect(await bench.groups.awaitsRemoval(bench.database, [newConversationId(), conversation])).toEqual(
      new Set([conversation]),
    );
    expect(await items(dan)).toEqual([]);
    const leaves = await engine.members(first.next, Date.now());
    const leaf = leaves.find(({ credential }) => credential.uri.includes(dan.device))!.index;
    const removal = await commitPost(engine, agent, first.next, { remove: [{ device: dan.device, leaf }] });
    await bench.groups.commit(conversation, removal.post);
    expect(await bench.groups.awaitsRemoval(bench.database, [conversation])).toEqual(new Set());
    expect((await bench.groups.state(conversation))?.devices).toEqual([eva.device]);
    expect((await items(eva)).map(({ kind }) => kind)).toEqual(['welcome', 'commit']);
    expect(await items(dan)).toEqual([]);
    expect(await bench.groups.epochs(bench.database, [newConversationId(), conversation])).toEqual(
      new Map([[conversation, 2]]),
    );
  });

  it('queues an envelope without its carrier parts, once, and drops it when it expires unread', async () => {
    const { conversation, state } = await start();
    const fay = await bench.enroll('fay');
    const first = await commitPost(engine, agent, state, { add: [await adding(fay)] });
    await bench.groups.commit(conversation, first.post);
    const kept = await storeEnvelope(bench, conversation, { devices: [fay.device] });
    await storeEnvelope(bench, conversation, { devices: [fay.device], expires: bench.clock.now() - 1 });
    await bench.database.transaction((tx) =>
      bench.groups.enqueue(tx, [fay.device], { kind: 'envelope', conversation, message: kept.message, blobs: [] }),
    );
    const [, envelope, ...more] = await items(fay);
    expect(envelope).toEqual({
      kind: 'envelope',
      message: kept.message,
      envelope: { ...kept, parts: kept.parts.filter(({ form }) => form === 'device') },
    });
    expect(kept.parts.length).toBe(2);
    expect(more).toEqual([]);
  });

  it('keeps a conversation in order for a device while many write and read at once', async () => {
    const { conversation, state } = await start();
    const other = await start();
    const gus = await bench.enroll('gus');
    for (const each of [{ conversation, state }, other])
      await bench.groups.commit(
        each.conversation,
        (await commitPost(engine, agent, each.state, { add: [await adding(gus)] })).post,
      );
    const order = new Map<string, string[]>([
      [conversation, []],
      [other.conversation, []],
    ]);
    const write = async (id: ConversationId) => {
      for (let n = 0; n < 15; n++)
        order.get(id)!.push((await storeEnvelope(bench, id, { devices: [gus.device] })).message);
    };
    const read = async () => {
      for (let n = 0; n < 20; n++) await bench.groups.queue(gus.device, 0, 3);
    };
    await Promise.all([write(conversation), write(other.conversation), read(), read()]);
    let after = 0;
    const seen: { cursor: number; item: SyncItem }[] = [];
    for (let more = true; more; ) {
      const { entries, through } = await bench.groups.queue(gus.device, after, 7);
      seen.push(...entries);
      more = through > after;
      after = through;
    }
    expect(seen.map(({ cursor }) => cursor)).toEqual(Array.from({ length: 32 }, (_, at) => at + 1));
    for (const [id, messages] of order)
      expect(
        seen.flatMap(({ item }) =>
          item.kind === 'envelope' && item.envelope.conversation === id ? [item.message] : [],
        ),
      ).toEqual(messages);
  });
});
