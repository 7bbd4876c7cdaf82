/**
 * Alert senders' secrets, `sps_<sender>_<256 random bits as base64url>`. The stored value is the SHA-256 of the whole
 * text: with that much entropy a slow hash adds nothing. Compared without an early exit.
 */
import { sha256 } from '@sealpost/crypto/verify';
import { equalBytes, utf8 } from '@sealpost/protocol';
import type { AlertSender } from './registry.ts';

const SHAPE = /^sps_([a-z0-9][a-z0-9-]{0,62})_[A-Za-z0-9_-]{43}$/;

/** The sender a secret claims to be of, or `undefined` when it has not the shape of one. */
export function claimedSender(secret: string): string | undefined {
  return SHAPE.exec(secret)?.[1];
}

export function secretMatches(secret: string, sender: AlertSender | undefined): boolean {
  // An unknown sender costs the same comparison, so that names cannot be found out by timing.
  const matches = equalBytes(sha256(utf8(secret)), sender?.secretHash ?? new Uint8Array(32));
  return matches && sender !== undefined;
}
