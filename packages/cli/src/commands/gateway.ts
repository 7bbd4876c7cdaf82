/** `sealpost gateway`: run the carrying server, its dispatcher, or the simulated carriers. */
import { Command } from 'commander';
import { serveEntry } from './serve.ts';

export function gatewayCommand(): Command {
  const command = new Command('gateway').description('the carrying server and its dispatcher');
  const serve = (name: string, description: string, entry: Parameters<typeof serveEntry>[0]) =>
    command
      .command(name)
      .description(description)
      .requiredOption('--config <file>', 'its configuration')
      .action((flags: { config: string }) => serveEntry(entry, flags.config));
  serve('serve', 'run the gateway', 'gateway');
  serve('dispatch', 'run the dispatcher: opens one carrier form for one attempt', 'dispatcher');
  serve('simulate', 'run simulated carriers (RCS for Business, SMSC) for development and drills', 'simulator');
  return command;
}
