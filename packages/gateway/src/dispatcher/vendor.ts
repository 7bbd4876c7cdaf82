/** The provider accounts of the configuration, each an adapter with its settings and what it may reach. */
import { readFile } from 'node:fs/promises';
import { type Adapter, createAdapter } from '@sealpost/channels';
import { createGuardedFetch, type Logger, type Surroundings } from '@sealpost/platform';
import type { AdapterName } from '@sealpost/protocol';
import type { DispatcherConfig } from './config.ts';

/** A provider account: the adapter that speaks to it, by name and in person. */
export interface Vendor {
  readonly name: AdapterName;
  readonly adapter: Adapter;
}

export function createVendors(
  config: DispatcherConfig,
  { surroundings, logger }: { readonly surroundings: Surroundings; readonly logger: Logger },
): Map<string, Vendor> {
  return new Map(
    Object.entries(config.vendors).map(
      ([vendor, { adapter: name, unsafe_private_hosts: privateHosts, ...settings }]) => {
        if (privateHosts.length > 0) logger.warn('unsafe option in use', { option: 'unsafe_private_hosts', vendor });
        const context = {
          now: surroundings.now,
          fetch: createGuardedFetch({ privateHosts }),
          readSecret: async (path: string) => trimNewline(new Uint8Array(await readFile(path))),
          random: surroundings.random,
        };
        return [vendor, { name, adapter: createAdapter(name, settings, context) }];
      },
    ),
  );
}

function trimNewline(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end -= 1;
  return bytes.subarray(0, end);
}
