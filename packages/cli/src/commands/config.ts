/** `sealpost config`: a commented file to begin with, a check, and a print; secrets appear only as paths. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseConfig } from '@sealpost/platform';
import { Command, InvalidArgumentError } from 'commander';
import { stringify } from 'yaml';
import { CONFIG_SCHEMAS, type Deployable, exampleOf } from '../config/reference.ts';
import type { CommandContext } from './context.ts';

export function configCommand(context: CommandContext): Command {
  const names = Object.keys(CONFIG_SCHEMAS).join(', ');
  const command = new Command('config').description('configuration of a deployable');
  command
    .command('init <deployable>')
    .description(`write a commented example (${names}); standard output unless --out`)
    .option('--out <file>', 'where it goes; an existing file is kept')
    .action((name: string, flags: { out?: string }) => {
      const text = exampleOf(deployable(name));
      if (flags.out === undefined) return context.output().data(text);
      writeFileSync(resolve(flags.out), text, { flag: 'wx' });
      return context.output().result({ ok: true, out: resolve(flags.out) }, [resolve(flags.out)]);
    });
  command
    .command('check <deployable> <file>')
    .description('read and check a file; problems name file:line:column')
    .action((name: string, file: string) => {
      parseConfig(CONFIG_SCHEMAS[deployable(name)], readFileSync(resolve(file), 'utf8'), file);
      context.output().result({ ok: true, file }, [`${file} is a valid configuration of ${name}`]);
    });
  command
    .command('print <deployable> <file>')
    .description('print it with every default filled in')
    .action((name: string, file: string) => {
      const config = parseConfig(CONFIG_SCHEMAS[deployable(name)], readFileSync(resolve(file), 'utf8'), file);
      context.output().result({ ok: true, config }, [stringify(config).trimEnd()]);
    });
  return command;
}

function deployable(name: string): Deployable {
  if (!(name in CONFIG_SCHEMAS))
    throw new InvalidArgumentError(`choose one of ${Object.keys(CONFIG_SCHEMAS).join(', ')}.`);
  return name as Deployable;
}
