/**
 * An adapter whose provider is a function, for what a stateful fake cannot be made to say: every answer a provider has
 * published, and the exact requests that lead to them.
 */
import { type AdapterContext, type ChannelAdapterName, createAdapter } from '../src/index.ts';

export interface Asked {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string;
}
export type Answering = (asked: Asked) => Response | Promise<Response>;

export const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers });

export function contextOf(
  files: Readonly<Record<string, string>>,
  change: Partial<AdapterContext> = {},
): AdapterContext {
  return {
    now: Date.now,
    fetch,
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
    async readSecret(path) {
      const content = files[path];
      if (content === undefined) throw new Error('no such file');
      return new TextEncoder().encode(content);
    },
    ...change,
  };
}

export function recordedAdapter(
  name: ChannelAdapterName,
  settings: unknown,
  files: Readonly<Record<string, string>>,
  answer: Answering,
  change: Partial<AdapterContext> = {},
) {
  const asked: Asked[] = [];
  const recording: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const said = {
      url: new URL(request.url),
      method: request.method,
      headers: request.headers,
      body: await request.text(),
    };
    asked.push(said);
    return answer(said);
  };
  return { adapter: createAdapter(name, settings, contextOf(files, { fetch: recording, ...change })), asked };
}

/** A failed fetch as undici reports it. */
export function failing(code: string): Answering {
  return () => {
    throw new TypeError('fetch failed', { cause: Object.assign(new Error('failed'), { code }) });
  };
}
