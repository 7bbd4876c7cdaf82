/** `sealpost message revoke`: takes a message back, as the application that sent it. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { signerFromJwk } from '@sealpost/crypto/signer';
import { gatewayApi, messageIdSchema } from '@sealpost/protocol';
import { Command } from 'commander';
import { createControlClient } from '../operator/control-client.ts';
import { requestToken } from '../operator/operator.ts';
import type { CommandContext } from './context.ts';
import { privateKeySchema } from './send.ts';

interface RevokeFlags {
  readonly application: string;
  readonly key: string;
  readonly flow: string;
  readonly control: string;
}

export function messageCommand(context: CommandContext): Command {
  const command = new Command('message').description('messages that were sent');
  command
    .command('revoke')
    .description('take a message back: nothing more of it is sent, and providers are told where they can undo it')
    .argument('<message>', 'id of the message')
    .requiredOption('--application <id>', 'the registered application that sent it')
    .requiredOption('--key <file>', 'its private key (JWK), see `sealpost send key`')
    .requiredOption('--flow <flow>', 'flow it was sent on')
    .option('--control <url>', 'address of control', 'http://127.0.0.1:4400')
    .action((message: string, flags: RevokeFlags) => revoke(context, message, flags));
  return command;
}

async function revoke(context: CommandContext, id: string, flags: RevokeFlags): Promise<void> {
  const message = messageIdSchema.parse(id);
  const control = createControlClient(flags.control);
  const key = await signerFromJwk(privateKeySchema.parse(JSON.parse(readFileSync(resolve(flags.key), 'utf8'))));
  const token = await requestToken(control, key, flags.application, `flow:${flags.flow}`, context.surroundings);
  const answer = await control.call('DELETE', `/v1/messages/${message}`, gatewayApi.revokeAnswerSchema, { token });
  const words = answer.outcome === 'ended' ? `had ended as ${answer.state}` : 'revoked';
  context.output().result({ ok: true, message, ...answer }, [words]);
}
