/** What the inbox shows, as one value: every state this browser can be in as a device, and what each knows. */
import type { DeviceIdentity, InboxMessage } from '@sealpost/client';
import type { MessageId } from '@sealpost/protocol';
import type { Words } from './words.ts';

/** `refused` is final: the device no longer tries. */
export type Link = 'connecting' | 'online' | 'offline' | 'away' | 'refused';

/** An attachment once it was asked for. `ready` holds bytes whose size and digest agree with the message. */
export type AttachmentState =
  | { readonly kind: 'loading' }
  | { readonly kind: 'ready'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'failed'; readonly problem: Words };

export interface OpenedMessage {
  readonly message: MessageId;
  /** In words; `undefined` until they are known. */
  readonly readers: readonly string[] | undefined;
  /** By the place in the message. */
  readonly attachments: ReadonlyMap<number, AttachmentState>;
}

export interface EnrolledState {
  readonly kind: 'enrolled';
  readonly identity: DeviceIdentity;
  readonly rootFingerprint: string;
  readonly link: Link;
  /** Why it is away or refused. */
  readonly trouble: Words | undefined;
  /** Newest first. */
  readonly messages: readonly InboxMessage[];
  readonly opened: OpenedMessage | undefined;
  /** Receipts that are signed and not sent yet. */
  readonly waiting: number;
  /** What went wrong with the last thing the person did. */
  readonly problem: Words | undefined;
}

export type InboxState =
  | { readonly kind: 'starting' }
  /** The browser hands out keys only to pages that came over https or from this machine. */
  | { readonly kind: 'insecure' }
  /** Another tab holds the device. */
  | { readonly kind: 'busy' }
  | { readonly kind: 'broken'; readonly problem: Words }
  | { readonly kind: 'stranger'; readonly code: string | undefined; readonly problem: Words | undefined }
  | { readonly kind: 'enrolling' }
  | EnrolledState;
