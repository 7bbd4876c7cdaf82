/**
 * What intake must know from modules to its left, as two questions for a whole submission at a time. `app.ts` answers them
 * from groups, directory and blobs.
 */
import type { BlobId, ConversationId, MemberId } from '@sealpost/protocol';

export interface ConversationFacts {
  /** The one epoch in which messages are taken; `undefined` while a revoked device is still in the group. */
  readonly epoch: number | undefined;
  /** Certificate URI of whoever created it. */
  readonly creator: string;
  /** Members with an active device in it. */
  readonly members: ReadonlySet<MemberId>;
}

export interface Lookups {
  /** Conversations that do not exist are left out. */
  conversations(ids: readonly ConversationId[]): Promise<ReadonlyMap<ConversationId, ConversationFacts>>;
  /** Those of `ids` that are not stored. */
  missingBlobs(ids: readonly BlobId[]): Promise<ReadonlySet<BlobId>>;
}
