/**
 * A stateful fake of one HTTP provider on a port of its own. A call is validated first, then the fault in force strikes
 * before its effect or after it; `refuse` really closes the port.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { createDelays } from '../delays.ts';
import type { Call, ProviderDefinition, Recognised, Reply, TakenMessage } from './definition.ts';
import { createProviderFaults, type ProviderFault } from './faults.ts';
import { createProviderWebhooks } from './webhooks.ts';

export interface ProviderOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly definition: ProviderDefinition;
  /** Without one nothing is told. */
  readonly webhookUrl?: string | undefined;
}

export interface Provider {
  readonly url: string;
  /** What people were shown, oldest first. */
  messages(): readonly TakenMessage[];
  /** Resolves once it is in force. */
  setFault(fault: ProviderFault | undefined, count?: number): Promise<void>;
  /** A person writes to us; resolves when our side has answered. */
  say(id: string, address: string, text: string): Promise<void>;
  /** Lets late receipts go. */
  release(): Promise<void>;
  stop(): Promise<void>;
}

/** Longer than any client waits for a whole answer. */
const DRIP_PAUSE_MS = 100;
/** Above the limit an honest client reads, in one piece. */
const OVERSIZED_BYTES = 3 * 1024 * 1024;

export async function startProvider({ host, port, definition, webhookUrl }: ProviderOptions): Promise<Provider> {
  const delays = createDelays();
  const faults = createProviderFaults();
  const webhooks = createProviderWebhooks(definition, webhookUrl, delays);
  const messages: TakenMessage[] = [];
  const byKey = new Map<string, number>();
  const telling = new Set<Promise<void>>();

  function report(message: TakenMessage, fault: ProviderFault | undefined): Promise<void> {
    const told = webhooks.report(message, fault).finally(() => telling.delete(told));
    telling.add(told);
    return told;
  }

  /** A repeat of a key the provider knows is the message it has. */
  function take({ address, text, key }: Extract<Recognised, { kind: 'message' }>): TakenMessage {
    const known = key === undefined ? undefined : messages[byKey.get(key) ?? -1];
    if (known !== undefined) return known;
    const message = { id: key ?? definition.idOf(messages.length + 1), address, text };
    if (key !== undefined) byKey.set(key, messages.length);
    messages.push(message);
    return message;
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = await callOf(request);
    if (faults.holds('unauthorized')) return answer(response, definition.answers.unauthorized);
    if (definition.streams?.(call) === true) return webhooks.follow(response);
    const recognised = definition.recognise(call);
    if (recognised.kind !== 'message') return answer(response, recognised.answer);
    const fault = faults.strike();
    const early = replyBefore(definition, fault);
    if (early !== undefined) return answer(response, early);
    if (fault === 'reset') return void request.socket.destroy();
    if (fault === 'timeout-before-effect') return;
    const message = take(recognised);
    if (fault === 'early-receipt') await report(message, fault);
    const reply = definition.answers.taken(message);
    await answerAfter(response, reply, fault);
    if (fault !== 'early-receipt') await report(message, fault);
  }

  /** The effect is there; what its sender learns of it is the fault's. */
  async function answerAfter(response: ServerResponse, reply: Reply, fault: ProviderFault | undefined): Promise<void> {
    switch (fault) {
      case 'timeout-after-effect':
        return;
      case 'malformed':
        return answer(response, { ...reply, body: definition.answers.nonsense ?? '{"broken": "' });
      case 'oversized':
        return answer(response, {
          ...reply,
          body: `{"filler":"${'x'.repeat(OVERSIZED_BYTES)}",${reply.body.slice(1)}`,
        });
      case 'drip':
        return drip(response, reply);
      default:
        return answer(response, reply);
    }
  }

  async function drip(response: ServerResponse, reply: Reply): Promise<void> {
    response.writeHead(reply.status, reply.headers);
    for (const character of `${reply.body}${' '.repeat(600)}`) {
      response.write(character);
      if (response.destroyed || !(await delays.pause(DRIP_PAUSE_MS))) break;
    }
    response.end();
  }

  async function open(at: number): Promise<Server> {
    const server = createServer((request, response) => void handle(request, response).catch(() => response.destroy()));
    server.listen(at, host);
    await once(server, 'listening');
    return server;
  }

  let server: Server | undefined = await open(port);
  const address = server.address();
  const taken = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${host}:${taken}`,
    messages: () => messages,
    async setFault(fault, count) {
      faults.set(fault, count);
      if (fault === 'refuse' && server !== undefined) {
        await close(server);
        server = undefined;
      } else if (fault !== 'refuse') server ??= await open(taken);
    },
    say: (id, from, text) => webhooks.say(id, from, text),
    release: () => webhooks.release(),
    async stop() {
      delays.stop();
      if (server !== undefined) await close(server);
      await Promise.allSettled(telling);
    },
  };
}

function replyBefore({ answers }: ProviderDefinition, fault: ProviderFault | undefined): Reply | undefined {
  switch (fault) {
    case 'busy':
      return answers.busy;
    case 'failing':
      return answers.failing;
    case 'rejected':
      return answers.rejected;
    case 'capability-withdrawn':
      return answers.unreachable ?? answers.rejected;
    default:
      return undefined;
  }
}

async function callOf(request: IncomingMessage): Promise<Call> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://provider');
  const sent = Buffer.concat(chunks);
  const body = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent).toString('utf8');
  return { method: request.method ?? '', path: pathname, query: searchParams, headers: request.headers, body };
}

function answer(response: ServerResponse, { status, headers, body }: Reply): void {
  response.writeHead(status, headers).end(body);
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}
