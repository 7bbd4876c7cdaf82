/** The internal routes of directory and groups over real HTTP: statuses, codes and details as control relies on them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, createBench } from '../directory/bench.ts';
import { createPerson, enrolled, entryHash } from '../directory/people.ts';
import { type Listener, startListener } from '../sync/listener.ts';
import { commitPost, createAgent, engineOf, keyPackageOf, newConversationId } from './mls.ts';

describe('internal routes', () => {
  let bench: Bench;
  let listener: Listener;
  beforeAll(async () => {
    bench = await createBench();
    listener = await startListener(bench);
  });
  afterAll(async () => {
    await listener[Symbol.asyncDispose]();
    await bench[Symbol.asyncDispose]();
  });

  const call = async (method: string, path: string, body?: unknown) => {
    const init =
      body === undefined
        ? { method }
        : { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const answer = await fetch(`${listener.internalUrl}/internal/v1${path}`, init);
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };

  it('records a directory entry and answers the member’s chain', async () => {
    const person = await createPerson(bench.organisation, 'alice');
    const entry = await enrolled(bench.organisation, person);
    expect(await call('GET', '/directory/alice')).toMatchObject({
      status: 404,
      body: { code: 'ERR_DIRECTORY_MEMBER_UNKNOWN' },
    });
    expect(await call('POST', '/directory', { entry })).toEqual({
      status: 200,
      body: { entry: entryHash(entry), outcome: 'recorded' },
    });
    expect(await call('POST', '/directory', { entry })).toMatchObject({ status: 200, body: { outcome: 'already' } });
    await bench.log.settle();
    const { body } = await call('GET', '/directory/alice');
    expect(body).toMatchObject({ entries: [{ entry, evidence: { path: expect.any(Array) } }] });
    const other = await enrolled(bench.organisation, await createPerson(bench.organisation, 'alice'));
    expect(await call('POST', '/directory', { entry: other })).toMatchObject({
      status: 409,
      body: { code: 'ERR_DIRECTORY_HEAD' },
    });
    expect(await call('POST', '/directory', { entry, more: 1 })).toMatchObject({
      status: 400,
      body: { code: 'ERR_HTTP_INVALID' },
    });
  });

  it('answers 202 to the winning commit and its repeat, and 409 with the current epoch to the loser', async () => {
    const engine = engineOf(bench.organisation);
    const agent = await createAgent(bench.organisation);
    const conversation = newConversationId();
    expect(await call('GET', `/conversations/${conversation}`)).toMatchObject({
      status: 404,
      body: { code: 'ERR_GROUPS_MISSING' },
    });
    expect(await call('POST', '/conversations', { conversation, creator: agent.uri })).toEqual({
      status: 200,
      body: { conversation, epoch: 0, devices: [] },
    });
    const state = await engine.createGroup(conversation, agent.identity, Date.now());
    const person = await bench.enroll('bob');
    const device = (await bench.directory.device(person.device))!;
    const made = await Promise.all([1, 2].map(() => keyPackageOf(engine, person)));
    await bench.groups.uploadKeyPackages(
      device,
      made.map(({ upload }) => upload),
    );
    const claim = async () => {
      const { body } = await call('POST', '/key-packages/claim', { devices: [person.device] });
      return (body as { packages: { device: typeof person.device; keyPackage: string }[] }).packages[0]!;
    };
    const [winner, loser] = [
      await commitPost(engine, agent, state, { add: [await claim()] }),
      await commitPost(engine, agent, state, { add: [await claim()] }),
    ];
    expect((await claim()).keyPackage).toBeNull();
    const won = { status: 202, body: { conversation, epoch: 1, devices: [person.device] } };
    expect(await call('POST', `/conversations/${conversation}/commits`, winner.post)).toEqual(won);
    expect(await call('POST', `/conversations/${conversation}/commits`, winner.post)).toEqual(won);
    expect(await call('POST', `/conversations/${conversation}/commits`, loser.post)).toMatchObject({
      status: 409,
      body: { code: 'ERR_GROUPS_EPOCH', errors: [{ pointer: '/epoch', detail: '1' }] },
    });
    expect(await call('GET', `/conversations/${conversation}`)).toEqual({ status: 200, body: won.body });
  });
});
