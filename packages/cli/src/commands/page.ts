/** `sealpost page`: a fresh link to the live page while `sealpost start` serves. */
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { createControlClient } from '../operator/control-client.ts';
import { openOperator } from '../operator/operator.ts';
import { DEFAULT_PORT_BASE, portsFrom } from '../start/ports.ts';
import { pageLink } from '../story/live-page.ts';
import type { CommandContext } from './context.ts';
import { portBaseOf } from './start.ts';

interface PageFlags {
  readonly data?: string;
  readonly operator?: string;
  readonly portBase: number;
}

export function pageCommand(context: CommandContext): Command {
  return new Command('page')
    .description('print a link to the live page, with single-use codes of ten minutes for its inbox and its console')
    .option('--data <dir>', `data folder (default: ${context.defaultData})`)
    .option('--operator <dir>', 'folder of the operator’s keys (default: operator/ in the data folder)')
    .option(
      '--port-base <port>',
      'first of the ports of the `sealpost start` that serves it',
      portBaseOf,
      DEFAULT_PORT_BASE,
    )
    .action(async ({ data = context.defaultData, operator = join(data, 'operator'), portBase }: PageFlags) => {
      const ports = portsFrom(portBase);
      const control = createControlClient(`http://127.0.0.1:${ports.control}`);
      const page = await pageLink(await openOperator(resolve(operator), control, context.surroundings), ports);
      context.output().result({ ok: true, page }, [page]);
    });
}
