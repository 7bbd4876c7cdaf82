/**
 * From an event to what the log keeps of it: canonical record, fresh salt, leaf and leaf hash (DESIGN section 8). The leaf
 * commits to the record under the salt, so a record can be erased with its salt and the tree stays valid.
 */
import { canonicalBytes, type LogEvent } from '@sealpost/protocol';
import { commitRecord, leafData, leafHash, SALT_LENGTH } from '@sealpost/tlog';
import { sha256 } from '../../platform/hash.ts';

export interface PreparedEvent {
  readonly event: LogEvent;
  /** Canonical JSON in UTF-8. */
  readonly record: Uint8Array;
  readonly salt: Uint8Array;
  readonly leaf: Uint8Array;
  readonly leafHash: Uint8Array;
}

/** `random` gives that many fresh bytes; the salt is used for this event alone. */
export function prepareEvent(event: LogEvent, random: (length: number) => Uint8Array): PreparedEvent {
  const record = canonicalBytes(event);
  const salt = random(SALT_LENGTH);
  const leaf = leafData({ kind: event.kind, time: event.at, commitment: commitRecord(salt, record, sha256) });
  return { event, record, salt, leaf, leafHash: leafHash(leaf, sha256) };
}

/** The message an event is about; `undefined` for events of members, groups and bundles. */
export function messageOf(event: LogEvent): string | undefined {
  return 'message' in event ? event.message : undefined;
}
