/**
 * What people write back while services die, and the application that subscribed to it: it answers each letter at once, and
 * keeps what it was told, so that the judge can ask whether anything was lost or made twice on the way.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

const eventSchema = z.object({
  id: z.uuid(),
  data: z.object({ content: z.object({ text: z.string() }) }),
});

/** A letter as it came: one event may come more than once, under its one id. */
export interface Told {
  readonly event: string;
  readonly text: string;
}

export interface Subscriber {
  readonly url: string;
  readonly told: readonly Told[];
  close(): Promise<void>;
}

export async function openSubscriber(): Promise<Subscriber> {
  const told: Told[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const { id, data } = eventSchema.parse(JSON.parse(body));
    told.push({ event: id, text: data.content.text });
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/events`,
    told,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Their own carrier takes it at once and brings it to us until we have it. */
export async function writeBack(simulator: string, phone: string, text: string): Promise<void> {
  const answer = await fetch(`${simulator}/phones/${phone}/writes`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ channel: 'rcs', kind: 'text', text }),
  });
  if (answer.status !== 202) throw new Error(`the simulator answered ${answer.status}`);
}
