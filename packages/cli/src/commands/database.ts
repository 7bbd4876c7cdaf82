/** `sealpost database`: a PostgreSQL server of your own instead of the embedded one. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { readDatabaseUrl } from '@sealpost/platform';
import { Command } from 'commander';
import { openDataFolder } from '../start/data-folder.ts';
import { keepOwnServer, requireServer, urlFor } from '../start/database-place.ts';
import { prepareDatabases } from '../start/services.ts';
import { startError } from '../start/start-errors.ts';
import type { CommandContext } from './context.ts';

interface PrepareFlags {
  readonly data?: string;
  readonly url: string;
  readonly adminUser: string;
  readonly adminPasswordFile: string;
}

export function databaseCommand(context: CommandContext): Command {
  const command = new Command('database').description('a PostgreSQL server of your own');
  command
    .command('prepare')
    .description('make roles and empty databases on a server, and a data folder that uses them from then on')
    .requiredOption('--url <url>', 'the server: postgresql://host:5432, without role, password or database')
    .requiredOption('--admin-user <role>', 'role that may create roles and databases; used now and never kept')
    .requiredOption('--admin-password-file <file>', 'file with its password')
    .option('--data <dir>', 'data folder, a new one unless it uses such a server already')
    .action(async (flags: PrepareFlags) => {
      const data = resolve(flags.data ?? context.defaultData);
      await prepare(data, flags, context.version);
      context
        .output()
        .result({ ok: true, data, url: flags.url }, [
          `databases sealpost_control and sealpost_gateway are ready; ${data} uses them`,
        ]);
    });
  return command;
}

async function prepare(data: string, flags: PrepareFlags, version: string): Promise<void> {
  const place = requireServer(flags.url);
  const folder = openDataFolder(data, version);
  try {
    if (existsSync(folder.postgres))
      throw startError('ERR_START_DATABASE_TAKEN', { details: [{ pointer: folder.postgres, detail: 'is there' }] });
    const address = readDatabaseUrl(urlFor(place, flags.adminUser, 'postgres'));
    if (typeof address === 'string')
      throw startError('ERR_START_DATABASE_URL', { details: [{ pointer: '--url', detail: address }] });
    const { host, port, tls } = address;
    const superuserPassword = readFileSync(resolve(flags.adminPasswordFile), 'utf8').trim();
    const admin = { socketDir: host, port, superuser: flags.adminUser, superuserPassword };
    await prepareDatabases(tls === undefined ? admin : { ...admin, tls }, folder);
    keepOwnServer(folder.path, place);
    folder.settle();
  } finally {
    folder.release();
  }
}
