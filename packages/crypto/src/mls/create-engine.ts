/**
 * The engine: the port's methods over ts-mls, one file per verb. It holds no state and no secret of its own; it draws
 * randomness and asks `verify`, and everything else comes in as a parameter.
 */

import { type Timestamp, utf8 } from '@sealpost/protocol';
import { createGroup } from 'ts-mls/clientState.js';
import { createApplicationMessage } from 'ts-mls/createMessage.js';
import { encodeMlsMessage } from 'ts-mls/message.js';
import { createProvider } from '#mls-provider';
import { commit } from './commit.ts';
import { signingAs } from './create-suite.ts';
import { chainOf, checkCredentials, RESTING_CONFIG } from './credential.ts';
import {
  DEFAULT_SUITE,
  type GroupState,
  type Leaf,
  type MlsEngine,
  type MlsIdentity,
  type VerifyCredential,
} from './engine.ts';
import { forget } from './forget.ts';
import { join } from './join.ts';
import { makeKeyPackage, readKeyPackage, toBundle } from './key-package.ts';
import { mlsError } from './mls-errors.ts';
import { actingAs } from './own-leaf.ts';
import { receive } from './receive.ts';
import { leavesOf, namedLeaf, seal, unseal } from './state.ts';
import { decodeState, encodeRatchet, encodeState } from './state-encoding.ts';
import type { MlsCrypto, MlsSuite, RandomBytes } from './suite.ts';

/** What one application message may hold; more goes as an attachment. */
const MAX_CONTENT_BYTES = 1024 * 1024;
const DAY_MS = 86_400_000;

export interface MlsEngineOptions {
  readonly verify: VerifyCredential;
  /** The platform's generator when absent. */
  readonly random?: RandomBytes;
  /** DEFAULT_SUITE when absent. Members of a group share one suite. */
  readonly suite?: MlsSuite;
}

export function createMlsEngine(options: MlsEngineOptions): MlsEngine {
  const { verify, random, suite = DEFAULT_SUITE } = options;
  const crypto = createProvider(suite, random);
  return {
    createKeyPackage: async (identity, lifetime, lastResort) =>
      toBundle(crypto, await makeKeyPackage(crypto, identity, lifetime, lastResort)),
    readKeyPackage: async (keyPackage, now) =>
      (await readKeyPackage(crypto, checkCredentials(verify, now), keyPackage, now))?.credential,
    createGroup: (conversation, identity, now) => startGroup(crypto, verify, conversation, identity, now),
    commit: (state, identity, change, now) => commit(crypto, verify, state, identity, change, now),
    join: (welcome, tree, own, identity, now) => join(crypto, verify, welcome, tree, own, identity, now),
    encrypt: (state, identity, plaintext, authenticatedData) =>
      encrypt(crypto, state, identity, plaintext, authenticatedData),
    receive: (state, message, now) => receive(crypto, verify, state, message, now),
    members: (state, now) => members(verify, state, now),
    encodeState: (state) => encodeState(suite, state),
    encodeRatchet,
    decodeState: (snapshot, ratchet) => decodeState(suite, snapshot, ratchet),
  };
}

/** RFC 9420 section 11: one member, epoch 0, and the conversation's id as group id. */
async function startGroup(
  crypto: MlsCrypto,
  verify: VerifyCredential,
  conversation: GroupState['conversation'],
  identity: MlsIdentity,
  now: Timestamp,
): Promise<GroupState> {
  const lifetime = { notBefore: now, notAfter: now + 90 * DAY_MS };
  const { keyPackage, secrets } = await makeKeyPackage(crypto, identity, lifetime, false);
  const { credential, signaturePublicKey } = keyPackage.leafNode;
  const verified = await checkCredentials(verify, now).verified(credential, signaturePublicKey);
  if (verified === undefined) throw mlsError('ERR_MLS_CREDENTIAL');
  const client = await createGroup(utf8(conversation), keyPackage, secrets, [], crypto, RESTING_CONFIG);
  return seal({ client, names: new Map([[0, verified.uri]]) });
}

async function encrypt(
  provider: MlsCrypto,
  state: GroupState,
  identity: MlsIdentity,
  plaintext: Uint8Array,
  authenticatedData: Uint8Array,
) {
  if (plaintext.length + authenticatedData.length > MAX_CONTENT_BYTES) throw mlsError('ERR_MLS_TOO_LARGE');
  const { client, names } = unseal(state);
  const acting = actingAs(client, identity);
  const crypto = signingAs(provider, identity.signer);
  const { newState, privateMessage, consumed } = await createApplicationMessage(
    acting,
    plaintext,
    crypto,
    authenticatedData,
  );
  forget(consumed, client, client.secretTree[2 * client.privatePath.leafIndex]);
  return {
    next: seal({ client: newState, names }),
    ciphertext: encodeMlsMessage({ version: 'mls10', wireformat: 'mls_private_message', privateMessage }),
  };
}

/** Everybody in the tree: a member whose certificate lapsed can still read until a commit removes it. */
async function members(verify: VerifyCredential, state: GroupState, now: Timestamp): Promise<readonly Leaf[]> {
  const member = unseal(state);
  const check = checkCredentials(verify, now);
  return Promise.all(
    [...leavesOf(member.client.ratchetTree)].map(async ([index, leaf]): Promise<Leaf> => {
      const credential = await check.verified(leaf.credential, leaf.signaturePublicKey);
      if (credential !== undefined) return { index, credential };
      const { uri } = namedLeaf(member, index).credential;
      return { index, credential: { uri, chain: chainOf(leaf.credential) }, lapsed: true };
    }),
  );
}
