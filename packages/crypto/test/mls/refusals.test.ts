/** What a group does not take: every way a peer, a carrier or a thief may try. */
import { conversationIdSchema, utf8 } from '@sealpost/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commitWithoutPath, keyPackageWith, loneProposal, messageInTheNameOf } from './forge.ts';
import { HOUR, NO_DATA, NOW, newKeys, Organisation, Person, people, trio } from './people.ts';

const refusal = (reason: string) => ({ kind: 'refused', reason });

describe('messages', () => {
  test('a message is taken once', async () => {
    const { alice, bob } = await trio();
    const message = await alice.sends('pay 100');
    expect((await bob.gets(message)).kind).toBe('application');
    expect(await bob.gets(message)).toEqual(refusal('replayed'));
  });

  test("a member's own message coming back is a replay", async () => {
    const { alice } = await trio();
    expect(await alice.gets(await alice.sends('echo'))).toEqual(refusal('replayed'));
  });

  test('authenticated data cannot be altered on the way', async () => {
    const { alice, bob } = await trio();
    const message = await alice.sends('content', utf8('commitment'));
    const at = indexOf(message, utf8('commitment'));
    message[at] = (message[at] ?? 0) ^ 1;
    expect(await bob.gets(message)).toEqual(refusal('not-authentic'));
  });

  test('no bit of a message can be altered on the way', async () => {
    const { alice, bob } = await trio();
    const message = await alice.sends('content', utf8('commitment'));
    const before = bob.engine.encodeState(bob.state);
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: message.length - 1 }), fc.nat({ max: 7 }), async (at, bit) => {
        const altered = message.with(at, (message[at] ?? 0) ^ (1 << bit));
        expect((await bob.gets(altered)).kind).toBe('refused');
      }),
      { numRuns: 200 },
    );
    expect(bob.engine.encodeState(bob.state)).toEqual(before);
    expect((await bob.gets(message)).kind).toBe('application');
  });

  test('bytes that are no message are refused and never throw', async () => {
    const { alice, bob } = await trio();
    const message = await alice.sends('content');
    expect(await bob.gets(new Uint8Array([...message, 0]))).toEqual(refusal('malformed'));
    expect(await bob.gets(new Uint8Array(5 * 1024 * 1024))).toEqual(refusal('malformed'));
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        expect((await bob.gets(bytes)).kind).toBe('refused');
        expect((await bob.gets(new Uint8Array([0, 1, 0, 2, ...bytes]))).kind).toBe('refused');
      }),
    );
  });

  test('a message of another conversation is refused', async () => {
    const { organisation, bob } = await trio();
    const { erin } = await people(organisation, 'erin');
    await erin.starts(conversationIdSchema.parse(`con_${'b'.repeat(22)}`));
    expect(await bob.gets(await erin.sends('stray'))).toEqual(refusal('not-authentic'));
  });

  test('a member cannot send in the name of another', async () => {
    const { bob, carol } = await trio();
    expect(await bob.gets(await messageInTheNameOf(carol, 0))).toEqual(refusal('not-authentic'));
  });

  test('a message from a member whose certificate was revoked is refused', async () => {
    const { organisation, alice, bob } = await trio();
    const message = await alice.sends('after the theft');
    organisation.revoke(alice.identity);
    expect(await bob.gets(message)).toEqual(refusal('credential'));
  });

  test('a status service that cannot tell makes receiving fail, not pass', async () => {
    const organisation = new Organisation();
    const { alice } = await people(organisation, 'alice');
    let isDown = false;
    const bob = new Person('bob', await newKeys(), organisation, async (chain, now) => {
      if (isDown) throw new Error('status service away');
      return organisation.verify(chain, now);
    });
    await alice.starts();
    await alice.commits({ add: [bob] });
    const [message, { commit }] = [await alice.sends('hello'), await alice.commits({})];
    isDown = true;
    await expect(bob.gets(message)).rejects.toThrow('status service away');
    await expect(bob.gets(commit)).rejects.toThrow('status service away');
    isDown = false;
    expect((await bob.gets(message)).kind).toBe('application');
  });

  test('content larger than a message may hold is not sent', async () => {
    const { alice } = await trio();
    const sending = alice.engine.encrypt(alice.state, alice.identity, new Uint8Array(1024 * 1024 + 1), NO_DATA);
    await expect(sending).rejects.toMatchObject({ code: 'ERR_MLS_TOO_LARGE' });
  });

  test('an identity that is not the own leaf cannot send or commit', async () => {
    const { alice, bob } = await trio();
    const sending = alice.engine.encrypt(alice.state, bob.identity, NO_DATA, NO_DATA);
    await expect(sending).rejects.toMatchObject({ code: 'ERR_MLS_IDENTITY' });
    const committing = alice.engine.commit(alice.state, bob.identity, { add: [], remove: [] }, NOW);
    await expect(committing).rejects.toMatchObject({ code: 'ERR_MLS_IDENTITY' });
  });
});

describe('commits', () => {
  test('of two commits in one epoch only the first is taken', async () => {
    const { alice, bob, carol } = await trio();
    const [first, second] = [await alice.commits({}), await carol.commits({})];
    expect((await bob.gets(first.commit)).kind).toBe('commit');
    expect(await bob.gets(second.commit)).toEqual(refusal('epoch'));
    expect(await bob.gets(await carol.sends('from the other branch'))).toEqual(refusal('not-authentic'));
  });

  test('a commit or message of an epoch not yet reached is refused', async () => {
    const { alice, bob } = await trio();
    await alice.commits({});
    const { commit } = await alice.commits({});
    expect(await bob.gets(commit)).toEqual(refusal('epoch'));
    expect(await bob.gets(await alice.sends('too early'))).toEqual(refusal('epoch'));
  });

  test('a commit that removes and has no update path is refused', async () => {
    const { alice, bob } = await trio();
    const forged = await commitWithoutPath(alice, [{ proposalType: 'remove', remove: { removed: 2 } }]);
    expect(await bob.gets(forged)).toEqual(refusal('no-path'));
    expect(await bob.gets(await commitWithoutPath(alice, []))).toEqual(refusal('no-path'));
  });

  test('a removal without an update path is refused by the removed one too', async () => {
    const { alice, carol } = await trio();
    const forged = await commitWithoutPath(alice, [{ proposalType: 'remove', remove: { removed: 2 } }]);
    expect(await carol.gets(forged)).toEqual(refusal('no-path'));
  });

  test('lone proposals and kinds this engine does not make are refused', async () => {
    const { alice, bob } = await trio();
    expect(await bob.gets(await loneProposal(alice, false))).toEqual(refusal('malformed'));
    expect(await bob.gets(await loneProposal(alice, true))).toEqual(refusal('malformed'));
    const reinit = {
      groupId: NO_DATA,
      version: 'mls10',
      cipherSuite: 'MLS_128_DHKEMP256_AES128GCM_SHA256_P256',
      extensions: [],
    } as const;
    const forged = await commitWithoutPath(alice, [{ proposalType: 'reinit', reinit: { ...reinit, extensions: [] } }]);
    expect(await bob.gets(forged)).toEqual(refusal('malformed'));
  });

  test('a commit that adds an unverifiable member is refused', async () => {
    const organisation = new Organisation();
    const { alice, mallory } = await people(organisation, 'alice', 'mallory');
    const strict = new Person('bob', await newKeys(), organisation, async (chain, now) => {
      const verified = await organisation.verify(chain, now);
      return verified?.uri === mallory.uri ? undefined : verified;
    });
    await alice.starts();
    await alice.commits({ add: [strict] });
    const { received } = await alice.commits({ add: [mallory] }, [strict]);
    expect(received.get('bob')).toEqual(refusal('credential'));
  });

  test('a commit with a basic credential or a certificate of another key is refused', async () => {
    const { organisation, alice, bob } = await trio();
    const keys = await newKeys();
    const other = organisation.issue('sealpost://acme.example/member/other', (await newKeys()).spki);
    const basic = await keyPackageWith({ credentialType: 'basic', identity: utf8('alice') }, keys);
    const stolen = await keyPackageWith({ credentialType: 'x509', certificates: [other] }, keys);
    for (const { keyPackage } of [basic, stolen]) {
      const forged = await commitWithoutPath(alice, [{ proposalType: 'add', add: { keyPackage } }]);
      expect(await bob.gets(forged)).toEqual(refusal('credential'));
    }
  });

  test('removing oneself or nobody, or adding somebody twice, is not committed', async () => {
    const { alice, bob } = await trio();
    const add = [(await bob.keyPackage()).keyPackage];
    for (const change of [
      { add: [], remove: [0] },
      { add: [], remove: [9] },
      { add, remove: [] },
    ]) {
      const committing = alice.engine.commit(alice.state, alice.identity, change, NOW);
      await expect(committing).rejects.toMatchObject({ code: 'ERR_MLS_CHANGE' });
    }
  });
});

describe('key packages and welcomes', () => {
  test('a key package names its verified owner, and none when anything in it is altered', async () => {
    const { alice, dave } = await trio();
    const { keyPackage } = await dave.keyPackage();
    expect((await alice.engine.readKeyPackage(keyPackage, NOW))?.uri).toBe(dave.uri);
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: keyPackage.length - 1 }), async (at) => {
        expect(await alice.engine.readKeyPackage(keyPackage.with(at, (keyPackage[at] ?? 0) ^ 1), NOW)).toBeUndefined();
      }),
    );
  });

  test('a key package is used within its lifetime only', async () => {
    const { alice, dave } = await trio();
    const { keyPackage } = await dave.keyPackage();
    expect(await alice.engine.readKeyPackage(keyPackage, NOW - 2 * HOUR)).toBeUndefined();
    expect(await alice.engine.readKeyPackage(keyPackage, NOW + 25 * HOUR)).toBeUndefined();
    const change = { add: [keyPackage], remove: [] };
    const committing = alice.engine.commit(alice.state, alice.identity, change, NOW + 25 * HOUR);
    await expect(committing).rejects.toMatchObject({ code: 'ERR_MLS_KEY_PACKAGE' });
  });

  test('a receiver judges lifetimes by its own clock', async () => {
    const { alice, bob, dave } = await trio();
    const { commit } = await alice.commits({ add: [dave] });
    const result = await bob.engine.receive(bob.state, commit, NOW + 25 * HOUR);
    expect(result).toEqual(refusal('credential'));
  });

  test('a key package living longer than 90 days is not made', async () => {
    const { dave } = await trio();
    const lifetime = { notBefore: NOW, notAfter: NOW + 91 * 24 * HOUR };
    await expect(dave.engine.createKeyPackage(dave.identity, lifetime, false)).rejects.toMatchObject({
      code: 'ERR_MLS_LIFETIME',
    });
  });

  test('a basic credential is refused', async () => {
    const { alice } = await trio();
    const { message } = await keyPackageWith({ credentialType: 'basic', identity: utf8('alice') }, await newKeys());
    expect(await alice.engine.readKeyPackage(message, NOW)).toBeUndefined();
  });

  test('a certificate of another key is refused', async () => {
    const { organisation, alice } = await trio();
    const certificate = organisation.issue('sealpost://acme.example/member/victim', (await newKeys()).spki);
    const credential = { credentialType: 'x509' as const, certificates: [certificate] };
    const { message } = await keyPackageWith(credential, await newKeys());
    expect(await alice.engine.readKeyPackage(message, NOW)).toBeUndefined();
  });

  test('a certificate used by somebody who has not its key is refused', async () => {
    const { organisation, alice } = await trio();
    const victim = await newKeys();
    const certificate = organisation.issue('sealpost://acme.example/member/victim', victim.spki);
    const credential = { credentialType: 'x509' as const, certificates: [certificate] };
    const { message } = await keyPackageWith(credential, victim, await newKeys());
    expect(await alice.engine.readKeyPackage(message, NOW)).toBeUndefined();
  });

  test('somebody who does not verify is not added', async () => {
    const { organisation, alice, dave } = await trio();
    const { keyPackage } = await dave.keyPackage();
    organisation.revoke(dave.identity);
    const committing = alice.engine.commit(alice.state, alice.identity, { add: [keyPackage], remove: [] }, NOW);
    await expect(committing).rejects.toMatchObject({ code: 'ERR_MLS_KEY_PACKAGE' });
  });

  test('a newcomer does not join a group with a member it cannot verify', async () => {
    const { organisation, alice, carol, dave } = await trio();
    const bundle = await dave.keyPackage();
    const change = { add: [bundle.keyPackage], remove: [] };
    const { welcome = NO_DATA, ratchetTree } = await alice.engine.commit(alice.state, alice.identity, change, NOW);
    organisation.revoke(carol.identity);
    const joining = dave.engine.join(welcome, ratchetTree, [bundle], dave.identity, NOW);
    await expect(joining).rejects.toMatchObject({ code: 'ERR_MLS_CREDENTIAL' });
  });

  test('a newcomer joins only with the tree the welcome was made for, and with its own key', async () => {
    const { alice, bob, dave } = await trio();
    const bundle = await dave.keyPackage();
    const change = { add: [bundle.keyPackage], remove: [] };
    const made = await alice.engine.commit(alice.state, alice.identity, change, NOW);
    const other = await alice.engine.commit(alice.state, alice.identity, change, NOW);
    const welcome = made.welcome ?? NO_DATA;
    const joining = dave.engine.join(welcome, other.ratchetTree, [bundle], dave.identity, NOW);
    await expect(joining).rejects.toMatchObject({ code: 'ERR_MLS_WELCOME' });
    const stealing = bob.engine.join(welcome, made.ratchetTree, [bundle], bob.identity, NOW);
    await expect(stealing).rejects.toMatchObject({ code: 'ERR_MLS_IDENTITY' });
    const joined = await dave.engine.join(
      welcome,
      made.ratchetTree,
      [await dave.keyPackage(), bundle],
      dave.identity,
      NOW,
    );
    expect(joined?.used).toEqual(bundle.reference);
  });

  test('a welcome for others opens with no key package of ours', async () => {
    const { alice, bob, dave } = await trio();
    const { welcome = NO_DATA, ratchetTree } = await alice.commits({ add: [dave] });
    const joined = await bob.engine.join(welcome, ratchetTree, [await bob.keyPackage()], bob.identity, NOW);
    expect(joined).toBeUndefined();
  });
});

function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  for (let at = 0; at + part.length <= bytes.length; at++) {
    if (part.every((byte, offset) => bytes[at + offset] === byte)) return at;
  }
  throw new Error('not found');
}
