/**
 * The fixed words for protection, in one place so that no page ever says it another way. Words come before any sign, there
 * is no green and no lock, and each says who can read: what people take from an icon is less than there is, and what they
 * take from "verified" is more. Nothing that a provider can read is called encrypted.
 */
import type { Protection } from '@sealpost/protocol';

export interface ProtectionWords {
  /** The few words that stand beside a message. */
  readonly words: string;
  /** Who can read it, and who cannot. */
  readonly readers: string;
}

export const PROTECTION_WORDS: Readonly<Record<Protection, ProtectionWords>> = {
  e2ee: {
    words: 'End-to-end encrypted',
    readers:
      'Only the members of its conversation can read it: the recipient’s enrolled devices and the sender’s agent, which control runs. The gateway and the carrier cannot.',
  },
  'vendor-e2ee': {
    words: 'Encrypted by the vendor’s app',
    readers: 'The recipient’s app of that vendor and our own bridge to it can read it.',
  },
  split: {
    words: 'Encrypted, and opened by a link',
    readers: 'Whoever holds the link and passes its gate can read it.',
  },
  transport: {
    words: 'Not encrypted for you: the provider can read it',
    readers: 'The recipient and the provider that carries it can read it.',
  },
  none: {
    words: 'Not encrypted for you: the provider and every network on the way can read it',
    readers: 'The recipient, the provider that carries it and every network on the way can read it.',
  },
};

/** Of what a carrier is sent when the content goes another way. */
export const NOTICE_WORDS = 'This notice carries no content.';
