/** The `sealpost` command line: global options, the commands, and one place where a failure becomes words and a code. */
import { systemSurroundings } from '@sealpost/platform';
import { Command, CommanderError } from 'commander';
import { ownVersion } from './assets.ts';
import { backupCommand } from './commands/backup.ts';
import { bootstrapCommand } from './commands/bootstrap.ts';
import { addCompletion } from './commands/completion.ts';
import { configCommand } from './commands/config.ts';
import type { CommandContext } from './commands/context.ts';
import { controlCommand } from './commands/control.ts';
import { databaseCommand } from './commands/database.ts';
import { deviceCommand } from './commands/device.ts';
import { doctorCommand } from './commands/doctor.ts';
import { gatewayCommand } from './commands/gateway.ts';
import { logCommand } from './commands/log.ts';
import { manifestsCommand } from './commands/manifests.ts';
import { messageCommand } from './commands/message.ts';
import { pageCommand } from './commands/page.ts';
import { sendCommand } from './commands/send.ts';
import { startCommand } from './commands/start.ts';
import { supportCommand } from './commands/support.ts';
import { createOutput, describeFailure, EXIT_CODES } from './output.ts';
import { defaultDataFolder } from './start/data-folder.ts';

export function createProgram(): Command {
  const version = ownVersion();
  const program = new Command('sealpost');
  const context: CommandContext = {
    output: () =>
      createOutput(program.opts<{ json?: boolean }>().json === true || process.argv.includes('--json'), {
        out: process.stdout,
        err: process.stderr,
      }),
    surroundings: systemSurroundings(),
    version,
    defaultData: defaultDataFolder(process.getuid?.() ?? -1),
    runtimeDir: process.env.XDG_RUNTIME_DIR,
    exitWith: (code) => {
      process.exitCode = code;
    },
    exitNow: () => process.exit(),
  };
  program
    .description('Sealpost: messages over RCS and every other channel, sealed end to end, proved afterwards')
    .version(version)
    .option('--json', 'one JSON line of result on standard output, nothing else')
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText(
      'after',
      `\nExamples:\n  sealpost start                 everything on this machine\n  sealpost start --demo --json   the story once, one JSON line\n  sealpost log verify FILE       verify an exported log offline\n\nExit codes: ${Object.entries(
        EXIT_CODES,
      )
        .map(([name, code]) => `${code} ${name}`)
        .join(', ')}`,
    );
  const commands = [
    startCommand(context),
    pageCommand(context),
    controlCommand(context),
    gatewayCommand(),
    deviceCommand(context),
    sendCommand(context),
    messageCommand(context),
    logCommand(context),
    bootstrapCommand(context),
    manifestsCommand(context),
    configCommand(context),
    databaseCommand(context),
    backupCommand(context),
    supportCommand(context),
    doctorCommand(context),
  ];
  for (const command of commands) program.addCommand(inherit(command));
  addCompletion(program);
  return program;
}

/** `--json` is understood at every level. */
function inherit(command: Command): Command {
  command.option('--json', 'one JSON line of result on standard output, nothing else').exitOverride();
  for (const child of command.commands) inherit(child);
  return command;
}

async function main(argv: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage;
      return;
    }
    const { lines, value, exit } = describeFailure(error);
    process.stderr.write(`${lines.join('\n')}\n`);
    if (argv.includes('--json')) process.stdout.write(`${JSON.stringify(value)}\n`);
    process.exitCode = exit;
  }
}

if (import.meta.main) await main(process.argv.slice(2));
