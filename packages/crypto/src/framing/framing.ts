/**
 * The gateway's one MLS door: what RFC 9420 section 6 leaves public. It reads headers, holds no secret and opens nothing.
 */
import type { ConversationId } from '@sealpost/protocol';

export type PublicHeader =
  | {
      readonly kind: 'private-message';
      readonly conversation: ConversationId;
      readonly epoch: bigint;
      readonly contentType: 'application' | 'proposal' | 'commit';
      readonly authenticatedData: Uint8Array;
    }
  | {
      readonly kind: 'public-message';
      readonly conversation: ConversationId;
      readonly epoch: bigint;
      readonly contentType: 'application' | 'proposal' | 'commit';
    }
  | { readonly kind: 'welcome'; readonly suite: number; readonly keyPackageReferences: readonly Uint8Array[] }
  | {
      readonly kind: 'key-package';
      readonly suite: number;
      readonly reference: Uint8Array;
      readonly chain: readonly Uint8Array[];
      readonly notBefore: number;
      readonly notAfter: number;
      readonly lastResort: boolean;
    };
