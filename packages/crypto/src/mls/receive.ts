/**
 * Taking what a peer sent. Whatever a peer can cause is an answer, never a throw; only `VerifyCredential` failing to
 * tell throws. The given state is never changed: a refused message leaves no trace.
 */
import { equalBytes, type Timestamp, utf8 } from '@sealpost/protocol';
import type { ClientState, KeyPackage } from 'ts-mls';
import { applyProposals } from 'ts-mls/clientState.js';
import type { Commit } from 'ts-mls/commit.js';
import type { MLSMessage } from 'ts-mls/message.js';
import { CryptoVerificationError } from 'ts-mls/mlsError.js';
import { processPrivateMessage, processPublicMessage } from 'ts-mls/processMessages.js';
import { emptyPskIndex } from 'ts-mls/pskIndex.js';
import { toLeafIndex } from 'ts-mls/treemath.js';
import { decodeMessage } from './codec.ts';
import { type CredentialCheck, chainOf, checkCredentials, sameChain, withinLifetime } from './credential.ts';
import type { GroupState, Leaf, ReceiveResult, VerifyCredential } from './engine.ts';
import { forget } from './forget.ts';
import { keysOf, type Opened, openPrivate, openPublic, type Refused, refused } from './open-message.ts';
import { leafAt, leavesOf, type MemberState, namedLeaf, seal, unseal, withoutBlankKeys } from './state.ts';
import type { MlsCrypto } from './suite.ts';
import { hasUniqueKeys } from './tree-check.ts';

type Handshake = Extract<MLSMessage, { wireformat: 'mls_private_message' | 'mls_public_message' }>;

/** One message being received. */
interface Receiving {
  readonly crypto: MlsCrypto;
  readonly check: CredentialCheck;
  readonly member: MemberState;
  /** The member's state with this operation's credential check. */
  readonly client: ClientState;
  readonly now: Timestamp;
}

export async function receive(
  crypto: MlsCrypto,
  verify: VerifyCredential,
  state: GroupState,
  bytes: Uint8Array,
  now: Timestamp,
): Promise<ReceiveResult> {
  const member = unseal(state);
  const check = checkCredentials(verify, now);
  const receiving = { crypto, check, member, client: { ...member.client, clientConfig: check.config }, now };
  const message = decodeMessage(bytes);
  if (message?.wireformat === 'mls_private_message') return receivePrivate(receiving, state, message);
  if (message?.wireformat === 'mls_public_message') return receivePublic(receiving, state, message);
  return refused('malformed');
}

async function receivePrivate(
  receiving: Receiving,
  state: GroupState,
  message: Extract<Handshake, { wireformat: 'mls_private_message' }>,
): Promise<ReceiveResult> {
  const { crypto, client } = receiving;
  const { privateMessage } = message;
  if (!equalBytes(privateMessage.groupId, utf8(state.conversation))) return refused('not-authentic');
  const isCurrent = privateMessage.epoch === state.epoch;
  const keys = keysOf(client, privateMessage.epoch);
  if (keys === undefined || (!isCurrent && privateMessage.contentType !== 'application')) return refused('epoch');
  // Proposals are committed by value here, so a lone one has nothing to wait for.
  if (privateMessage.contentType === 'proposal') return refused('malformed');
  const opened = await openPrivate(crypto, client, keys, privateMessage);
  if (opened.kind === 'refused') return opened;
  if (opened.content.contentType === 'commit') return receiveCommit(receiving, message, opened, opened.content.commit);
  return opened.content.contentType === 'application'
    ? receiveApplication(receiving, opened, opened.content.applicationData)
    : refused('malformed');
}

async function receivePublic(
  receiving: Receiving,
  state: GroupState,
  message: Extract<Handshake, { wireformat: 'mls_public_message' }>,
): Promise<ReceiveResult> {
  const { content } = message.publicMessage;
  if (!equalBytes(content.groupId, utf8(state.conversation))) return refused('not-authentic');
  if (content.epoch !== state.epoch) return refused('epoch');
  if (content.contentType !== 'commit') return refused('malformed');
  const opened = await openPublic(receiving.crypto, receiving.client, message.publicMessage);
  return opened.kind === 'refused' ? opened : receiveCommit(receiving, message, opened, content.commit);
}

/** Application data (RFC 9420 section 15). The sender's certificate must still verify now. */
async function receiveApplication(receiving: Receiving, opened: Opened, plaintext: Uint8Array): Promise<ReceiveResult> {
  const { client, member } = receiving;
  const { epoch, authenticatedData } = opened.content;
  const keys = keysOf(client, epoch);
  const sender = await verifiedLeaf(receiving, keys?.ratchetTree ?? [], opened.sender);
  if (sender === undefined) return refused('credential');
  const next = seal({ client: withSecretTree(member.client, epoch, opened.secretTree), names: member.names });
  forget(opened.consumed, client, keys?.secretTree[2 * opened.sender]);
  return { kind: 'application', next, sender, epoch, authenticatedData, plaintext };
}

function withSecretTree(client: ClientState, epoch: bigint, secretTree: ClientState['secretTree']): ClientState {
  const past = client.historicalReceiverData.get(epoch);
  if (past === undefined) return { ...client, secretTree };
  return {
    ...client,
    historicalReceiverData: new Map(client.historicalReceiverData).set(epoch, { ...past, secretTree }),
  };
}

/** RFC 9420 section 12.4.2. Only adds and removes, by value; the library decides whether they are sound. */
async function receiveCommit(
  receiving: Receiving,
  message: Handshake,
  opened: Opened,
  commit: Commit,
): Promise<ReceiveResult> {
  const { client, member } = receiving;
  const change = readChange(commit);
  if (change === undefined) return refused('malformed');
  if (commit.path === undefined && (change.removed.length > 0 || change.added.length === 0)) return refused('no-path');
  const sender = await verifiedLeaf(receiving, client.ratchetTree, opened.sender);
  if (sender === undefined) return refused('credential');
  if (!change.added.every((keyPackage) => isPresentable(keyPackage, receiving.now))) return refused('credential');
  if (change.removed.includes(client.privatePath.leafIndex)) return receiveOwnRemoval(receiving, sender, commit);

  const processed = await process(receiving, message);
  if (processed.kind === 'refused') return processed;
  const next = withoutBlankKeys(processed.client);
  const soundTree = hasUniqueKeys(next.ratchetTree) && next.groupActiveState.kind === 'active';
  if (!soundTree) return refused('malformed');
  if (!(await isSuccessor(receiving, next, opened.sender))) return refused('credential');
  const added = await addedLeaves(receiving, next, change.removed);
  if (added === undefined) return refused('credential');
  const removed = change.removed.map((leaf) => namedLeaf(member, leaf));
  const names = new Map([...member.names].filter(([leaf]) => !change.removed.includes(leaf)));
  for (const leaf of added) names.set(leaf.index, leaf.credential.uri);
  forget([...opened.consumed, ...processed.consumed], client, client.secretTree[2 * opened.sender]);
  return { kind: 'commit', next: seal({ client: next, names }), sender, added, removed };
}

/** X.509 and in its lifetime: what the library does not ask, or asks too late to tell why. */
function isPresentable({ leafNode }: KeyPackage, now: Timestamp): boolean {
  return chainOf(leafNode.credential).length > 0 && withinLifetime(leafNode, now);
}

interface ReadChange {
  readonly added: readonly KeyPackage[];
  readonly removed: readonly number[];
}

/** `undefined` for proposals by reference and for kinds this engine neither makes nor takes. */
function readChange(commit: Commit): ReadChange | undefined {
  const added: KeyPackage[] = [];
  const removed: number[] = [];
  for (const item of commit.proposals) {
    if (item.proposalOrRefType !== 'proposal') return undefined;
    if (item.proposal.proposalType === 'add') added.push(item.proposal.add.keyPackage);
    else if (item.proposal.proposalType === 'remove') removed.push(item.proposal.remove.removed);
    else return undefined;
  }
  return { added, removed };
}

/**
 * Our own removal ends here: the new epoch's secrets are not for us (RFC 9420 section 12.4.2). Decided from the proposal
 * and not from the tree, where somebody added in the same commit may sit at our leaf.
 */
async function receiveOwnRemoval(receiving: Receiving, sender: Leaf, commit: Commit): Promise<ReceiveResult> {
  const { client, crypto } = receiving;
  try {
    await applyProposals(client, commit.proposals, toLeafIndex(sender.index), emptyPskIndex, false, crypto);
    return { kind: 'removed', sender };
  } catch (error) {
    return whyRefused(receiving, error);
  }
}

interface Processed {
  readonly kind: 'processed';
  readonly client: ClientState;
  readonly consumed: readonly Uint8Array[];
}

async function process(receiving: Receiving, message: Handshake): Promise<Processed | Refused> {
  const { client, crypto } = receiving;
  try {
    const result =
      message.wireformat === 'mls_private_message'
        ? await processPrivateMessage(client, message.privateMessage, emptyPskIndex, crypto)
        : await processPublicMessage(client, message.publicMessage, emptyPskIndex, crypto);
    return { kind: 'processed', client: result.newState, consumed: result.consumed };
  } catch (error) {
    return whyRefused(receiving, error);
  }
}

function whyRefused({ check }: Receiving, error: unknown): Refused {
  check.rethrow();
  if (check.refused()) return refused('credential');
  return refused(error instanceof CryptoVerificationError ? 'not-authentic' : 'malformed');
}

async function verifiedLeaf(
  { check }: Receiving,
  tree: ClientState['ratchetTree'],
  index: number,
): Promise<Leaf | undefined> {
  const leaf = leafAt(tree, index);
  if (leaf === undefined) return undefined;
  const credential = await check.verified(leaf.credential, leaf.signaturePublicKey);
  return credential === undefined ? undefined : { index, credential };
}

/** A leaf that brings a new certificate must name whom the old one named (RFC 9420 section 5.3.1). */
async function isSuccessor(receiving: Receiving, next: ClientState, index: number): Promise<boolean> {
  const before = leafAt(receiving.client.ratchetTree, index);
  const after = leafAt(next.ratchetTree, index);
  if (before === undefined || after === undefined) return false;
  if (sameChain(chainOf(before.credential), chainOf(after.credential))) return true;
  const leaf = await verifiedLeaf(receiving, next.ratchetTree, index);
  return leaf !== undefined && leaf.credential.uri === receiving.member.names.get(index);
}

/** Leaves of the new tree that the old one did not have, or had for somebody this commit removed. */
async function addedLeaves(
  receiving: Receiving,
  next: ClientState,
  removed: readonly number[],
): Promise<readonly Leaf[] | undefined> {
  const added: Leaf[] = [];
  for (const [index] of leavesOf(next.ratchetTree)) {
    const isNew = leafAt(receiving.client.ratchetTree, index) === undefined || removed.includes(index);
    if (!isNew) continue;
    const leaf = await verifiedLeaf(receiving, next.ratchetTree, index);
    if (leaf === undefined) return undefined;
    added.push(leaf);
  }
  return added;
}
