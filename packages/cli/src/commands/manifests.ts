/** `sealpost manifests`: check them, sign them with the operator's key, apply them to control and gateway. */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Bundle, Organisation } from '@sealpost/protocol';
import { organisationSchema } from '@sealpost/protocol';
import { Command } from 'commander';
import { compileFolder } from '../manifests/compile-folder.ts';
import { createControlClient } from '../operator/control-client.ts';
import { openOperator } from '../operator/operator.ts';
import { refuse } from '../output.ts';
import type { CommandContext } from './context.ts';

const LIFETIME = 90 * 86_400_000;

interface OperatorFlags {
  readonly operator?: string;
  readonly control: string;
}

export function manifestsCommand(context: CommandContext): Command {
  const command = new Command('manifests').description('flows as code: check, sign and apply');
  command
    .command('check <dir>')
    .description('compile and print what would be signed; exit 3 names file:line:column of each problem')
    .option('--organisation <domain>', 'organisation to compile for', 'acme.example')
    .action(async (folder: string, flags: { organisation: string }) => {
      const organisation = organisationSchema.parse(flags.organisation);
      const bundle = await compile(context, folder, organisation).catch(refuse);
      context
        .output()
        .result(
          { ok: true, flows: bundle.flows.map((flow) => flow.name), policies: bundle.policies.length },
          describe(bundle),
        );
    });
  command
    .command('sign <dir>')
    .description('compile and sign with the operator’s key')
    .requiredOption('--out <file>', 'where the signed bundle (JWS) goes')
    .option('--operator <dir>', 'folder of the operator’s keys')
    .option('--control <url>', 'address of control', 'http://127.0.0.1:4400')
    .action(async (folder: string, flags: OperatorFlags & { out: string }) => {
      const operator = await openOperator(
        operatorFolder(context, flags),
        createControlClient(flags.control),
        context.surroundings,
      );
      const bundle = await compile(context, folder, operator.organisation);
      writeFileSync(resolve(flags.out), await operator.signBundle(bundle));
      context
        .output()
        .result({ ok: true, version: bundle.version, out: resolve(flags.out) }, [
          ...describe(bundle),
          `signed into ${resolve(flags.out)}`,
        ]);
    });
  command
    .command('apply <dir>')
    .description('compile, sign, approve and apply')
    .option('--operator <dir>', 'folder of the operator’s keys')
    .option('--control <url>', 'address of control', 'http://127.0.0.1:4400')
    .action(async (folder: string, flags: OperatorFlags) => {
      const operator = await openOperator(
        operatorFolder(context, flags),
        createControlClient(flags.control),
        context.surroundings,
      );
      const bundle = await compile(context, folder, operator.organisation);
      const outcome = await operator.applyBundle(bundle);
      context
        .output()
        .result({ ok: true, outcome, version: bundle.version }, [
          ...describe(bundle),
          `applied as version ${bundle.version}`,
        ]);
    });
  return command;
}

export function operatorFolder(context: CommandContext, flags: { readonly operator?: string }): string {
  return flags.operator === undefined ? join(context.defaultData, 'operator') : resolve(flags.operator);
}

function compile(context: CommandContext, folder: string, organisation: Organisation): Promise<Bundle> {
  const now = context.surroundings.now();
  return compileFolder(resolve(folder), { organisation, version: now, issued: now, lifetime: LIFETIME });
}

function describe(bundle: Bundle): string[] {
  return bundle.flows.map(
    ({ name, floor, ladder }) =>
      `${name}: floor ${floor}; ${ladder.map(({ channel, use, after }) => `${use} by ${channel}${after === 0 ? '' : ` after ${after / 1000} s`}`).join(', ')}`,
  );
}
