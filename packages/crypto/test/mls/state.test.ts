/** Group state at rest: what is written, what comes back, what is refused. */
import { fromUtf8, utf8 } from '@sealpost/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unseal } from '../../src/mls/state.ts';
import { NO_DATA, NOW, trio } from './people.ts';

describe('a stored state', () => {
  test('comes back as it was, names and late epochs included', async () => {
    const { alice, bob, carol } = await trio();
    const late = await carol.sends('late');
    await alice.commits({}, [bob]);
    const stored = bob.engine.encodeState(bob.state);
    bob.state = bob.engine.decodeState(stored);
    expect(bob.engine.encodeState(bob.state)).toEqual(stored);
    expect(await bob.engine.members(bob.state, NOW)).toHaveLength(3);
    expect((await bob.gets(late)).kind).toBe('application');
    expect((await bob.gets(await alice.sends('now'))).kind).toBe('application');
    expect((await alice.gets(await bob.sends('still here'))).kind).toBe('application');
  });

  test('holds no private signature key', async () => {
    const { alice } = await trio();
    expect(unseal(alice.state).client.signaturePrivateKey).toEqual(utf8(alice.keys.signer.keyId));
  });

  test('with the newest ratchet goes on without using a generation twice', async () => {
    const { alice, bob } = await trio();
    const snapshot = alice.engine.encodeState(alice.state);
    const sent = [await alice.sends('1'), await alice.sends('2')];
    const ratchet = alice.engine.encodeRatchet(alice.state);
    alice.state = alice.engine.decodeState(snapshot, ratchet);
    sent.push(await alice.sends('3'));
    const opened: string[] = [];
    for (const message of sent) {
      const result = await bob.gets(message);
      opened.push(result.kind === 'application' ? fromUtf8(result.plaintext) : result.kind);
    }
    expect(opened).toEqual(['1', '2', '3']);
    expect(ratchet.length).toBeLessThan(128);
  });

  test('without its ratchet would send what receivers refuse, so the ratchet is written first', async () => {
    const { alice, bob } = await trio();
    const snapshot = alice.engine.encodeState(alice.state);
    await bob.gets(await alice.sends('1'));
    alice.state = alice.engine.decodeState(snapshot);
    expect(await bob.gets(await alice.sends('again generation 0'))).toEqual({ kind: 'refused', reason: 'replayed' });
  });

  test('refuses a ratchet of another epoch, branch or member, or one older than itself', async () => {
    const { alice, bob } = await trio();
    const older = alice.engine.encodeRatchet(alice.state);
    await alice.sends('1');
    const snapshot = alice.engine.encodeState(alice.state);
    const change = { add: [], remove: [] };
    const branch = await alice.engine.commit(alice.state, alice.identity, change, NOW);
    await alice.commits({});
    const next = alice.engine.encodeState(alice.state);
    const decode = (state: Uint8Array, ratchet: Uint8Array) => () => alice.engine.decodeState(state, ratchet);
    const damaged = expect.objectContaining({ code: 'ERR_MLS_STATE' });
    expect(decode(snapshot, older)).toThrow(damaged);
    expect(decode(snapshot, alice.engine.encodeRatchet(alice.state))).toThrow(damaged);
    expect(decode(next, alice.engine.encodeRatchet(branch.next))).toThrow(damaged);
    expect(decode(snapshot, bob.engine.encodeRatchet(bob.state))).toThrow(damaged);
  });

  test('of a newer format is refused by name', async () => {
    const { alice } = await trio();
    const newer = expect.objectContaining({ code: 'ERR_MLS_STATE_NEWER' });
    const snapshot = alice.engine.encodeState(alice.state);
    const ratchet = alice.engine.encodeRatchet(alice.state);
    expect(() => alice.engine.decodeState(snapshot.with(0, 2))).toThrow(newer);
    expect(() => alice.engine.decodeState(snapshot, ratchet.with(0, 2))).toThrow(newer);
  });

  test('that is cut off or is something else is refused', async () => {
    const { alice } = await trio();
    const snapshot = alice.engine.encodeState(alice.state);
    const damaged = expect.objectContaining({ code: 'ERR_MLS_STATE' });
    expect(() => alice.engine.decodeState(alice.engine.encodeRatchet(alice.state))).toThrow(damaged);
    expect(() => alice.engine.decodeState(new Uint8Array([...snapshot, 0]))).toThrow(damaged);
    fc.assert(
      fc.property(fc.nat({ max: snapshot.length - 1 }), (length) => {
        expect(() => alice.engine.decodeState(snapshot.subarray(0, length))).toThrow(damaged);
      }),
    );
  });

  test('does not share bytes with what it was read from', async () => {
    const { alice, bob } = await trio();
    const snapshot = alice.engine.encodeState(alice.state);
    alice.state = alice.engine.decodeState(snapshot);
    snapshot.fill(0);
    expect((await bob.gets(await alice.sends('intact'))).kind).toBe('application');
  });
});

describe('a given state', () => {
  test('is not changed by anything, so that a result that could not be stored can be dropped', async () => {
    const { alice, bob, carol, dave } = await trio();
    const { engine } = alice;
    const incoming = [await bob.sends('in'), await bob.sends('order'), (await carol.commits({})).commit];
    const add = [(await dave.keyPackage()).keyPackage];
    const before = engine.encodeState(alice.state);
    const run = async () => {
      await engine.encrypt(alice.state, alice.identity, utf8('dropped'), NO_DATA);
      await engine.commit(alice.state, alice.identity, { add, remove: [2] }, NOW);
      for (const message of incoming) {
        expect((await engine.receive(alice.state, message, NOW)).kind).not.toBe('refused');
      }
    };
    await run();
    await run();
    expect(engine.encodeState(alice.state)).toEqual(before);
  });

  test('of another engine or made by hand is refused', async () => {
    const { alice } = await trio();
    const copied = { ...alice.state };
    expect(() => alice.engine.encodeState(copied)).toThrow(expect.objectContaining({ code: 'ERR_MLS_STATE' }));
  });

  test('gives up the secrets of a message once the message is opened', async () => {
    const { alice, bob } = await trio();
    const [skipped, opened] = [await alice.sends('skipped'), await alice.sends('opened')];
    await bob.gets(opened);
    const { application } = unseal(bob.state).client.secretTree[0] ?? {};
    expect(Object.keys(application?.unusedGenerations ?? {})).toEqual(['0']);
    await bob.gets(skipped);
    const after = unseal(bob.state).client.secretTree[0]?.application;
    expect(Object.keys(after?.unusedGenerations ?? {})).toEqual([]);
    expect(after?.generation).toBe(2);
  });
});
