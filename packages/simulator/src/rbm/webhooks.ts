/**
 * Webhooks of the simulated platform: the set-up handshake, then events in Pub/Sub form with `X-Goog-Signature` (Google,
 * "Webhooks"). One event at a time and in order: as with Google, an event the webhook does not answer with 200 blocks
 * those behind it and is tried again with growing pauses (shorter ones than Google's 600 s).
 */
import { createHmac } from 'node:crypto';
import type { Delays } from '../delays.ts';
import type { Faults } from '../faults.ts';
import { randomHex, randomUuid } from '../random-id.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 3_000;
const TIMEOUT_MS = 10_000;

export interface WebhookOptions {
  readonly url: string | undefined;
  readonly clientToken: string;
  readonly now: () => number;
  readonly random: () => number;
  readonly faults: Faults;
  readonly delays: Delays;
}

/** An event or a message of a person, as it is written into `data`. */
export type RbmEvent = Readonly<Record<string, unknown>> & { readonly agentId: string };

export interface Webhooks {
  post(event: RbmEvent): void;
  /** Resolves when nothing waits to be posted, or the simulator stops. */
  idle(): Promise<void>;
  state(): 'none' | 'waiting' | 'verified';
  /** Resolves when the loop has ended after `delays.stop()`. */
  readonly ended: Promise<void>;
}

export function createWebhooks(options: WebhookOptions): Webhooks {
  const { delays } = options;
  const queue: RbmEvent[] = [];
  const idlers = new Set<() => void>();
  let wake = (): void => undefined;
  let verified = false;

  async function run(): Promise<void> {
    if (options.url === undefined) return;
    await until(() => handshake(options, options.url));
    verified = !delays.signal.aborted;
    while (!delays.signal.aborted) {
      const [event] = queue;
      if (event === undefined) await rest();
      else if (await until(() => push(options, event))) queue.shift();
    }
  }

  /** Tries until it works; false when the simulator stops first. */
  async function until(attempt: () => Promise<boolean>): Promise<boolean> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      if (await attempt()) return true;
      if (!(await delays.pause(pauseMs))) return false;
    }
  }

  async function rest(): Promise<void> {
    for (const idler of idlers) idler();
    idlers.clear();
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }

  const ended = run().finally(() => {
    for (const idler of idlers) idler();
  });
  delays.signal.addEventListener('abort', () => wake());
  return {
    post(event) {
      if (options.url !== undefined) queue.push(event);
      wake();
    },
    idle() {
      if (queue.length === 0 || delays.signal.aborted) return Promise.resolve();
      return new Promise((resolve) => void idlers.add(resolve));
    },
    state: () => (options.url === undefined ? 'none' : verified ? 'verified' : 'waiting'),
    ended,
  };
}

/** Answered with the secret as plain text, the webhook is ours (Google, "Webhooks", "Verify your webhook"). */
async function handshake(options: WebhookOptions, url: string | undefined): Promise<boolean> {
  const secret = randomHex(options.random, 32);
  const answer = await request(options, url, JSON.stringify({ clientToken: options.clientToken, secret }), {});
  return answer?.status === 200 && answer.text.trim() === secret;
}

async function push(options: WebhookOptions, event: RbmEvent): Promise<boolean> {
  const data = Buffer.from(JSON.stringify(event));
  const forged = options.faults.strike('signature').kind === 'forged-signature';
  const key = forged ? `not ${options.clientToken}` : options.clientToken;
  const body = {
    message: {
      data: data.toString('base64'),
      messageId: String(Math.floor(options.random() * 1e15)),
      publishTime: new Date(options.now()).toISOString(),
      attributes: { project_number: '0', business_id: event.agentId, message_type: typeOf(event), product: 'RBM' },
    },
    subscription: `projects/sealpost-simulator/subscriptions/${randomUuid(options.random)}`,
  };
  const signature = createHmac('sha512', key).update(data).digest('base64');
  const answer = await request(options, options.url, JSON.stringify(body), { 'x-goog-signature': signature });
  return answer?.status === 200;
}

/** What the platform calls it outside of the signed data. */
function typeOf(event: RbmEvent): string {
  if ('suggestionResponse' in event) return 'SUGGESTION_RESPONSE';
  return 'text' in event ? 'TEXT' : 'USER_EVENT';
}

async function request(
  { delays }: WebhookOptions,
  url: string | undefined,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ status: number; text: string } | undefined> {
  if (url === undefined) return undefined;
  const signal = AbortSignal.any([delays.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  try {
    const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body, signal };
    const response = await fetch(url, init);
    return { status: response.status, text: await response.text() };
  } catch {
    return undefined;
  }
}
