/**
 * A provider that answers at once: the parts of Google's RCS platform that `rcs-google` calls, and its webhook. What it
 * costs is counted with the rest; the simulator, which keeps phones and faults, would be measured more than we are.
 */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServiceAccount } from '@sealpost/simulator';

export const CLIENT_TOKEN = 'bench-only';
export const PROVIDER_AGENT = 'acme-incidents';

export interface Provider {
  readonly url: string;
  /** Google's JSON key file for this provider. */
  readonly serviceAccountJson: string;
  stop(): Promise<void>;
}

export interface ProviderOptions {
  /** Where events go; asked for each time, because the dispatcher starts after its provider. */
  readonly webhook: () => string;
  /** Called with the link of each notice once its delivery was reported. */
  readonly delivered: (link: string) => Promise<void>;
  /** What went wrong after an answer was given. */
  readonly failed: (cause: unknown) => void;
}

export async function startProvider({ webhook, delivered, failed }: ProviderOptions): Promise<Provider> {
  const { serviceAccountJson } = createServiceAccount();
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://provider');
    const body = await textOf(request);
    response.setHeader('content-type', 'application/json');
    if (pathname === '/token') return response.end(JSON.stringify({ access_token: 'bench', expires_in: 3600 }));
    if (pathname.endsWith('/capabilities')) return response.end(JSON.stringify({ features: ['RICHCARD_STANDALONE'] }));
    const id = searchParams.get('messageId') ?? '';
    response.end(JSON.stringify({ name: `${pathname.slice('/v1/'.length)}/${id}` }));
    await report(webhook(), id);
    return await delivered(linkOf(body));
  };
  const server = createServer((request, response) => void take(request, response).catch(failed));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    serviceAccountJson,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** "Delivered", as Google says it (RCS for Business, "Webhooks"). */
async function report(webhook: string, messageId: string): Promise<void> {
  const event = { senderPhoneNumber: '+4915112345678', eventType: 'DELIVERED', messageId, agentId: PROVIDER_AGENT };
  const data = Buffer.from(JSON.stringify({ ...event, eventId: messageId }));
  const signature = createHmac('sha512', CLIENT_TOKEN).update(data).digest('base64');
  const answer = await fetch(webhook, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-goog-signature': signature },
    body: JSON.stringify({ message: { data: data.toString('base64') } }),
  });
  await answer.arrayBuffer();
  if (answer.status !== 200) throw new Error(`webhook answered ${answer.status}`);
}

function linkOf(body: string): string {
  return /"openUrlAction":\{"url":"([^"]+)"/.exec(body)?.[1] ?? '';
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
}
