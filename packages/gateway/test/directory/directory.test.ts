/** What the directory takes and what it refuses, on a real log and database. */
import { createSigningKey } from '@sealpost/crypto/signer';
import { memberIdSchema } from '@sealpost/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOrganisation } from '../support/organisation.ts';
import { type Bench, createBench } from './bench.ts';
import { approve, createPerson, DAY, enrolled, entryHash, invitation, revoked } from './people.ts';

describe('directory', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await createBench();
  });
  afterAll(() => bench[Symbol.asyncDispose]());

  it('records an entry that control signed, an approver allowed and the device CA certified, and logs it', async () => {
    const { organisation, directory, log } = bench;
    const alice = await createPerson(organisation, 'alice');
    const entry = await enrolled(organisation, alice);
    expect(await directory.post(entry)).toEqual({ entry: entryHash(entry), outcome: 'recorded' });
    expect(await directory.device(alice.device)).toMatchObject({
      member: 'alice',
      active: true,
      publicJwk: alice.signer.publicJwk,
    });
    expect((await directory.deviceOfKey(alice.signer.keyId))?.device).toBe(alice.device);
    expect((await directory.member(alice.member))?.[0]).toEqual({ entry, evidence: null });
    await log.settle();
    expect((await directory.member(alice.member))?.[0]?.evidence).toMatchObject({
      record: expect.stringContaining('directory.changed'),
    });
  });

  it('answers an identical repeat without a second entry or event', async () => {
    const { organisation, directory, database } = bench;
    const bob = await createPerson(organisation, 'bob');
    const entry = await enrolled(organisation, bob);
    await directory.post(entry);
    const count = () => database.query<{ n: number }>('t', 'SELECT count(*)::int AS n FROM lane_event');
    const before = await count();
    expect((await directory.post(entry)).outcome).toBe('already');
    expect(await count()).toEqual(before);
    expect(await directory.member(bob.member)).toHaveLength(1);
  });

  it('takes exactly one of several entries made at once on the same head', async () => {
    const { organisation, directory } = bench;
    const devices = await Promise.all(Array.from({ length: 6 }, () => createPerson(organisation, 'carol')));
    const entries = await Promise.all(devices.map((device) => enrolled(organisation, device)));
    const results = await Promise.allSettled(entries.map((entry) => directory.post(entry)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason.code).toBe('ERR_DIRECTORY_HEAD');
    expect(await directory.member(devices[0]!.member)).toHaveLength(1);
  });

  it('refuses an entry that does not name the head of the chain', async () => {
    const { organisation, directory } = bench;
    const dora = await createPerson(organisation, 'dora');
    await expect(
      directory.post(await enrolled(organisation, dora, { previous: entryHash('x') })),
    ).rejects.toMatchObject({
      code: 'ERR_DIRECTORY_HEAD',
    });
    expect(await directory.member(dora.member)).toBeUndefined();
  });

  it('refuses entries of another signer, approver, member, certificate authority, or action', async () => {
    const { organisation, directory } = bench;
    const erin = await createPerson(organisation, 'erin');
    const stranger = await createSigningKey('EdDSA');
    const now = Date.now();
    const byStranger = await approve(organisation, 'device.invite', invitation(erin, now), now, stranger);
    const forAnother = await approve(
      organisation,
      'device.invite',
      invitation({ member: memberIdSchema.parse('somebody') }, now),
      now,
    );
    const ofAnotherAction = await approve(organisation, 'device.revoke', invitation(erin, now), now);
    const swapped = {
      ...(await approve(organisation, 'device.invite', invitation(erin, now), now)),
      object: invitation(erin, now),
    };
    const selfMade = await createPerson(await createOrganisation(), 'erin');
    const entries = [
      await enrolled(organisation, erin, { by: stranger }),
      await enrolled(organisation, erin, { approval: byStranger }),
      await enrolled(organisation, erin, { approval: forAnother }),
      await enrolled(organisation, erin, { approval: ofAnotherAction }),
      await enrolled(organisation, erin, { approval: swapped }),
      await enrolled(organisation, selfMade),
      await enrolled(organisation, { ...erin, device: selfMade.device }),
      'not.a.jws',
    ];
    for (const entry of entries)
      await expect(directory.post(entry)).rejects.toMatchObject({ code: 'ERR_DIRECTORY_ENTRY', kind: 'integrity' });
    expect(await directory.device(erin.device)).toBeUndefined();
    expect(await directory.member(erin.member)).toBeUndefined();
  });

  it('takes one approval for one change only', async () => {
    const { organisation, directory } = bench;
    const now = Date.now();
    const first = await createPerson(organisation, 'frank');
    const second = await createPerson(organisation, 'frank');
    const approval = await approve(organisation, 'device.invite', invitation(first, now), now);
    const entry = await enrolled(organisation, first, { approval });
    await directory.post(entry);
    await expect(
      directory.post(await enrolled(organisation, second, { approval, previous: entryHash(entry) })),
    ).rejects.toMatchObject({ code: 'ERR_DIRECTORY_APPROVAL_USED' });
  });

  it('refuses an invitation that ran out before the entry was posted', async () => {
    const { organisation, directory, clock, log } = bench;
    const gail = await createPerson(organisation, 'gail');
    const entry = await enrolled(organisation, gail);
    clock.advance(12 * 60_000);
    await log.settle();
    await expect(directory.post(entry)).rejects.toMatchObject({ code: 'ERR_DIRECTORY_INVITE_EXPIRED' });
  });

  it('enrolls nobody while the log is stalled, and revokes all the same', async () => {
    await using own = await createBench();
    const hans = await own.enroll('hans');
    own.clock.advance(5 * 60_000);
    const other = await createPerson(own.organisation, 'iris');
    const entry = await enrolled(own.organisation, other, { at: own.clock.now() });
    await expect(own.directory.post(entry)).rejects.toMatchObject({ code: 'ERR_DIRECTORY_LOG_STALLED', retryAfter: 1 });
    await own.revoke(hans);
    expect((await own.directory.device(hans.device))?.active).toBe(false);
  });

  it('never takes a revoked device or its key again', async () => {
    const { organisation, directory, clock } = bench;
    const jane = await bench.enroll('jane');
    await bench.revoke(jane);
    const head = entryHash((await directory.member(jane.member))!.at(-1)!.entry);
    const again = await enrolled(organisation, jane, { previous: head, at: clock.now() });
    await expect(directory.post(again)).rejects.toMatchObject({ code: 'ERR_DIRECTORY_DEVICE_TAKEN' });
    const sameKey = await createPerson(organisation, 'jane', { signer: jane.signer });
    const renamed = await enrolled(organisation, sameKey, { previous: head, at: clock.now() });
    await expect(directory.post(renamed)).rejects.toMatchObject({ code: 'ERR_DIRECTORY_DEVICE_TAKEN' });
    await expect(
      directory.post(await revoked(organisation, jane, { previous: head, at: clock.now() })),
    ).rejects.toMatchObject({
      code: 'ERR_DIRECTORY_DEVICE_UNKNOWN',
    });
  });

  it('takes a renewed certificate of the same device and key', async () => {
    const { organisation, directory, clock } = bench;
    const kim = await bench.enroll('kim');
    const renewed = await createPerson(organisation, 'kim', {
      device: kim.device,
      signer: kim.signer,
      notAfter: Date.now() + 60 * DAY - (Date.now() % 1000),
    });
    const head = entryHash((await directory.member(kim.member))!.at(-1)!.entry);
    await directory.post(await enrolled(organisation, renewed, { previous: head, at: clock.now() }));
    expect((await directory.device(kim.device))?.chain[0]).toEqual(renewed.chain[0]);
  });

  it('holds a device whose certificate has run out for inactive', async () => {
    const { directory, organisation } = bench;
    await using own = await createBench();
    const lena = await own.enroll('lena');
    own.clock.advance(31 * DAY);
    expect((await own.directory.device(lena.device))?.active).toBe(false);
    expect(await own.directory.inactive([lena.device])).toEqual([lena.device]);
    expect(await directory.inactive([(await createPerson(organisation, 'mona')).device])).toHaveLength(1);
  });

  it('counts a revocation on every node from its commit, and tells this node at once', async () => {
    await using own = await createBench();
    const nora = await own.enroll('nora');
    const other = await own.node();
    const told: string[] = [];
    own.directory.onRevoked((device) => void told.push(device));
    await own.revoke(nora);
    expect(told).toEqual([nora.device]);
    expect((await other.directory.device(nora.device))?.active).toBe(false);
    expect((await other.directory.deviceOfKey(nora.signer.keyId))?.active).toBe(false);
  });
});
