/**
 * What a joiner checks in a ratchet tree before it believes it (RFC 9420 sections 7.9 and 12.4.3.1), and what must hold
 * in every tree. Done here rather than by ts-mls 1.6.4, whose check of unmerged leaves refuses valid trees (it wants one
 * list on a whole direct path) and whose lifetimes follow the wall clock.
 */
import { equalBytes, type Timestamp, toBase64url } from '@sealpost/protocol';
import { extensionsSupportedByCapabilities } from 'ts-mls/extension.js';
import type { GroupContext } from 'ts-mls/groupContext.js';
import { type LeafNode, verifyLeafNodeSignature } from 'ts-mls/leafNode.js';
import { verifyParentHashes } from 'ts-mls/parentHash.js';
import type { RatchetTree } from 'ts-mls/ratchetTree.js';
import { treeHashRoot } from 'ts-mls/treeHash.js';
import { directPath, leafToNodeIndex, leafWidth, toLeafIndex } from 'ts-mls/treemath.js';
import { type CredentialCheck, withinLifetime } from './credential.ts';
import { speaks } from './key-package.ts';
import { mlsError } from './mls-errors.ts';
import { leafAt, leavesOf } from './state.ts';
import type { MlsCrypto } from './suite.ts';

/** The name of each leaf; throws ERR_MLS_WELCOME for an unsound tree, ERR_MLS_CREDENTIAL for a leaf nobody vouches for. */
export async function verifyTree(
  crypto: MlsCrypto,
  check: CredentialCheck,
  tree: RatchetTree,
  context: GroupContext,
  now: Timestamp,
): Promise<ReadonlyMap<number, string>> {
  if (!isWellShaped(tree) || !hasUniqueKeys(tree) || !unmergedLeavesAreSound(tree)) throw mlsError('ERR_MLS_WELCOME');
  if (!equalBytes(context.treeHash, await treeHashRoot(tree, crypto.hash))) throw mlsError('ERR_MLS_WELCOME');
  if (!(await verifyParentHashes(tree, crypto.hash))) throw mlsError('ERR_MLS_WELCOME');
  const names = new Map<number, string>();
  await Promise.all(
    [...leavesOf(tree)].map(async ([index, leaf]) => {
      names.set(index, await verifyLeaf(crypto, check, leaf, index, context, now));
    }),
  );
  return names;
}

async function verifyLeaf(
  crypto: MlsCrypto,
  check: CredentialCheck,
  leaf: LeafNode,
  index: number,
  context: GroupContext,
  now: Timestamp,
): Promise<string> {
  const fits =
    speaks(crypto, leaf) &&
    withinLifetime(leaf, now) &&
    extensionsSupportedByCapabilities(leaf.extensions, leaf.capabilities) &&
    extensionsSupportedByCapabilities(context.extensions, leaf.capabilities);
  if (!fits) throw mlsError('ERR_MLS_WELCOME');
  if (!(await verifyLeafNodeSignature(leaf, context.groupId, index, crypto.signature)))
    throw mlsError('ERR_MLS_WELCOME');
  const credential = await check.verified(leaf.credential, leaf.signaturePublicKey);
  if (credential === undefined) throw mlsError('ERR_MLS_CREDENTIAL');
  return credential.uri;
}

/** Leaves at even places, parents at odd ones, and as many places as a full tree has (RFC 9420 appendix C). */
function isWellShaped(tree: RatchetTree): boolean {
  const places = tree.length + 1;
  if (places < 2 || (places & (places - 1)) !== 0) return false;
  return tree.every((node, at) => node === undefined || (node.nodeType === 'leaf') === (at % 2 === 0));
}

/** RFC 9420 section 7.3: encryption keys are unique among all nodes, signature keys among leaves. */
export function hasUniqueKeys(tree: RatchetTree): boolean {
  const encryption = new Set<string>();
  const signature = new Set<string>();
  let [nodes, leaves] = [0, 0];
  for (const node of tree) {
    if (node === undefined) continue;
    nodes++;
    encryption.add(toBase64url(node.nodeType === 'leaf' ? node.leaf.hpkePublicKey : node.parent.hpkePublicKey));
    if (node.nodeType !== 'leaf') continue;
    leaves++;
    signature.add(toBase64url(node.leaf.signaturePublicKey));
  }
  return encryption.size === nodes && signature.size === leaves;
}

/**
 * RFC 9420 section 7.9: an unmerged leaf is a present leaf below the node, listed once and in order, and every node
 * between the two lists it as well.
 */
function unmergedLeavesAreSound(tree: RatchetTree): boolean {
  const width = leafWidth(tree.length);
  return tree.every((node, at) => {
    if (node?.nodeType !== 'parent') return true;
    const { unmergedLeaves } = node.parent;
    return unmergedLeaves.every((index, position) => {
      if (position > 0 && index <= (unmergedLeaves[position - 1] ?? 0)) return false;
      if (index >= width || leafAt(tree, index) === undefined) return false;
      const path: number[] = directPath(leafToNodeIndex(toLeafIndex(index)), width);
      const place = path.indexOf(at);
      return place >= 0 && path.slice(0, place).every((between) => lists(tree, between, index));
    });
  });
}

function lists(tree: RatchetTree, at: number, leaf: number): boolean {
  const node = tree[at];
  return node === undefined || (node.nodeType === 'parent' && node.parent.unmergedLeaves.includes(leaf));
}
