/**
 * The simulator as a process: `main(['--config', FILE])` starts it, prints one JSON line on stdout when it is ready, and
 * stops on SIGTERM, SIGINT, or when the parent that started it over IPC is gone.
 */
import { parseArgs } from 'node:util';
import { readConfig } from './config-schema.ts';
import { startSimulator } from './simulator.ts';

export async function main(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...argv], options: { config: { type: 'string' } } });
  if (values.config === undefined) throw new Error('use --config FILE');
  const options = await readConfig(values.config);
  const simulator = await startSimulator({ ...options, now: Date.now, random: Math.random });

  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    void simulator.stop().then(release);
  };
  const release = (): void => {
    process.off('SIGTERM', stop);
    process.off('SIGINT', stop);
    process.off('disconnect', stop);
    if (process.connected) process.disconnect();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  if (process.connected) process.once('disconnect', stop);

  const { httpPort, smscPort, rbmPort } = simulator;
  process.send?.({ kind: 'ready', name: 'simulator' });
  process.stdout.write(`${JSON.stringify({ event: 'ready', name: 'simulator', httpPort, smscPort, rbmPort })}\n`);
}

if (import.meta.main) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    process.stderr.write(`sealpost: error: ${error instanceof Error ? error.message : 'simulator failed'}\n`);
    process.exitCode = 1;
  });
}
