/**
 * Whether a house keeps its data in the embedded PostgreSQL or in a server of its own. The answer is a file in the data
 * folder and no option of the start: forgetting an option must not open an empty database beside the full one.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readDatabaseUrl, writeDurably } from '@sealpost/platform';
import { utf8 } from '@sealpost/protocol';
import { startError } from './start-errors.ts';

export type DatabasePlace =
  | { readonly kind: 'embedded'; readonly socketDir: string }
  /** `postgresql://host:5432`, with parameters; roles and databases are named by us. */
  | { readonly kind: 'own'; readonly url: string };

const FILE = 'database-url';

export function ownServerOf(data: string): DatabasePlace | undefined {
  const file = join(data, FILE);
  return existsSync(file) ? requireServer(readFileSync(file, 'utf8').trim()) : undefined;
}

/** Throws ERR_START_DATABASE_URL for what names more than a server, or less. */
export function requireServer(url: string): DatabasePlace & { readonly kind: 'own' } {
  const place = { kind: 'own', url } as const;
  const parsed = URL.parse(url);
  const bare =
    parsed !== null && parsed.username === '' && parsed.password === '' && ['', '/'].includes(parsed.pathname);
  const read = bare
    ? readDatabaseUrl(urlFor(place, 'sealpost_control', 'sealpost_control'))
    : 'names a role or a database';
  if (typeof read === 'string')
    throw startError('ERR_START_DATABASE_URL', { details: [{ pointer: '--url', detail: read }] });
  return place;
}

export function keepOwnServer(data: string, { url }: DatabasePlace & { readonly kind: 'own' }): void {
  writeDurably(join(data, FILE), utf8(`${url}\n`), 0o644);
}

/** The `database` section of a zone's configuration, but for its password. */
export function databaseOf(place: DatabasePlace, role: string, database: string): Record<string, string | number> {
  if (place.kind === 'own') return { url: urlFor(place, role, database) };
  return { host: place.socketDir, port: 5432, database, user: role };
}

export function urlFor({ url }: DatabasePlace & { readonly kind: 'own' }, role: string, database: string): string {
  const full = new URL(url);
  full.username = role;
  full.pathname = `/${database}`;
  return full.href;
}
