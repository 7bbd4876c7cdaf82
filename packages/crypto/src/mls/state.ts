/**
 * One member's group state behind the opaque `GroupState`. Beside what ts-mls keeps it holds the name each leaf was
 * verified under when it entered: a certificate that has since been revoked still says who was removed, and a renewed
 * one must say the same.
 */
import { type ConversationId, conversationIdSchema } from '@sealpost/protocol';
import type { ClientState } from 'ts-mls';
import type { LeafNode } from 'ts-mls/leafNode.js';
import type { RatchetTree } from 'ts-mls/ratchetTree.js';
import { chainOf, RESTING_CONFIG } from './credential.ts';
import type { GroupState, Leaf } from './engine.ts';
import { mlsError } from './mls-errors.ts';

export interface MemberState {
  readonly client: ClientState;
  /** URI of each leaf, by leaf index. */
  readonly names: ReadonlyMap<number, string>;
}

const held = new WeakMap<GroupState, MemberState>();

/** The opaque form; forgets the operation's credential check and signer. */
export function seal(member: MemberState): GroupState {
  const { client, names } = member;
  const conversation = conversationOf(client.groupContext.groupId);
  if (conversation === undefined) throw mlsError('ERR_MLS_STATE');
  const state = Object.freeze({
    conversation,
    epoch: client.groupContext.epoch,
    ownLeaf: client.privatePath.leafIndex,
  });
  held.set(state, { client: { ...client, clientConfig: RESTING_CONFIG }, names });
  return state;
}

export function unseal(state: GroupState): MemberState {
  const member = held.get(state);
  if (member === undefined) throw mlsError('ERR_MLS_STATE');
  return member;
}

/** The group id is the UTF-8 of a ConversationId; `undefined` for any other. */
export function conversationOf(groupId: Uint8Array): ConversationId | undefined {
  return conversationIdSchema.safeParse(String.fromCharCode(...groupId.subarray(0, 64))).data;
}

export function leafAt(tree: RatchetTree, index: number): LeafNode | undefined {
  const node = tree[2 * index];
  return node?.nodeType === 'leaf' ? node.leaf : undefined;
}

export function* leavesOf(tree: RatchetTree): Generator<readonly [number, LeafNode]> {
  for (let index = 0; 2 * index < tree.length; index++) {
    const leaf = leafAt(tree, index);
    if (leaf !== undefined) yield [index, leaf];
  }
}

/** A leaf under the name it entered with. */
export function namedLeaf(member: MemberState, index: number): Leaf {
  const leaf = leafAt(member.client.ratchetTree, index);
  const uri = member.names.get(index);
  if (leaf === undefined || uri === undefined) throw mlsError('ERR_MLS_STATE');
  return { index, credential: { uri, chain: chainOf(leaf.credential) } };
}

/** Drops private keys of nodes that are blank now, which nobody encrypts to again (RFC 9420 section 9.2). */
export function withoutBlankKeys(client: ClientState): ClientState {
  const { privatePath, ratchetTree } = client;
  const kept = Object.entries(privatePath.privateKeys).filter(([node]) => ratchetTree[Number(node)] !== undefined);
  return { ...client, privatePath: { ...privatePath, privateKeys: Object.fromEntries(kept) } };
}
