/**
 * A small HTTP proxy between a sender and control that can answer 503 in control's place, and remembers every exchange to
 * the byte.
 */
import { createServer, type IncomingHttpHeaders } from 'node:http';

export interface Exchange {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly status: number;
  readonly answer: string;
}

export interface HoldingProxy {
  /** The next `count` requests are answered 503 and go no further. */
  refuseNext(count: number): void;
  exchanges(): readonly Exchange[];
  close(): Promise<void>;
}

export async function openHoldingProxy(port: number, target: string): Promise<HoldingProxy> {
  const exchanges: Exchange[] = [];
  let refusals = 0;
  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { headers, method = 'GET', url = '/' } = request;
    const body = Buffer.concat(chunks).toString('utf8');
    const refused = refusals > 0;
    if (refused) refusals--;
    const { status, answer } = refused
      ? { status: 503, answer: '' }
      : await passOn(`${target}${url}`, method, headers, body);
    exchanges.push({ headers, body, status, answer });
    response.writeHead(status, { 'content-type': 'application/json' }).end(answer);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    refuseNext(count) {
      refusals = count;
    },
    exchanges: () => exchanges,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function passOn(url: string, method: string, headers: IncomingHttpHeaders, body: string) {
  const { authorization = '', 'content-type': type = '' } = headers;
  const answer = await fetch(url, { method, headers: { authorization, 'content-type': type }, body });
  return { status: answer.status, answer: await answer.text() };
}
