/** A group's life: joining, talking, changing, leaving. */
import { fromUtf8, utf8 } from '@sealpost/protocol';
import { initializeEpoch } from 'ts-mls/keySchedule.js';
import { describe, expect, test } from 'vitest';
import { createProvider } from '#mls-provider';
import { decodeTree } from '../../src/mls/codec.ts';
import { createMlsEngine } from '../../src/mls/index.ts';
import { leafAt, unseal } from '../../src/mls/state.ts';
import { NOW, Organisation, type Person, people, trio } from './people.ts';

async function opens(person: Person, message: Uint8Array): Promise<string> {
  const result = await person.gets(message);
  return result.kind === 'application'
    ? fromUtf8(result.plaintext)
    : `${result.kind}: ${'reason' in result ? result.reason : ''}`;
}

describe('a conversation', () => {
  test('members who joined by welcome and tree read each other', async () => {
    const { alice, bob, carol } = await trio();
    const hello = await alice.sends('hello');
    expect(await opens(bob, hello)).toBe('hello');
    expect(await opens(carol, hello)).toBe('hello');
    const back = await bob.sends('hello alice');
    expect(await opens(alice, back)).toBe('hello alice');
    expect(await opens(carol, back)).toBe('hello alice');
  });

  test('an opened message names the leaf that MLS authenticated, the epoch and the authenticated data', async () => {
    const { alice, bob } = await trio();
    const result = await alice.gets(await bob.sends('from "alice"', utf8('commitment')));
    expect(result).toMatchObject({
      kind: 'application',
      epoch: 1n,
      sender: { index: 1, credential: { uri: bob.uri } },
      authenticatedData: utf8('commitment'),
    });
  });

  test('a commit that only adds carries an update path all the same', async () => {
    const { alice, bob } = await people(new Organisation(), 'alice', 'bob');
    await alice.starts();
    const { ratchetTree } = await alice.commits({ add: [bob] });
    expect(leafAt(decodeTree(ratchetTree) ?? [], 0)?.leafNodeSource).toBe('commit');
  });

  test('a commit tells who it added and removed, by leaf and by name', async () => {
    const { alice, bob, carol, dave } = await trio();
    const { received } = await alice.commits({ add: [dave], remove: [2] }, [bob, carol]);
    expect(received.get('bob')).toMatchObject({
      kind: 'commit',
      sender: { index: 0, credential: { uri: alice.uri } },
      added: [{ index: 2, credential: { uri: dave.uri } }],
      removed: [{ index: 2, credential: { uri: carol.uri } }],
    });
    expect(await opens(bob, await dave.sends('in the seat of Carol'))).toBe('in the seat of Carol');
  });

  test('a removed member learns it even when somebody took its leaf, and opens nothing afterwards', async () => {
    const { alice, bob, carol, dave } = await trio();
    const { received } = await alice.commits({ add: [dave], remove: [2] }, [bob, carol]);
    expect(received.get('carol')).toMatchObject({ kind: 'removed', sender: { index: 0 } });
    expect(await opens(carol, await alice.sends('without Carol'))).toBe('refused: epoch');
  });

  test('a member whose certificate was revoked can still be removed, under the name it entered with', async () => {
    const { organisation, alice, bob, carol } = await trio();
    organisation.revoke(carol.identity);
    const { received } = await alice.commits({ remove: [2] }, [bob]);
    expect(received.get('bob')).toMatchObject({ kind: 'commit', removed: [{ credential: { uri: carol.uri } }] });
  });

  test('whoever removed everybody else starts an epoch that the removed cannot derive', async () => {
    const { alice, bob } = await trio();
    const crypto = createProvider(2);
    const { initSecret } = unseal(bob.state).client.keySchedule;
    await alice.commits({ remove: [1, 2] });
    const { groupContext, keySchedule } = unseal(alice.state).client;
    const zeros = new Uint8Array(32);
    const guess = await initializeEpoch(initSecret, zeros, groupContext, zeros, crypto.kdf);
    expect(guess.keySchedule.exporterSecret).not.toEqual(keySchedule.exporterSecret);
  });

  test('a late message of the epoch before opens under its own epoch', async () => {
    const { alice, bob, carol } = await trio();
    const late = await carol.sends('sent before the commit');
    await alice.commits({}, [bob]);
    expect(await bob.gets(late)).toMatchObject({ kind: 'application', epoch: 1n, sender: { index: 2 } });
    expect(bob.state.epoch).toBe(2n);
    expect(await opens(bob, late)).toBe('refused: replayed');
  });

  test('messages of one sender open in any order, each once', async () => {
    const { alice, bob } = await trio();
    const sent = [await alice.sends('1'), await alice.sends('2'), await alice.sends('3')];
    const [first, second, third] = sent as [Uint8Array, Uint8Array, Uint8Array];
    expect(await opens(bob, third)).toBe('3');
    expect(await opens(bob, first)).toBe('1');
    expect(await opens(bob, second)).toBe('2');
    expect(await opens(bob, first)).toBe('refused: replayed');
  });

  test('every member may commit, and all arrive in the same epoch', async () => {
    const { alice, bob, carol, dave } = await trio();
    await bob.commits({ add: [dave] }, [alice, carol]);
    await carol.commits({}, [alice, bob, dave]);
    await dave.commits({ remove: [0] }, [bob, carol]);
    expect([bob, carol, dave].map((person) => person.state.epoch)).toEqual([4n, 4n, 4n]);
    expect(await opens(bob, await dave.sends('without Alice'))).toBe('without Alice');
  });

  test('a newcomer accepts a tree whose nodes list different unmerged leaves', async () => {
    const organisation = new Organisation();
    const names = Array.from({ length: 16 }, (_, index) => `member${index}`);
    const all = Object.values(await people(organisation, ...names)) as Person[];
    const { newA, newB } = await people(organisation, 'newA', 'newB');
    const [first, ...rest] = all as [Person, ...Person[]];
    await first.starts();
    await first.commits({ add: rest });
    const staying = all.filter((_, index) => index !== 10 && index !== 14);
    await first.commits({ remove: [10, 14] }, staying.slice(1));
    const twelfth = all[12] as Person;
    await twelfth.commits(
      {},
      staying.filter((person) => person !== twelfth),
    );
    await first.commits({ add: [newA, newB] }, staying.slice(1));
    const message = await newB.sends('I am in');
    expect(await opens(newA, message)).toBe('I am in');
    expect(await opens(twelfth, message)).toBe('I am in');
  });
});

describe('certificates', () => {
  test('a renewed certificate of the same member takes the place of the old one', async () => {
    const { organisation, alice, bob } = await trio();
    const renewed = organisation.issue(alice.uri, alice.keys.spki);
    alice.identity = { chain: [renewed], signer: alice.keys.signer };
    const { received } = await alice.commits({}, [bob]);
    expect(received.get('bob')?.kind).toBe('commit');
    const [first] = await bob.engine.members(bob.state, NOW);
    expect(first?.credential).toEqual({ uri: alice.uri, chain: [renewed] });
  });

  test('a certificate that names somebody else is neither committed nor taken', async () => {
    const { organisation, alice, bob } = await trio();
    const other = organisation.issue('sealpost://acme.example/member/mallory', alice.keys.spki);
    const identity = { chain: [other], signer: alice.keys.signer };
    const change = { add: [], remove: [] };
    await expect(alice.engine.commit(alice.state, identity, change, NOW)).rejects.toMatchObject({
      code: 'ERR_MLS_IDENTITY',
    });

    // The same commit from a client that trusts itself: everybody else refuses it.
    const lax = createMlsEngine({ verify: async (chain) => ({ uri: alice.uri, chain }) });
    const own = lax.decodeState(alice.engine.encodeState(alice.state));
    const { commit } = await lax.commit(own, identity, change, NOW);
    expect(await bob.gets(commit)).toEqual({ kind: 'refused', reason: 'credential' });
  });

  test('a member whose certificate lapsed stays listed and is marked', async () => {
    const { organisation, alice, carol } = await trio();
    organisation.revoke(carol.identity);
    const listed = await alice.engine.members(alice.state, NOW);
    expect(listed.map(({ credential, lapsed }) => [credential.uri, lapsed])).toEqual([
      [alice.uri, undefined],
      [expect.stringContaining('bob'), undefined],
      [carol.uri, true],
    ]);
  });
});
