/**
 * HTTP to control and to the gateway's device listener. Requests to the gateway are signed with the device key (RFC
 * 9421). A problem document becomes an error with its own code; everything else unexpected is ours to name.
 */
import { type Signer, signRequest } from '@sealpost/crypto/signer';
import {
  ERROR_KINDS,
  type ErrorKind,
  fromUtf8,
  problemSchema,
  SealpostError,
  toBase64url,
  utf8,
} from '@sealpost/protocol';
import { clientError } from './client-errors.ts';
import { type ClientSurroundings, fetchOf } from './surroundings.ts';

/** What of a zod schema is needed here. */
interface AnswerSchema<T> {
  safeParse(value: unknown): { readonly success: true; readonly data: T } | { readonly success: false };
}

export interface Http {
  post<T>(path: string, body: unknown, answer: AnswerSchema<T>): Promise<T>;
  /** The body, refused beyond `limit` bytes. */
  get(path: string, limit: number): Promise<Uint8Array>;
}

const TIMEOUT = 30_000;
const ANSWER_LIMIT = 1_000_000;

/** Without a signer, requests go unsigned: enrollment proves itself by its code and its certificate request. */
export function createHttp(base: string, surroundings: ClientSurroundings, signer?: Signer): Http {
  const send = async (method: 'GET' | 'POST', path: string, body?: Uint8Array<ArrayBuffer>): Promise<Response> => {
    const url = new URL(path, base).href;
    const plain: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
    const request = body === undefined ? { method, url } : { method, url, body };
    const signed = signer === undefined ? {} : await signRequest(request, signer, proofOfNow(surroundings));
    const init: RequestInit = {
      method,
      headers: { ...plain, ...signed },
      redirect: 'error',
      cache: 'no-store',
      credentials: 'omit',
      signal: AbortSignal.timeout(TIMEOUT),
      ...(body === undefined ? {} : { body }),
    };
    const response = await fetchOf(surroundings)(url, init).catch((cause: unknown) => {
      throw clientError('ERR_CLIENT_AWAY', { cause, details: [{ pointer: base, detail: 'does not answer' }] });
    });
    if (!response.ok) throw await problemIn(response);
    return response;
  };
  return {
    async post(path, body, answer) {
      const response = await send('POST', path, utf8(JSON.stringify(body)));
      const parsed = answer.safeParse(jsonOf(await bodyOf(response, ANSWER_LIMIT)));
      if (parsed.success) return parsed.data;
      throw clientError('ERR_CLIENT_ANSWER', { details: [{ pointer: path, detail: 'is not in the documented form' }] });
    },
    get: async (path, limit) => bodyOf(await send('GET', path), limit),
  };
}

function proofOfNow(surroundings: ClientSurroundings) {
  return { created: surroundings.now(), nonce: toBase64url(surroundings.random(16)) };
}

async function bodyOf(response: Response, limit: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  try {
    for (let piece = await reader?.read(); piece?.value !== undefined; piece = await reader?.read()) {
      length += piece.value.length;
      if (length > limit)
        throw clientError('ERR_CLIENT_ANSWER', { details: [{ pointer: 'body', detail: 'is too long' }] });
      parts.push(piece.value);
    }
  } catch (cause) {
    await reader?.cancel().catch(() => undefined);
    throw cause instanceof SealpostError ? cause : clientError('ERR_CLIENT_AWAY', { cause });
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** `undefined` for what is not JSON. */
export function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(bytes));
  } catch {
    return undefined;
  }
}

const KINDS = new Map(Object.entries(ERROR_KINDS).map(([kind, status]): [number, string] => [status, kind]));
const isKind = (kind: string | undefined): kind is ErrorKind => kind !== undefined && kind in ERROR_KINDS;

async function problemIn(response: Response): Promise<SealpostError> {
  const problem = problemSchema.safeParse(jsonOf(await bodyOf(response, ANSWER_LIMIT)));
  if (!problem.success)
    return clientError(response.status >= 500 ? 'ERR_CLIENT_AWAY' : 'ERR_CLIENT_ANSWER', {
      details: [{ pointer: String(response.status), detail: 'came without a problem document' }],
    });
  const { code, title, hint, errors = [] } = problem.data;
  const kind = KINDS.get(response.status);
  const row = { kind: isKind(kind) ? kind : 'internal', sentence: title, hint } as const;
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  return new SealpostError(`ERR_${code.replace(/^ERR_/, '')}`, row, {
    details: errors,
    ...(Number.isSafeInteger(retryAfter) ? { retryAfter } : {}),
  });
}
