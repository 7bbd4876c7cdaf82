/**
 * The device as its users see it. An `InboxMessage` that can be read passed every check; one that cannot names only why.
 * Sender and readers come from MLS and from certificates, never from what somebody wrote.
 */
import type {
  AgentId,
  ConversationId,
  DeviceId,
  FlowName,
  MemberId,
  MessageId,
  Organisation,
  Timestamp,
} from '@sealpost/protocol';

export interface DeviceIdentity {
  readonly organisation: Organisation;
  readonly member: MemberId;
  readonly device: DeviceId;
  /** SAN of the device's certificate. */
  readonly uri: string;
}

export interface InboxAttachment {
  readonly name: string;
  readonly mediaType: string;
  /** Bytes of the plaintext. */
  readonly size: number;
}

interface MessageFacts {
  readonly message: MessageId;
  readonly conversation: ConversationId;
  readonly flow: FlowName;
  readonly receivedAt: Timestamp;
  readonly sentAt: Timestamp;
  readonly commitment: string;
}

export interface ReadableMessage extends MessageFacts {
  readonly state: 'received' | 'read' | 'acknowledged';
  /** When it was opened on this device. */
  readonly openedAt?: Timestamp;
  readonly subject: string;
  readonly body: string;
  readonly facts: readonly { readonly name: string; readonly value: string }[];
  readonly attachments: readonly InboxAttachment[];
  /** Whether the sender asks for an acknowledgement. */
  readonly acknowledge: boolean;
  /** The leaf MLS authenticated. */
  readonly sender: { readonly uri: string; readonly agent: AgentId };
  readonly checks: { readonly commitment: true; readonly authenticatedData: true };
  readonly code?: undefined;
}

/** Nothing of its content is shown, its sender included: neither was proved. */
export interface UnreadableMessage extends MessageFacts {
  readonly state: 'unreadable';
  readonly subject: '';
  readonly body: '';
  readonly facts: readonly [];
  readonly attachments: readonly [];
  readonly acknowledge: false;
  readonly sender: { readonly uri?: undefined; readonly agent?: undefined };
  readonly checks: { readonly commitment: false; readonly authenticatedData: false };
  /** Which check failed, from `CLIENT_ERRORS`. */
  readonly code: string;
}

export type InboxMessage = ReadableMessage | UnreadableMessage;

export interface DeviceChange {
  readonly kind: 'received' | 'opened' | 'acknowledged' | 'unreadable' | 'online' | 'offline' | 'problem';
  readonly message?: MessageId;
  /** Of `unreadable` and `problem`. After ERR_CLIENT_REFUSED the device no longer tries to come back. */
  readonly code?: string;
}

export interface Device {
  readonly identity: DeviceIdentity;
  /** Of the root it trusts: SHA-256 of the certificate in upper-case hex with colons, for people to compare. */
  readonly rootFingerprint: string;
  /**
   * Opens sync and resolves once the gateway has said `ready`; from then on it comes back by itself until `disconnect` or
   * `close`. While the gateway is away it keeps trying. Throws when the gateway refuses this device.
   */
  connect(): Promise<void>;
  /** Goes offline and stays usable: what is opened meanwhile queues its receipts. */
  disconnect(): Promise<void>;
  /** Ends it and frees the store. */
  close(): Promise<void>;
  readonly online: boolean;
  /** Newest first. */
  inbox(): Promise<InboxMessage[]>;
  /** Tells of changes, each after it is stored; answers how to stop. */
  on(listener: (change: DeviceChange) => void): () => void;
  /** Marks as read, and signs and queues the `read` receipt in the same write. Throws on an unreadable message. */
  open(message: MessageId): Promise<ReadableMessage>;
  /** As `open`, with an `acknowledged` receipt. */
  acknowledge(message: MessageId): Promise<void>;
  /** Fetches, opens and checks one attachment; nothing is answered unless size and digest agree. */
  attachment(message: MessageId, index: number): Promise<Uint8Array>;
  /** In words, who was in the conversation when the message came. */
  readers(message: MessageId): Promise<string[]>;
  /** How many receipts wait to be sent. */
  waitingReceipts(): Promise<number>;
  /** Posts queued receipts without opening sync; answers how many still wait. Throws when the gateway is away. */
  sendReceipts(): Promise<number>;
}
