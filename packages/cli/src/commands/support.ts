/** `sealpost support`: one archive for whoever helps, without personal data. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { writeDurably } from '@sealpost/platform';
import { type ErrorTable, errorsOf } from '@sealpost/protocol';
import { Command, InvalidArgumentError } from 'commander';
import { DEFAULT_PORT_BASE } from '../start/ports.ts';
import { collectBundle } from '../support/bundle.ts';
import { tarGz } from '../support/tar.ts';
import type { CommandContext } from './context.ts';
import { examine } from './doctor.ts';
import { portBaseOf } from './start.ts';

const SUPPORT_ERRORS = {
  ERR_SUPPORT_EXISTS: {
    kind: 'conflict',
    sentence: 'A file of that name exists already.',
    hint: 'Choose another name with --out.',
  },
} as const satisfies ErrorTable;
const supportError = errorsOf(SUPPORT_ERRORS);

interface SupportFlags {
  readonly out: string;
  readonly data?: string;
  readonly portBase: number;
  readonly lines: number;
}

export function supportCommand(context: CommandContext): Command {
  return new Command('support')
    .description(
      'write a support bundle: versions, configuration, counts, backlogs, logs; no personal data, no secrets',
    )
    .requiredOption('--out <file>', 'the archive (.tar.gz); an existing file is kept')
    .option('--data <dir>', 'data folder to look at')
    .option('--port-base <port>', 'first of eight ports, for what doctor says of them', portBaseOf, DEFAULT_PORT_BASE)
    .option('--lines <count>', 'lines of each log at most', linesOf, 500)
    .action(async (flags: SupportFlags) => {
      const [out, data] = [resolve(flags.out), resolve(flags.data ?? context.defaultData)];
      if (existsSync(out)) throw supportError('ERR_SUPPORT_EXISTS', { details: [{ pointer: out, detail: 'exists' }] });
      const doctor = await examine(data, flags.portBase);
      const { version, surroundings } = context;
      const files = await collectBundle({ data, version, lines: flags.lines, doctor, surroundings });
      const bytes = tarGz(files);
      writeDurably(out, bytes);
      context
        .output()
        .result({ ok: true, out, bytes: bytes.length, files: files.map(({ name }) => name) }, [
          `${out} (${files.length} files, ${bytes.length} bytes): look through it before you send it`,
        ]);
    });
}

function linesOf(text: string): number {
  const lines = Number(text);
  if (!Number.isInteger(lines) || lines < 0 || lines > 10_000)
    throw new InvalidArgumentError('choose a number from 0 to 10000.');
  return lines;
}
