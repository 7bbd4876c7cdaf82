/**
 * A posted commit, read once: what its MLS header says must be what the request says, before anything is decided. The
 * gateway cannot see inside; that the commit does what it claims is for the members to check.
 */
import { readHeader } from '@sealpost/crypto/framing';
import { type ConversationId, fromBase64url, type gatewayApi, SYNC_FRAME_LIMIT } from '@sealpost/protocol';
import type { z } from 'zod';
import { groupsError } from './groups-errors.ts';

export type CommitPost = z.infer<typeof gatewayApi.commitPostSchema>;

export interface StoredPayloads {
  readonly commit: Uint8Array;
  readonly welcome: { readonly message: Uint8Array; readonly ratchetTree: Uint8Array } | null;
}

/** Room for the rest of the frame a welcome travels in. */
const FRAME_MARGIN = 1000;

export function readCommit(
  conversation: ConversationId,
  { epoch, commit, welcome, removed }: CommitPost,
): StoredPayloads {
  const added = welcome?.devices ?? [];
  if (new Set([...added, ...removed]).size !== added.length + removed.length) throw refused('/removed', 'named twice');
  return { commit: readCommitMessage(conversation, epoch, commit), welcome: welcome && readWelcome(welcome) };
}

function readCommitMessage(conversation: ConversationId, epoch: number, text: string): Uint8Array {
  const bytes = fromBase64url(text);
  const header = bytes === undefined ? undefined : readHeader(bytes);
  if (bytes === undefined || header === undefined) throw refused('/commit', 'not an MLS message');
  if (header.kind !== 'private-message' && header.kind !== 'public-message') throw refused('/commit', 'not a commit');
  if (header.contentType !== 'commit') throw refused('/commit', 'not a commit');
  if (header.conversation !== conversation) throw refused('/commit', 'of another conversation');
  if (header.epoch !== BigInt(epoch)) throw refused('/commit', 'made in another epoch');
  return bytes;
}

function readWelcome({ message, ratchetTree, devices }: NonNullable<CommitPost['welcome']>) {
  if (message.length + ratchetTree.length + FRAME_MARGIN > SYNC_FRAME_LIMIT) throw groupsError('ERR_GROUPS_TOO_LARGE');
  const [bytes, tree] = [fromBase64url(message), fromBase64url(ratchetTree)];
  const header = bytes === undefined ? undefined : readHeader(bytes);
  if (bytes === undefined || header?.kind !== 'welcome') throw refused('/welcome/message', 'not a welcome');
  if (tree === undefined || tree.length === 0) throw refused('/welcome/ratchetTree', 'not a ratchet tree');
  if (header.keyPackageReferences.length !== devices.length)
    throw refused('/welcome/devices', 'as many devices as the welcome has secrets');
  return { message: bytes, ratchetTree: tree };
}

function refused(pointer: string, detail: string) {
  return groupsError('ERR_GROUPS_COMMIT', { details: [{ pointer, detail }] });
}
