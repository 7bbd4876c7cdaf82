/**
 * One HTTP call to a provider, with the one distinction retries rest on: did the provider perhaps act? A failure before
 * the request could leave us is `unsent`; a timeout or a broken connection after that is `unanswered`.
 */
import { z } from 'zod';

export interface HttpAnswer {
  readonly kind: 'answered';
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  readonly body: string;
}

export type HttpResult =
  | HttpAnswer
  /** Nothing left us: refused, unresolved, unroutable, or TLS not trusted. */
  | { readonly kind: 'unsent'; readonly code: string }
  /** Bytes were sent and no complete answer came. */
  | { readonly kind: 'unanswered'; readonly code: string };

const MAX_ANSWER_BYTES = 1024 * 1024;

/** Codes of libuv, Node's resolver, undici, OpenSSL and the guarded fetch that come before the first byte of a request. */
const UNSENT =
  /^(ECONNREFUSED|ENOTFOUND|EAI_[A-Z]+|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|ENETDOWN|EHOSTDOWN|UND_ERR_CONNECT_TIMEOUT|ERR_FETCH_(ADDRESS|URL|CONNECT_TIMEOUT)|CERT_[A-Z_]+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_[A-Z_]+|ERR_TLS_[A-Z_]+|ERR_SSL_[A-Z_0-9]+)$/;

const failureSchema = z.object({ code: z.string().regex(/^[A-Z0-9_]{1,64}$/) });

export interface HttpCall {
  readonly fetch: typeof fetch;
  readonly now: () => number;
  readonly timeoutMs: number;
}

/** Never throws for what a network or a provider does; never follows a redirect, which could carry a token elsewhere. */
export async function httpCall(call: HttpCall, url: string, init: RequestInit): Promise<HttpResult> {
  try {
    const response = await call.fetch(url, {
      ...init,
      redirect: 'manual',
      signal: AbortSignal.timeout(call.timeoutMs),
    });
    const body = await readBody(response);
    const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'), call.now());
    return { kind: 'answered', status: response.status, retryAfterMs, body };
  } catch (error) {
    const code = failureCode(error);
    return { kind: UNSENT.test(code) ? 'unsent' : 'unanswered', code };
  }
}

async function readBody(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_ANSWER_BYTES) break;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Retry-After as seconds or a date (RFC 9110 section 10.2.3), at most one day. */
function parseRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  const milliseconds = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isFinite(milliseconds) ? Math.min(Math.max(Math.ceil(milliseconds), 0), 86_400_000) : undefined;
}

/** The innermost machine code of a failed fetch; its message may hold the URL and is never used. */
function failureCode(error: unknown): string {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    const parsed = failureSchema.safeParse(at);
    if (parsed.success) return parsed.data.code;
    if (at.name === 'TimeoutError') return 'TIMEOUT';
  }
  return 'UNKNOWN';
}
