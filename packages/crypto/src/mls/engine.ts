/**
 * The MLS port (RFC 9420) all of Sealpost stands on. State goes in, new state comes out; the caller stores it before
 * anything is sent. There is no accept-all: every credential passes `VerifyCredential`, and what `receive` returns as
 * sender is the leaf MLS authenticated, never a name from the payload.
 */
import type { ConversationId, Timestamp } from '@sealpost/protocol';
import type { Signer } from '../signer/signer.ts';

/** MLS_128_DHKEMP256_AES128GCM_SHA256_P256, the suite RCS uses (RFC 9420 section 17.1). */
export const DEFAULT_SUITE = 2;

/** A leaf's own identity: certificate chain (DER, leaf first, trust anchor left out) and the key it certifies. */
export interface MlsIdentity {
  readonly chain: readonly Uint8Array[];
  readonly signer: Signer;
}

/** Who a verified certificate names; `uri` is its SAN, for example sealpost://acme.example/member/alice/device/dev_… */
export interface VerifiedCredential {
  readonly uri: string;
  readonly chain: readonly Uint8Array[];
}

/** Answers `undefined` for a credential that must not be in a group; throws only when it cannot tell. */
export type VerifyCredential = (
  chain: readonly Uint8Array[],
  now: Timestamp,
) => Promise<VerifiedCredential | undefined>;

/** Opaque group state of one member at one epoch. Never mutated. */
export interface GroupState {
  readonly conversation: ConversationId;
  readonly epoch: bigint;
  readonly ownLeaf: number;
}

export interface Leaf {
  readonly index: number;
  readonly credential: VerifiedCredential;
  /**
   * Set by `members` alone: the certificate verified when the leaf entered but no longer does. Such a member still reads
   * until a commit removes it, so it is never left out.
   */
  readonly lapsed?: true;
}

export interface KeyPackageBundle {
  /** TLS-encoded MLSMessage(KeyPackage). */
  readonly keyPackage: Uint8Array;
  /** KeyPackageRef (RFC 9420 section 5.2). */
  readonly reference: Uint8Array;
  /** Private part, encoded; the caller seals and stores it, and deletes it once used. */
  readonly secret: Uint8Array;
}

export interface CommitResult {
  /** State of the next epoch: valid only once the delivery service has taken the commit. */
  readonly next: GroupState;
  readonly commit: Uint8Array;
  /** TLS-encoded MLSMessage(Welcome), present when somebody was added. */
  readonly welcome?: Uint8Array;
  /** TLS-encoded ratchet tree of the next epoch, stored once beside the welcome. */
  readonly ratchetTree: Uint8Array;
}

export interface EncryptResult {
  readonly next: GroupState;
  readonly ciphertext: Uint8Array;
}

export type ReceiveResult =
  | {
      readonly kind: 'application';
      readonly next: GroupState;
      readonly sender: Leaf;
      readonly epoch: bigint;
      readonly authenticatedData: Uint8Array;
      readonly plaintext: Uint8Array;
    }
  | {
      readonly kind: 'commit';
      readonly next: GroupState;
      readonly sender: Leaf;
      readonly added: readonly Leaf[];
      readonly removed: readonly Leaf[];
    }
  /** This member was removed by the commit; the state is over. */
  | { readonly kind: 'removed'; readonly sender: Leaf }
  | {
      readonly kind: 'refused';
      readonly reason: 'credential' | 'epoch' | 'replayed' | 'malformed' | 'not-authentic' | 'no-path';
    };

export interface MlsEngine {
  createKeyPackage(
    identity: MlsIdentity,
    lifetime: { readonly notBefore: Timestamp; readonly notAfter: Timestamp },
    lastResort: boolean,
  ): Promise<KeyPackageBundle>;
  /** Reads and verifies somebody else's key package: signature, lifetime, suite and credential. */
  readKeyPackage(keyPackage: Uint8Array, now: Timestamp): Promise<VerifiedCredential | undefined>;
  createGroup(conversation: ConversationId, identity: MlsIdentity, now: Timestamp): Promise<GroupState>;
  /** One commit that removes and adds; always with an update path (RFC 9420 section 12.4). Throws on a key package that does not verify. */
  commit(
    state: GroupState,
    identity: MlsIdentity,
    change: { readonly add: readonly Uint8Array[]; readonly remove: readonly number[] },
    now: Timestamp,
  ): Promise<CommitResult>;
  /** Answers `undefined` when no given key package secret opens this welcome. Refuses (throws) a tree with an unverifiable leaf. */
  join(
    welcome: Uint8Array,
    ratchetTree: Uint8Array,
    own: readonly KeyPackageBundle[],
    identity: MlsIdentity,
    now: Timestamp,
  ): Promise<{ readonly state: GroupState; readonly used: Uint8Array } | undefined>;
  encrypt(
    state: GroupState,
    identity: MlsIdentity,
    plaintext: Uint8Array,
    authenticatedData: Uint8Array,
  ): Promise<EncryptResult>;
  /**
   * Takes a PrivateMessage, or a member's commit as PublicMessage. An application message moves its sender's ratchet on,
   * which `encodeRatchet` does not hold: store `encodeState(next)`, or the same message is taken again after a restart.
   * Throws only what `VerifyCredential` throws.
   */
  receive(state: GroupState, message: Uint8Array, now: Timestamp): Promise<ReceiveResult>;
  /** Every leaf of the tree, lapsed ones too. */
  members(state: GroupState, now: Timestamp): Promise<readonly Leaf[]>;
  /** Everything of an epoch; written when the epoch changes and after `receive` of an application message. */
  encodeState(state: GroupState): Uint8Array;
  /** What `encrypt` changes beyond the epoch's snapshot: small, written for each message before it is sent. */
  encodeRatchet(state: GroupState): Uint8Array;
  /** Throws on a damaged or newer format, and on a ratchet of another epoch, branch or leaf, or older than the snapshot. */
  decodeState(snapshot: Uint8Array, ratchet?: Uint8Array): GroupState;
}
