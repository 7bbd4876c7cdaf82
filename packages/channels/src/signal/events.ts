/**
 * The standing event stream of one daemon: opened, followed, and opened again with growing pauses until it is closed.
 * signal-cli repeats nothing, so no further event is read until the sink has the last; while no stream is open, a daemon that
 * receives on connection leaves messages with Signal.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { AdapterContext, EventSink, ProviderEvents } from '../adapter.ts';
import { jsonOf, MAX_WEBHOOK_BYTES } from '../webhook-request.ts';
import type { JsonRpcSettings } from './config.ts';
import { eventsOf } from './envelope.ts';
import { parseReceived } from './envelope-schema.ts';
import { createEventReader } from './event-stream.ts';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;
/** A stream shorter than this counts as one more failure, so that a flapping daemon is not hammered. */
const STEADY_MS = 5_000;

export interface Events {
  close(): Promise<void>;
}

export function openEvents(settings: JsonRpcSettings, context: AdapterContext, sink: EventSink): Events {
  const closing = new AbortController();

  async function stay(): Promise<void> {
    for (let failures = 0; !closing.signal.aborted; ) {
      const started = context.now();
      await follow();
      failures = context.now() - started >= STEADY_MS ? 0 : failures + 1;
      await pause(failures);
    }
  }

  /** Until the stream ends, however it does: what follows is the same. */
  async function follow(): Promise<void> {
    const silent = new AbortController();
    const timer = setTimeout(() => silent.abort(), settings.silence);
    try {
      if (!(await isUp())) return;
      timer.refresh();
      const stream = await open(AbortSignal.any([closing.signal, silent.signal]));
      const read = createEventReader(MAX_WEBHOOK_BYTES);
      for await (const chunk of stream ?? []) {
        for (const data of read(chunk)) await take(data);
        timer.refresh();
      }
    } catch {
      // It broke off, or we closed it.
    } finally {
      clearTimeout(timer);
    }
  }

  /** Asked first, because the stream itself may say nothing before its first event. */
  async function isUp(): Promise<boolean> {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(settings.timeout)]);
    const answer = await context.fetch(`${settings.base_url}/api/v1/check`, { redirect: 'manual', signal });
    await answer.body?.cancel();
    return answer.status === 200;
  }

  async function open(signal: AbortSignal): Promise<ReadableStream<Uint8Array> | undefined> {
    const url = `${settings.base_url}/api/v1/events?${new URLSearchParams({ account: settings.account })}`;
    const headers = { accept: 'text/event-stream' };
    const answer = await context.fetch(url, { headers, redirect: 'manual', signal });
    if (answer.status === 200) return answer.body ?? undefined;
    await answer.body?.cancel();
    return undefined;
  }

  async function take(data: string): Promise<void> {
    const received = parseReceived(jsonOf(data));
    if (received === undefined) return;
    const events = eventsOf(received, settings.account);
    if (events.receipts.length + events.inbound.length > 0) await store(events);
  }

  async function store(events: ProviderEvents): Promise<void> {
    for (let failures = 1; !closing.signal.aborted; failures += 1) {
      try {
        return await sink.receive(events);
      } catch {
        await pause(failures);
      }
    }
  }

  async function pause(failures: number): Promise<void> {
    const milliseconds = Math.min(FIRST_PAUSE_MS * 2 ** Math.max(failures - 1, 0), LONGEST_PAUSE_MS);
    await wait(milliseconds, undefined, { signal: closing.signal }).catch(() => undefined);
  }

  const staying = stay();
  return {
    async close() {
      closing.abort();
      await staying;
    },
  };
}
