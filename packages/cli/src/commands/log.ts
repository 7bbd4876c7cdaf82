/** `sealpost log`: export it from a running system; verify an export with nothing but the file and public keys. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { readBootstrapped } from '../bootstrap/bootstrap.ts';
import { findReceipt, type LogKeys, verifyLogFile } from '../log/verify-log.ts';
import { createControlClient } from '../operator/control-client.ts';
import { openOperator } from '../operator/operator.ts';
import { EXIT_CODES } from '../output.ts';
import type { CommandContext } from './context.ts';
import { operatorFolder } from './manifests.ts';

interface VerifyFlags {
  readonly logKey?: string;
  readonly witnessKey?: string[];
  readonly operator?: string;
  readonly receipt?: string;
}

export function logCommand(context: CommandContext): Command {
  const command = new Command('log').description('the append-only log: export and verify');
  command
    .command('export')
    .description('write the whole log, records included, into a file')
    .requiredOption('--out <file>', 'where it goes')
    .option('--operator <dir>', 'folder of the operator’s keys')
    .option('--control <url>', 'address of control', 'http://127.0.0.1:4400')
    .action(async (flags: { out: string; operator?: string; control: string }) => {
      const control = createControlClient(flags.control);
      const operator = await openOperator(operatorFolder(context, flags), control, context.surroundings);
      const text = await control.text('/v1/log/export', await operator.token());
      writeFileSync(resolve(flags.out), text);
      context
        .output()
        .result({ ok: true, out: resolve(flags.out), bytes: Buffer.byteLength(text) }, [
          `exported to ${resolve(flags.out)}`,
        ]);
    });
  command
    .command('verify <file>')
    .description('verify an export offline; exit 3 when it does not hold, naming the entry')
    .option('--log-key <key>', 'C2SP verifier key of the log (default: from the operator’s trust file)')
    .option('--witness-key <key...>', 'C2SP verifier keys of witnesses')
    .option('--operator <dir>', 'folder whose trust file names the keys')
    .option('--receipt <file>', 'also prove that the log holds this receipt (compact JWS)')
    .action((file: string, flags: VerifyFlags) => verify(context, resolve(file), flags));
  return command;
}

async function verify(context: CommandContext, file: string, flags: VerifyFlags): Promise<void> {
  const { result } = context.output();
  const keys = await keysOf(context, flags);
  const verdict = await verifyLogFile(file, keys);
  if (verdict.kind === 'failed') {
    const where =
      verdict.entry === undefined ? `line ${verdict.line}` : `entry ${verdict.entry} (line ${verdict.line})`;
    result(
      { ok: false, code: verdict.code, entry: verdict.entry ?? null, line: verdict.line, reason: verdict.reason },
      [`does not hold: ${where}: ${verdict.reason} (${verdict.code})`],
    );
    return context.exitWith(EXIT_CODES.refused);
  }
  const words = [
    `${verdict.size} entries of ${verdict.origin} verified`,
    `cosigned by ${verdict.cosignedBy.map(({ name }) => name).join(', ') || 'nobody: the log’s own word alone'}`,
    `${verdict.erased} records erased`,
  ];
  if (flags.receipt === undefined)
    return result(
      { ok: true, size: verdict.size, cosignedBy: verdict.cosignedBy.map(({ name }) => name), erased: verdict.erased },
      words,
    );
  const found = await findReceipt(file, readFileSync(resolve(flags.receipt), 'utf8').trim(), keys);
  if (found.kind !== 'found') {
    result({ ok: false, size: verdict.size, receipt: found.kind }, [...words, 'the receipt is not in this log']);
    return context.exitWith(EXIT_CODES.refused);
  }
  result(
    {
      ok: true,
      size: verdict.size,
      cosignedBy: verdict.cosignedBy.map(({ name }) => name),
      erased: verdict.erased,
      receipt: { position: found.entry.position, proof: found.proof.length },
    },
    [...words, `the receipt is entry ${found.entry.position}, proved by ${found.proof.length} hashes`],
  );
}

async function keysOf(context: CommandContext, flags: VerifyFlags): Promise<LogKeys> {
  if (flags.logKey !== undefined) return { logKey: flags.logKey, witnessKeys: flags.witnessKey ?? [] };
  const { trust } = await readBootstrapped(operatorFolder(context, flags));
  return { logKey: trust.gateway.log, witnessKeys: [trust.control.witness, ...(flags.witnessKey ?? [])] };
}
