/** The role the migrations grant to, under a name of its own: roles belong to the whole server, which tests share. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from '@sealpost/platform';
import { inject } from 'vitest';
import { createGuest } from '../../../cli/src/postgres/index.ts';
import { SQL_FOLDER } from '../support/gateway-log.ts';

export async function createDispatcherRole(owner: Database) {
  const server = inject('postgres');
  const role = `dispatcher_${randomBytes(6).toString('hex')}`;
  const password = randomBytes(16).toString('hex');
  const [row] = await owner.query<{ name: string }>('t-name', 'SELECT current_database() AS name');
  const database = row!.name;
  await createGuest(server, { database, role, password });
  for (const file of ['0020-delivery.sql', '0021-routing.sql'])
    await owner.query(`t-grants-${file}`, grantsOf(file).replaceAll('sealpost_dispatcher', role));
  return { role, password, database, host: server.socketDir, port: server.port };
}

/** The statement of a migration that grants. */
function grantsOf(file: string): string {
  const text = readFileSync(join(SQL_FOLDER, file), 'utf8');
  const block = text.slice(text.indexOf('DO $$'), text.lastIndexOf('$$;') + 3);
  if (!block.includes('sealpost_dispatcher')) throw new Error('the migration grants nothing to the dispatcher');
  return block;
}
