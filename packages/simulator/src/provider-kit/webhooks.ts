/**
 * Webhooks of a provider on the kit: posted in order, each until it is answered (a refusal too ends it), with growing
 * pauses, or written to every open event stream where the provider has those. A receipt fault decides what is told of
 * one message.
 */
import type { ServerResponse } from 'node:http';
import type { Delays } from '../delays.ts';
import type { ProviderDefinition, ProviderEvent, TakenMessage } from './definition.ts';
import type { ProviderFault } from './faults.ts';

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1_000;
const TIMEOUT_MS = 5_000;

export interface ProviderWebhooks {
  /** Tells what became of a message, as the fault has it; resolves when all is answered. */
  report(message: TakenMessage, fault: ProviderFault | undefined): Promise<void>;
  /** What a person writes back. */
  say(id: string, address: string, text: string): Promise<void>;
  /** Keeps this answer open as an event stream. */
  follow(response: ServerResponse): void;
  /** Lets late receipts go. */
  release(): Promise<void>;
}

export function createProviderWebhooks(
  definition: ProviderDefinition,
  url: string | undefined,
  delays: Delays,
): ProviderWebhooks {
  const held: TakenMessage[] = [];
  const followers = new Set<ServerResponse>();
  let last: Promise<void> = Promise.resolve();

  function post(event: ProviderEvent, genuine = true): Promise<void> {
    last = last.then(() => deliver(event, genuine));
    return last;
  }

  async function deliver(event: ProviderEvent, genuine: boolean): Promise<void> {
    const body = definition.webhooks?.bodyOf(event);
    if (body !== undefined && definition.streams !== undefined) return write(body);
    const proof = body === undefined ? undefined : definition.webhooks?.prove(body, genuine);
    if (url === undefined || body === undefined || proof === undefined) return;
    const target = proof.query === undefined ? url : `${url}?${proof.query}`;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      if (await isAnswered(target, body, proof.headers, delays.signal)) return;
      if (!(await delays.pause(pauseMs))) return;
    }
  }

  /** Once somebody follows; a provider with a stream repeats nothing. */
  async function write(body: string): Promise<void> {
    while (followers.size === 0) if (!(await delays.pause(FIRST_PAUSE_MS))) return;
    for (const follower of followers) follower.write(`data: ${body}\n\n`);
  }

  const delivered = (message: TakenMessage) => post({ kind: 'delivered', message });

  return {
    async report(message, fault) {
      switch (fault) {
        case 'late-receipt':
          held.push(message);
          return;
        case 'duplicate-receipt':
          await delivered(message);
          return delivered(message);
        case 'reordered-receipt':
          await post({ kind: 'read', message });
          return delivered(message);
        case 'unknown-receipt':
          await delivered({ ...message, id: definition.idOf(UNKNOWN_SERIAL) });
          return delivered(message);
        case 'forged-signature':
          return post({ kind: 'delivered', message }, false);
        default:
          return delivered(message);
      }
    },
    say: (id, address, text) => post({ kind: 'said', id, address, text }),
    follow(response) {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      followers.add(response);
      response.on('close', () => followers.delete(response));
    },
    async release() {
      for (const message of held.splice(0)) await delivered(message);
    },
  };
}

/** Of a message that was never sent. */
const UNKNOWN_SERIAL = 999_999;

async function isAnswered(
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
  stopping: AbortSignal,
): Promise<boolean> {
  try {
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(TIMEOUT_MS)]);
    const response = await fetch(url, { method: 'POST', headers, body, signal });
    await response.arrayBuffer();
    return response.status < 500;
  } catch {
    return false;
  }
}
