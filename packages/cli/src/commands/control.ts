/** `sealpost control`: run the deciding server, and what an administrator asks of it by signed approvals. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { flowNameSchema, memberIdSchema, vendorNameSchema } from '@sealpost/protocol';
import { Command } from 'commander';
import { z } from 'zod';
import { createControlClient } from '../operator/control-client.ts';
import { type Operator, openOperator } from '../operator/operator.ts';
import type { CommandContext } from './context.ts';
import { operatorFolder } from './manifests.ts';
import { serveEntry } from './serve.ts';

interface AdminFlags {
  readonly operator?: string;
  readonly control: string;
}

const publicKeySchema = z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() });

export function controlCommand(context: CommandContext): Command {
  const command = new Command('control').description(
    'the deciding server: run it, and administer it by signed approvals',
  );
  command
    .command('serve')
    .description('run control')
    .requiredOption('--config <file>', 'its configuration')
    .action((flags: { config: string }) => serveEntry('control', flags.config));

  const admin = (name: string, description: string) =>
    command
      .command(name)
      .description(description)
      .option('--operator <dir>', 'folder of the approver’s key')
      .option('--control <url>', 'address of control', 'http://127.0.0.1:4400');
  const operatorOf = (flags: AdminFlags): Promise<Operator> =>
    openOperator(operatorFolder(context, flags), createControlClient(flags.control), context.surroundings);

  admin('member-add <member>', 'register a person')
    .requiredOption('--name <name>', 'display name')
    .option('--phone <number>', 'number for notices, E.164')
    .action(async (member: string, flags: AdminFlags & { name: string; phone?: string }) => {
      const outcome = await (await operatorOf(flags)).registerMember(
        memberIdSchema.parse(member),
        flags.name,
        flags.phone,
      );
      context.output().result({ ok: true, member, outcome }, [`${member}: ${outcome}`]);
    });
  admin('application-add <application>', 'register an application by its public key')
    .requiredOption('--public-key <file>', 'Ed25519 public key as JWK')
    .requiredOption('--flow <flow...>', 'flows it may send on')
    .action(async (application: string, flags: AdminFlags & { publicKey: string; flow: string[] }) => {
      const jwk = publicKeySchema.parse(JSON.parse(readFileSync(resolve(flags.publicKey), 'utf8')));
      const outcome = await (await operatorOf(flags)).registerApplication(
        memberIdSchema.parse(application),
        jwk,
        flags.flow.map((flow) => flowNameSchema.parse(flow)),
      );
      context.output().result({ ok: true, application, outcome }, [`${application}: ${outcome}`]);
    });
  admin('alert-sender-add <sender>', 'register a webhook sender; prints its secret once')
    .requiredOption('--flow <flow>', 'the one flow it may use')
    .requiredOption('--to <member>', 'who its alerts go to')
    .action(async (sender: string, flags: AdminFlags & { flow: string; to: string }) => {
      const secret = await (await operatorOf(flags)).registerAlertSender(
        memberIdSchema.parse(sender),
        flowNameSchema.parse(flags.flow),
        memberIdSchema.parse(flags.to),
      );
      context.output().result({ ok: true, sender, secret }, [secret]);
    });
  admin('invite <member>', 'make a single-use enrollment code of ten minutes; prints it once').action(
    async (member: string, flags: AdminFlags) => {
      const code = await (await operatorOf(flags)).inviteDevice(memberIdSchema.parse(member));
      context.output().result({ ok: true, member, code }, [code]);
    },
  );
  admin(
    'console-invite',
    'make a single-use code of ten minutes that lets one browser read at the console; prints it once',
  ).action(async (flags: AdminFlags) => {
    const code = await (await operatorOf(flags)).inviteConsole();
    context.output().result({ ok: true, code }, [code]);
  });
  admin('device-revoke <member> <device>', 'revoke a device at once')
    .requiredOption('--reason <text>', 'why; it is part of what is approved')
    .action(async (member: string, device: string, flags: AdminFlags & { reason: string }) => {
      const outcome = await (await operatorOf(flags)).revokeDevice(memberIdSchema.parse(member), device, flags.reason);
      context.output().result({ ok: true, device, outcome }, [`${device}: ${outcome}`]);
    });
  for (const [name, open, says] of [
    ['vendor-close', false, 'close a provider account to everything, at once'],
    ['vendor-open', true, 'open a provider account again'],
  ] as const)
    admin(`${name} <vendor>`, says).action(async (vendor: string, flags: AdminFlags) => {
      const outcome = await (await operatorOf(flags)).switchVendor(vendorNameSchema.parse(vendor), open);
      context.output().result({ ok: true, vendor, open, outcome }, [`${vendor}: ${outcome}`]);
    });
  return command;
}
