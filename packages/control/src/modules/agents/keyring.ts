/**
 * Storage keys, outside PostgreSQL: one small secret a conversation in the key store, overwritten at each epoch. What was
 * sealed under a key that is gone cannot be opened from any backup or WAL of the database (DESIGN section 6). Written only
 * while the conversation's row is locked, so two processes never overwrite each other.
 */
import type { KeyStore, Surroundings } from '@sealpost/platform';
import { type ConversationId, fromBase64url, fromUtf8, type Timestamp, toBase64url, utf8 } from '@sealpost/protocol';
import { z } from 'zod';
import { agentsError } from './agents-errors.ts';

export interface StorageKey {
  readonly id: string;
  readonly key: Uint8Array;
  readonly made: Timestamp;
}

export interface Keyring {
  /** Throws ERR_AGENTS_STATE for a key that is gone. */
  get(conversation: ConversationId, id: string | null): StorageKey;
  /** A fresh key beside those there are; durable once it returns. */
  add(conversation: ConversationId): StorageKey;
  /** Drops every key but these, durably. */
  keepOnly(conversation: ConversationId, ids: readonly (string | null)[]): void;
}

const KEY_LENGTH = 32;
const ID_LENGTH = 12;
const ringSchema = z.array(z.strictObject({ id: z.string(), key: z.string(), made: z.int() }));
type Ring = z.infer<typeof ringSchema>;

export function createKeyring({ keys, surroundings }: { keys: KeyStore; surroundings: Surroundings }): Keyring {
  const nameOf = (conversation: ConversationId) => `keyring-${conversation}`;
  const read = (conversation: ConversationId): Ring => {
    const name = nameOf(conversation);
    return keys.hasSecret(name) ? ringSchema.parse(JSON.parse(fromUtf8(keys.readSecret(name)))) : [];
  };
  const write = (conversation: ConversationId, ring: Ring) =>
    keys.replaceSecret(nameOf(conversation), utf8(JSON.stringify(ring)));
  return {
    get(conversation, id) {
      const found = read(conversation).find((entry) => entry.id === id);
      const key = found === undefined ? undefined : fromBase64url(found.key);
      if (found === undefined || key === undefined) throw agentsError('ERR_AGENTS_STATE');
      return { id: found.id, key, made: found.made };
    },
    add(conversation) {
      const key = surroundings.random(KEY_LENGTH);
      const id = toBase64url(surroundings.random(ID_LENGTH));
      const made = surroundings.now();
      write(conversation, [...read(conversation), { id, key: toBase64url(key), made }]);
      return { id, key, made };
    },
    keepOnly(conversation, ids) {
      const ring = read(conversation);
      const kept = ring.filter(({ id }) => ids.includes(id));
      if (kept.length < ring.length) write(conversation, kept);
    },
  };
}
