/** A device listener and an internal one over real HTTP on the loopback, and a device's way to sign what it sends there. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signRequest } from '@sealpost/crypto/signer';
import { createServer } from '@sealpost/platform';
import { utf8 } from '@sealpost/protocol';
import { deviceScope } from '../../src/http/device-auth.ts';
import {
  createBlobs,
  openDiskStore,
  registerBlobDeviceRoutes,
  registerBlobRoutes,
} from '../../src/modules/blobs/index.ts';
import { registerDirectoryRoutes } from '../../src/modules/directory/index.ts';
import { registerGroupRoutes, registerKeyPackageRoutes } from '../../src/modules/groups/index.ts';
import { createSync, type ReceiptIntake } from '../../src/modules/sync/index.ts';
import type { Bench, Node } from '../directory/bench.ts';
import { type Person, random } from '../directory/people.ts';
import { quiet } from '../support/gateway-log.ts';

export interface Listener extends AsyncDisposable {
  /** http://127.0.0.1:port of the device listener. */
  readonly url: string;
  readonly internalUrl: string;
  readonly folder: string;
  readonly receipts: ReceiptLedger;
}

/** Takes receipts as delivery does: each once for a device, and refuses what is no receipt. */
export class ReceiptLedger implements ReceiptIntake {
  readonly taken: { jws: string; device: string }[] = [];
  async deviceReceipt(jws: string, device: string) {
    if (!jws.startsWith('receipt')) return { outcome: 'refused', code: 'ERR_DELIVERY_RECEIPT' } as const;
    if (this.taken.some((known) => known.jws === jws && known.device === device))
      return { outcome: 'duplicate' } as const;
    this.taken.push({ jws, device });
    return { outcome: 'recorded' } as const;
  }
}

export async function startListener(bench: Bench, node: Node = bench): Promise<Listener> {
  const folder = await mkdtemp(join(tmpdir(), 'sealpost-blobs-'));
  const surroundings = bench.clock;
  const blobs = createBlobs({ ...node, surroundings, store: await openDiskStore(folder, surroundings) });
  const receipts = new ReceiptLedger();
  const sync = createSync({ ...node, surroundings, receipts, logger: quiet });
  const options = { version: '0', logger: quiet, bodyLimit: 1_000_000, ready: async () => undefined };
  const server = await createServer({ ...options, name: 'device' });
  await deviceScope(server, { ...node, surroundings }, (scope, callerOf) => {
    registerKeyPackageRoutes(scope, { groups: node.groups, callerOf });
    registerBlobDeviceRoutes(scope, { blobs, callerOf });
  });
  const internal = await createServer({ ...options, name: 'internal' });
  registerDirectoryRoutes(internal, node);
  registerGroupRoutes(internal, node);
  await registerBlobRoutes(internal, { blobs });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  const internalUrl = await internal.listen({ host: '127.0.0.1', port: 0 });
  sync.attach(server.server);
  return {
    url,
    internalUrl,
    folder,
    receipts,
    async [Symbol.asyncDispose]() {
      await sync.stop();
      await server.close();
      await internal.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface SignedWishes {
  readonly body?: unknown;
  readonly created?: number;
  readonly nonce?: string;
}

/** The request as the device would send it; send it twice to replay it. */
export async function signed(
  person: Pick<Person, 'signer'>,
  method: string,
  url: string,
  { body, created = Date.now(), nonce = random(16) }: SignedWishes = {},
): Promise<{ url: string; init: RequestInit & { headers: Record<string, string> } }> {
  const bytes = body === undefined ? undefined : utf8(JSON.stringify(body));
  const headers = bytes === undefined ? {} : { 'content-type': 'application/json' };
  const request = { method, url, headers, ...(bytes === undefined ? {} : { body: bytes }) };
  const signature = await signRequest(request, person.signer, { created, nonce });
  return {
    url,
    init: { method, headers: { ...headers, ...signature }, ...(bytes === undefined ? {} : { body: bytes }) },
  };
}
