/** `sealpost bootstrap`: the operator's ceremony, apart from any server. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { bootstrap, renewServiceCertificates } from '../bootstrap/bootstrap.ts';
import type { CommandContext } from './context.ts';

interface BootstrapFlags {
  readonly organisation?: string;
  readonly operator: string;
  readonly control: string;
  readonly gateway: string;
  readonly dispatcher: string;
  readonly renew?: boolean;
}

export function bootstrapCommand(context: CommandContext): Command {
  return new Command('bootstrap')
    .description('make the organisation root, device CA, service certificates and the operator’s keys')
    .option('--organisation <domain>', 'name of the organisation, for example acme.example; needed unless --renew')
    .requiredOption('--operator <dir>', 'folder for the operator’s keys; keep it off every server')
    .requiredOption('--control <dir>', 'folder that control’s keys and certificates go to')
    .requiredOption('--gateway <dir>', 'folder that the gateway’s go to')
    .requiredOption('--dispatcher <dir>', 'folder that the dispatcher’s go to')
    .option('--renew', 'only renew service certificates that run out within 30 days')
    .action(async (flags: BootstrapFlags) => {
      const folders = {
        operator: resolve(flags.operator),
        zones: {
          control: resolve(flags.control),
          gateway: resolve(flags.gateway),
          dispatcher: resolve(flags.dispatcher),
        },
      };
      if (flags.renew === true) {
        const renewed = await renewServiceCertificates(folders, context.surroundings);
        context
          .output()
          .result({ renewed }, renewed.length === 0 ? ['no certificate runs out within 30 days'] : renewed);
        return;
      }
      const { trust, rootFingerprint } = await bootstrap(flags.organisation ?? '', folders, context.surroundings);
      const { result } = context.output();
      result({ organisation: trust.organisation, rootFingerprint, operator: folders.operator, zones: folders.zones }, [
        `organisation  ${trust.organisation}`,
        `root          ${rootFingerprint}`,
        `operator      ${folders.operator} (root, service CA, operator and approver keys)`,
        ...Object.entries(folders.zones).map(([zone, folder]) => `${zone.padEnd(13)} ${folder}`),
      ]);
    });
}
