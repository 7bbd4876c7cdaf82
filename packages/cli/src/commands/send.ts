/** `sealpost send`: one message as an application would send it, or the keys an application needs. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createSigningKey, signerFromJwk } from '@sealpost/crypto/signer';
import { controlApi } from '@sealpost/protocol';
import { Command } from 'commander';
import { z } from 'zod';
import { createControlClient } from '../operator/control-client.ts';
import { requestToken } from '../operator/operator.ts';
import type { CommandContext } from './context.ts';

/** An application's key as `sealpost send key` writes it. */
export const privateKeySchema = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string(),
  d: z.string(),
});

interface SendFlags {
  readonly application: string;
  readonly key: string;
  readonly flow: string;
  readonly to: string;
  readonly subject: string;
  readonly body?: string;
  readonly acknowledge?: boolean;
  readonly channel?: string;
  readonly idempotencyKey?: string;
  readonly control: string;
}

export function sendCommand(context: CommandContext): Command {
  const command = new Command('send').description('send a message as a registered application');
  command
    .command('message', { isDefault: true })
    .description('send one message; the body is read from standard input unless given')
    .requiredOption('--application <id>', 'the registered application')
    .requiredOption('--key <file>', 'its private key (JWK), see `sealpost send key`')
    .requiredOption('--flow <flow>', 'flow to send on')
    .requiredOption('--to <member>', 'recipient')
    .requiredOption('--subject <text>', 'subject')
    .option('--body <text>', 'body; - or absent reads standard input')
    .option('--acknowledge', 'ask for an acknowledgement')
    .option('--channel <channel>', 'carry by this channel only; refused below the flow’s floor')
    .option('--idempotency-key <key>', 'repeat with the same key to send once (default: a new one)')
    .option('--control <url>', 'address of control', 'http://127.0.0.1:4400')
    .action((flags: SendFlags) => send(context, flags));
  command
    .command('key')
    .description('make an application’s key pair: FILE (private, mode 0600) and FILE.pub')
    .requiredOption('--out <file>', 'where the private key goes')
    .action(async (flags: { out: string }) => {
      const { signer, privateJwk } = await createSigningKey('EdDSA');
      writeFileSync(resolve(flags.out), `${JSON.stringify(privateJwk)}\n`, { mode: 0o600, flag: 'wx' });
      writeFileSync(`${resolve(flags.out)}.pub`, `${JSON.stringify(signer.publicJwk)}\n`, { flag: 'wx' });
      context
        .output()
        .result({ ok: true, key: resolve(flags.out), keyId: signer.keyId }, [
          resolve(flags.out),
          `${resolve(flags.out)}.pub`,
        ]);
    });
  return command;
}

async function send(context: CommandContext, flags: SendFlags): Promise<void> {
  const { surroundings } = context;
  const control = createControlClient(flags.control);
  const key = await signerFromJwk(privateKeySchema.parse(JSON.parse(readFileSync(resolve(flags.key), 'utf8'))));
  const token = await requestToken(control, key, flags.application, `flow:${flags.flow}`, surroundings);
  const body = flags.body === undefined || flags.body === '-' ? readFileSync(0, 'utf8') : flags.body;
  const route = flags.channel === undefined ? {} : { route: { channel: flags.channel, use: 'carry' } };
  const request = {
    flow: flags.flow,
    to: flags.to,
    content: { subject: flags.subject, body, acknowledge: flags.acknowledge === true },
    ...route,
  };
  const headers = { 'idempotency-key': flags.idempotencyKey ?? surroundings.uuid() };
  const accepted = await control.call('POST', '/v1/messages', controlApi.messageAcceptedSchema, {
    body: request,
    token,
    headers,
  });
  context
    .output()
    .result({ ok: true, ...accepted }, [`accepted as ${accepted.message}`, `receipt ${accepted.receipt}`]);
}
