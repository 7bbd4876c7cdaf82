/**
 * From a framed message to content whose sender is certain (RFC 9420 sections 6.1 to 6.3). ts-mls does this inside and
 * returns no sender, so it is composed here from its parts: the sender is the leaf in the decrypted sender data, and
 * only after that leaf's signature over the content has been verified.
 */
import type { ClientState } from 'ts-mls';
import type { AuthenticatedContent } from 'ts-mls/authenticatedContent.js';
import { encode } from 'ts-mls/codec/tlsEncoder.js';
import type { EpochReceiverData } from 'ts-mls/epochReceiverData.js';
import { verifyFramedContentSignature } from 'ts-mls/framedContent.js';
import { unprotectPublicMessage } from 'ts-mls/messageProtectionPublic.js';
import {
  decodePrivateMessageContent,
  decryptSenderData,
  type PrivateMessage,
  privateContentAADEncoder,
  toAuthenticatedContent,
} from 'ts-mls/privateMessage.js';
import type { PublicMessage } from 'ts-mls/publicMessage.js';
import { ratchetToGeneration, type SecretTree } from 'ts-mls/secretTree.js';
import type { SenderData } from 'ts-mls/sender.js';
import type { ReceiveResult } from './engine.ts';
import { leafAt } from './state.ts';
import type { MlsCrypto } from './suite.ts';

export type Refused = Extract<ReceiveResult, { kind: 'refused' }>;

export interface Opened {
  readonly kind: 'opened';
  readonly content: AuthenticatedContent['content'];
  readonly sender: number;
  /** The epoch's secret tree after this message's key has been used up. */
  readonly secretTree: SecretTree;
  readonly consumed: readonly Uint8Array[];
}

export type EpochKeys = Pick<EpochReceiverData, 'senderDataSecret' | 'secretTree' | 'ratchetTree' | 'groupContext'>;

export function refused(reason: Refused['reason']): Refused {
  return { kind: 'refused', reason };
}

/** The keys of `epoch`, as far as they are kept. */
export function keysOf(client: ClientState, epoch: bigint): EpochKeys | undefined {
  if (epoch !== client.groupContext.epoch) return client.historicalReceiverData.get(epoch);
  const { secretTree, ratchetTree, groupContext, keySchedule } = client;
  return { secretTree, ratchetTree, groupContext, senderDataSecret: keySchedule.senderDataSecret };
}

/** RFC 9420 section 6.3: sender data, then content, then the sender's signature. */
export async function openPrivate(
  crypto: MlsCrypto,
  client: ClientState,
  keys: EpochKeys,
  message: PrivateMessage,
): Promise<Opened | Refused> {
  const senderData = await attempt(() => decryptSenderData(message, keys.senderDataSecret, crypto));
  const leaf = senderData === undefined ? undefined : leafAt(keys.ratchetTree, senderData.leafIndex);
  if (senderData === undefined || leaf === undefined) return refused('not-authentic');
  // What this member sent comes back to it only as a replay.
  const own = senderData.leafIndex === client.privatePath.leafIndex;
  if (own || isUsedUp(keys, senderData, message)) return refused('replayed');

  const { keyRetentionConfig } = client.clientConfig;
  const ratchet = await attempt(() =>
    ratchetToGeneration(keys.secretTree, senderData, message.contentType, keyRetentionConfig, crypto),
  );
  if (ratchet === undefined) return refused('not-authentic');
  const aad = encode(privateContentAADEncoder)(message);
  const plaintext = await attempt(() => crypto.hpke.decryptAead(ratchet.key, ratchet.nonce, aad, message.ciphertext));
  if (plaintext === undefined) return refused('not-authentic');
  const content = await attempt(async () => decodePrivateMessageContent(message.contentType)(plaintext, 0)?.[0]);
  if (content === undefined) return refused('malformed');

  const framed = toAuthenticatedContent(content, message, senderData.leafIndex);
  const signed = await verifyFramedContentSignature(
    leaf.signaturePublicKey,
    framed.wireformat,
    framed.content,
    framed.auth,
    keys.groupContext,
    crypto.signature,
  );
  if (!signed) return refused('not-authentic');
  const { newTree: secretTree, consumed } = ratchet;
  return { kind: 'opened', content: framed.content, sender: senderData.leafIndex, secretTree, consumed };
}

/** RFC 9420 section 6.2; only a member's message, since this engine knows no external sender. */
export async function openPublic(
  crypto: MlsCrypto,
  client: ClientState,
  message: PublicMessage,
): Promise<Opened | Refused> {
  const { sender } = message.content;
  if (sender.senderType !== 'member' || message.senderType !== 'member') return refused('malformed');
  if (sender.leafIndex === client.privatePath.leafIndex) return refused('replayed');
  if (leafAt(client.ratchetTree, sender.leafIndex) === undefined) return refused('not-authentic');
  const { membershipKey } = client.keySchedule;
  const framed = await attempt(() =>
    unprotectPublicMessage(membershipKey, client.groupContext, client.ratchetTree, message, crypto),
  );
  if (framed === undefined) return refused('not-authentic');
  const { secretTree } = client;
  return { kind: 'opened', content: framed.content, sender: sender.leafIndex, secretTree, consumed: [] };
}

function isUsedUp(keys: EpochKeys, { leafIndex, generation }: SenderData, message: PrivateMessage): boolean {
  const node = keys.secretTree[2 * leafIndex];
  const ratchet = message.contentType === 'application' ? node?.application : node?.handshake;
  if (ratchet === undefined) return false;
  return generation < ratchet.generation && ratchet.unusedGenerations[generation] === undefined;
}

/** The library throws for what a peer can cause; the answer is the same as an absent one. */
async function attempt<T>(step: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await step();
  } catch {
    return undefined;
  }
}
