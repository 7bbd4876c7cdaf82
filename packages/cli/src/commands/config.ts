/** `sealpost config`: a commented file to begin with, a check, and a print; secrets appear only as paths. */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadConfig } from '@sealpost/platform';
import { Command, InvalidArgumentError } from 'commander';
import { stringify } from 'yaml';
import { CONFIG_SCHEMAS, type Deployable, exampleOf } from '../config/reference.ts';
import { refuse } from '../output.ts';
import type { CommandContext } from './context.ts';

export function configCommand(context: CommandContext): Command {
  const names = Object.keys(CONFIG_SCHEMAS).join(', ');
  const command = new Command('config').description('configuration of a deployable');
  command
    .command('init')
    .argument('<deployable>', names, deployable)
    .description(`write a commented example (${names}); standard output unless --out`)
    .option('--out <file>', 'where it goes; an existing file is kept')
    .action((name: Deployable, flags: { out?: string }) => {
      const text = exampleOf(name);
      if (flags.out === undefined) return context.output().data(text);
      writeFileSync(resolve(flags.out), text, { flag: 'wx' });
      return context.output().result({ ok: true, out: resolve(flags.out) }, [resolve(flags.out)]);
    });
  command
    .command('check')
    .argument('<deployable>', names, deployable)
    .argument('<file>', 'its configuration')
    .description('read and check a file; exit 3 names file:line:column of each problem')
    .action((name: Deployable, file: string) => {
      read(name, file);
      context.output().result({ ok: true, file }, [`${file} is a valid configuration of ${name}`]);
    });
  command
    .command('print')
    .argument('<deployable>', names, deployable)
    .argument('<file>', 'its configuration')
    .description('print it with every default filled in')
    .action((name: Deployable, file: string) => {
      const config = read(name, file);
      context.output().result({ ok: true, config }, [stringify(config).trimEnd()]);
    });
  return command;
}

function read(name: Deployable, file: string): Record<string, unknown> {
  try {
    return loadConfig(CONFIG_SCHEMAS[name], file);
  } catch (cause) {
    return refuse(cause);
  }
}

function deployable(name: string): Deployable {
  if (!(name in CONFIG_SCHEMAS))
    throw new InvalidArgumentError(`choose one of ${Object.keys(CONFIG_SCHEMAS).join(', ')}.`);
  return name as Deployable;
}
