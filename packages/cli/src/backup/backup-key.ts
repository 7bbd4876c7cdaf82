/**
 * The key backups are sealed to. Its public half lies where backups are made, so that the machine that writes one cannot
 * read it; its private half lies with the operator, off every server.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createUnwrappingKey, importUnwrappingKey, type UnwrappingKey } from '@sealpost/crypto/open';
import { writeDurably } from '@sealpost/platform';
import { utf8 } from '@sealpost/protocol';
import { backupErrorAt } from './backup-errors.ts';
import { privateKeyFileSchema, type Recipient, recipientSchema } from './backup-key-schema.ts';

const PRIVATE_FORMAT = 'sealpost-backup-key/1';
const PUBLIC_FORMAT = 'sealpost-backup-recipient/1';

/** Writes `path` (private, mode 0600) and `path.pub`; neither is overwritten. */
export async function createBackupKey(path: string): Promise<Recipient> {
  const files = { private: path, public: `${path}.pub` };
  for (const file of Object.values(files))
    if (existsSync(file)) throw backupErrorAt('ERR_BACKUP_EXISTS', file, 'exists');
  const { key, privateJwk } = await createUnwrappingKey();
  const recipient: Recipient = { format: PUBLIC_FORMAT, id: key.id, publicKey: key.publicKey };
  writeDurably(files.private, utf8(`${JSON.stringify({ format: PRIVATE_FORMAT, jwk: privateJwk })}\n`));
  writeDurably(files.public, utf8(`${JSON.stringify(recipient)}\n`), 0o644);
  return recipient;
}

/** Throws ERR_BACKUP_KEY. */
export function readRecipient(path: string): Recipient {
  const read = recipientSchema.safeParse(jsonIn(path));
  if (!read.success) throw backupErrorAt('ERR_BACKUP_KEY', path, 'is no public backup key');
  return read.data;
}

/** Throws ERR_BACKUP_KEY. */
export async function readBackupKey(path: string): Promise<UnwrappingKey> {
  const read = privateKeyFileSchema.safeParse(jsonIn(path));
  if (!read.success) throw backupErrorAt('ERR_BACKUP_KEY', path, 'is no private backup key');
  try {
    return await importUnwrappingKey(read.data.jwk);
  } catch (cause) {
    throw backupErrorAt('ERR_BACKUP_KEY', path, 'is no key on P-256', cause);
  }
}

function jsonIn(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw backupErrorAt('ERR_BACKUP_KEY', path, 'cannot be read', cause);
  }
}
