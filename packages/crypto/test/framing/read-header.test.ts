/** What the gateway may know of a message, and that it knows no more. */
import { conversationIdSchema, utf8 } from '@sealpost/protocol';
import fc from 'fast-check';
import { encodeMlsMessage } from 'ts-mls/message.js';
import { describe, expect, test } from 'vitest';
import { MAX_FRAMED_BYTES, readHeader } from '../../src/framing/index.ts';
import { decodeMessage } from '../../src/mls/codec.ts';
import { loneProposal } from '../mls/forge.ts';
import { CONVERSATION, HOUR, NO_DATA, NOW, trio } from '../mls/people.ts';

describe('a header', () => {
  test('of an application message tells conversation, epoch and authenticated data', async () => {
    const { alice } = await trio();
    expect(readHeader(await alice.sends('secret', utf8('commitment')))).toEqual({
      kind: 'private-message',
      conversation: CONVERSATION,
      epoch: 1n,
      contentType: 'application',
      authenticatedData: utf8('commitment'),
    });
  });

  test('of a commit says that it is one', async () => {
    const { alice } = await trio();
    const { commit } = await alice.commits({});
    expect(readHeader(commit)).toMatchObject({ kind: 'private-message', epoch: 1n, contentType: 'commit' });
  });

  test('of a public proposal tells conversation and epoch', async () => {
    const { alice } = await trio();
    expect(readHeader(await loneProposal(alice, true))).toEqual({
      kind: 'public-message',
      conversation: CONVERSATION,
      epoch: 1n,
      contentType: 'proposal',
    });
  });

  test('of a welcome tells for which key packages it is', async () => {
    const { alice, dave } = await trio();
    const bundle = await dave.keyPackage();
    const change = { add: [bundle.keyPackage], remove: [] };
    const { welcome = NO_DATA } = await alice.engine.commit(alice.state, alice.identity, change, NOW);
    expect(readHeader(welcome)).toEqual({ kind: 'welcome', suite: 2, keyPackageReferences: [bundle.reference] });
  });

  test('of a key package tells its reference, owner, lifetime and whether it is the last resort', async () => {
    const { dave } = await trio();
    const [ordinary, last] = [await dave.keyPackage(), await dave.keyPackage(true)];
    expect(readHeader(ordinary.keyPackage)).toEqual({
      kind: 'key-package',
      suite: 2,
      reference: ordinary.reference,
      chain: dave.identity.chain,
      notBefore: NOW - HOUR,
      notAfter: NOW + 24 * HOUR,
      lastResort: false,
    });
    expect(readHeader(last.keyPackage)).toMatchObject({ reference: last.reference, lastResort: true });
  });
});

describe('no header', () => {
  test('is read from a message of a group that is no conversation', async () => {
    const { alice } = await trio();
    const message = decodeMessage(await alice.sends('x'));
    if (message?.wireformat !== 'mls_private_message') throw new Error('unexpected');
    for (const groupId of [utf8('con_short'), utf8(`dev_${'a'.repeat(22)}`), new Uint8Array(200), NO_DATA]) {
      const other = { ...message, privateMessage: { ...message.privateMessage, groupId } };
      expect(readHeader(encodeMlsMessage(other))).toBeUndefined();
    }
    const groupId = utf8(conversationIdSchema.parse(`con_${'b'.repeat(22)}`));
    const other = { ...message, privateMessage: { ...message.privateMessage, groupId } };
    expect(readHeader(encodeMlsMessage(other))?.kind).toBe('private-message');
  });

  test('is read from a message cut off or extended anywhere', async () => {
    const { alice, dave } = await trio();
    const bundle = await dave.keyPackage();
    const { welcome = NO_DATA } = await alice.engine.commit(
      alice.state,
      alice.identity,
      { add: [bundle.keyPackage], remove: [] },
      NOW,
    );
    for (const message of [await alice.sends('x'), bundle.keyPackage, welcome]) {
      expect(readHeader(new Uint8Array([...message, 0]))).toBeUndefined();
      for (let length = 0; length < message.length; length++) {
        expect(readHeader(message.subarray(0, length))).toBeUndefined();
      }
    }
  });

  test('is read from a length written longer than needed', async () => {
    const { alice } = await trio();
    const message = await alice.sends('x');
    const groupIdLength = message[4] ?? 0;
    const longer = new Uint8Array([...message.subarray(0, 4), 0x40, groupIdLength, ...message.subarray(5)]);
    expect(readHeader(longer)).toBeUndefined();
  });

  test('is read from anything larger than a message may be', () => {
    expect(readHeader(new Uint8Array(MAX_FRAMED_BYTES + 1))).toBeUndefined();
  });

  test('makes the reader throw, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.integer({ min: 1, max: 5 }), (bytes, kind) => {
        readHeader(bytes);
        readHeader(new Uint8Array([0, 1, 0, kind, ...bytes]));
      }),
      { numRuns: 1000 },
    );
  });
});
