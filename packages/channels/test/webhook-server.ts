/** Where a fake provider posts its webhooks: answers as the gateway will, 200 once the events are kept. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Adapter } from '../src/index.ts';
import type { RecordingSink } from './stages.ts';

export interface WebhookServer {
  readonly url: string;
  readonly forgeries: () => number;
  close(): Promise<void>;
}

export async function startWebhookServer(adapter: () => Adapter, sink: RecordingSink): Promise<WebhookServer> {
  let forgeries = 0;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const [, query = ''] = (request.url ?? '').split('?');
    const body = new Uint8Array(Buffer.concat(chunks));
    const result = await adapter().webhook?.({ method: 'POST', query, headers, body });
    if (result?.kind === 'events') await sink.receive(result);
    if (result?.kind === 'forged') forgeries += 1;
    response.statusCode = result?.kind === 'forged' ? 401 : result?.kind === 'malformed' ? 400 : 200;
    response.end(result?.kind === 'handshake' ? result.answer : '');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}/`,
    forgeries: () => forgeries,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
