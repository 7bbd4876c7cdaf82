/** Runs a deployable's own entry in this process, so that `sealpost control serve` and its bundle are the same program. */
import { pathToFileURL } from 'node:url';
import { entryOf, type ServiceName } from '../assets.ts';

interface Entry {
  readonly main: (argv: readonly string[]) => Promise<void>;
}

export async function serveEntry(service: ServiceName, config: string): Promise<void> {
  const entry = (await import(pathToFileURL(entryOf(service)).href)) as Entry;
  await entry.main(['--config', config]);
}
