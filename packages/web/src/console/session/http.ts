/** Calls to control on this page's own origin. An answer is parsed before it is believed; a problem keeps its own code. */
import { ERROR_KINDS, type ErrorKind, problemSchema, SealpostError } from '@sealpost/protocol';
import type { z } from 'zod';
import { consoleError } from '../console-errors.ts';

export interface Call {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly body?: unknown;
  readonly token?: string;
  readonly signal?: AbortSignal;
}

export interface Http {
  json<Schema extends z.ZodType>(path: string, schema: Schema, call?: Call): Promise<z.output<Schema>>;
  text(path: string): Promise<string>;
}

export function createHttp(send: typeof fetch): Http {
  const answer = async (path: string, { method = 'GET', body, token, signal }: Call): Promise<Response> => {
    const request = {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    };
    const response = await send(path, request).catch((cause: unknown) => {
      signal?.throwIfAborted();
      throw consoleError('ERR_CONSOLE_AWAY', { cause });
    });
    if (!response.ok) throw await problemOf(response);
    return response;
  };
  return {
    async json(path, schema, call = {}) {
      const response = await answer(path, call);
      const parsed = schema.safeParse(await response.json().catch(() => undefined));
      if (!parsed.success) throw consoleError('ERR_CONSOLE_ANSWER', { cause: parsed.error });
      return parsed.data;
    },
    text: async (path) => (await answer(path, {})).text(),
  };
}

async function problemOf(response: Response): Promise<SealpostError> {
  const problem = problemSchema.safeParse(await response.json().catch(() => undefined));
  if (!problem.success) return consoleError('ERR_CONSOLE_ANSWER');
  const { code, title, hint, status, errors = [] } = problem.data;
  const row = { kind: kindOf(status), sentence: title, hint };
  return new SealpostError(`ERR_${code.replace(/^ERR_/, '')}`, row, { details: errors });
}

function kindOf(status: number): ErrorKind {
  const found = Object.entries(ERROR_KINDS).find(([, number]) => number === status)?.[0];
  return found !== undefined && isKind(found) ? found : 'unavailable';
}

function isKind(name: string): name is ErrorKind {
  return name in ERROR_KINDS;
}
