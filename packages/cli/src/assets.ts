/** Where things lie beside this program: in the repository, or in a built release (dist/<deployable>/bin/main.mjs). */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = import.meta.dirname;

const ENTRIES = {
  control: '@sealpost/control/server',
  gateway: '@sealpost/gateway/server',
  dispatcher: '@sealpost/gateway/dispatcher',
  simulator: '@sealpost/simulator/server',
} as const;
export type ServiceName = keyof typeof ENTRIES;

/** The file that runs a deployable: its bundle beside this one, else its source. */
export function entryOf(service: ServiceName): string {
  const bundled = join(HERE, '../..', service, 'bin/main.mjs');
  return existsSync(bundled) ? bundled : fileURLToPath(import.meta.resolve(ENTRIES[service]));
}

/** The built pages, each a folder; from a checkout they are built into `work` first, which takes a moment once. */
export async function builtPages(work: string): Promise<string> {
  const bundled = join(HERE, '../../pages');
  if (existsSync(bundled)) return bundled;
  const { buildPages } = await import('@sealpost/web/build');
  await buildPages(work);
  return work;
}

/** The manifests of the story. */
export function demoManifests(): string {
  const beside = join(HERE, '../manifests/demo');
  return existsSync(beside) ? beside : join(HERE, '../../../manifests/demo');
}

export function ownVersion(): string {
  const { version } = JSON.parse(readFileSync(join(HERE, '../package.json'), 'utf8')) as { version: string };
  return version;
}
