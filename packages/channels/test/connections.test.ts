/**
 * How an attempt ends when the connection itself fails, over real sockets: what may have arrived is never called unsent,
 * and what never left is never called ambiguous.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { type ChannelAdapterName, createAdapter } from '../src/index.ts';
import { attemptTo } from './contract.ts';
import { contextOf } from './recorded-provider.ts';
import { addressFor, FILES, NAMES, SETTINGS } from './recorded-settings.ts';

type Fault = (request: IncomingMessage, response: ServerResponse) => void;

const FAULTS: Readonly<Record<string, Fault>> = {
  'is reset': (request) => request.socket.destroy(),
  'stays silent': () => undefined,
  'ends in the middle of the answer': (request, response) => {
    response.writeHead(200, { 'content-length': '500' }).write('{"ok":true');
    setImmediate(() => request.socket.destroy());
  },
};

/** One attempt at a provider that takes the whole request and then does this; `undefined`: it is not there at all. */
async function attemptAgainst(name: ChannelAdapterName, fault: Fault | undefined) {
  const received: number[] = [];
  const server = createServer(async (request, response) => {
    let size = 0;
    for await (const chunk of request) size += chunk.length;
    received.push(size);
    fault?.(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  if (fault === undefined) await close();
  const settings = { ...SETTINGS[name], base_url: `http://127.0.0.1:${port}`, timeout: '300ms' };
  const adapter = createAdapter(name, settings, contextOf(FILES));
  const outcome = await adapter.send(attemptTo(addressFor(name)));
  await adapter.stop();
  if (fault !== undefined) await close();
  return { outcome, received };
}

describe.each(NAMES)('%s', (name) => {
  it.each(Object.keys(FAULTS))('is ambiguous when the connection %s after the request', async (fault) => {
    const { outcome, received } = await attemptAgainst(name, FAULTS[fault]);
    expect(outcome.kind).toBe('ambiguous');
    expect(received).toHaveLength(1);
    expect(received[0]).toBeGreaterThan(0);
  });

  it('may be tried again when nobody listens', async () => {
    const { outcome, received } = await attemptAgainst(name, undefined);
    expect(outcome).toMatchObject({ kind: 'retry-after', reason: 'connection ECONNREFUSED' });
    expect(received).toEqual([]);
  });
});
