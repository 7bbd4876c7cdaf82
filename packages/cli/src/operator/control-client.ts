/** Calls to control's HTTP interface; a problem document becomes a SealpostError with its own code and hint. */
import {
  ERROR_KINDS,
  type ErrorKind,
  type ErrorTable,
  errorsOf,
  problemSchema,
  SealpostError,
} from '@sealpost/protocol';
import type { z } from 'zod';

const CONTROL_CLIENT_ERRORS = {
  ERR_CONTROL_AWAY: {
    kind: 'unavailable',
    sentence: 'Control does not answer.',
    hint: 'Check that it runs (sealpost start) and the address given with --control.',
  },
  ERR_CONTROL_ANSWER: {
    kind: 'internal',
    sentence: 'Control answered something this version does not understand.',
    hint: 'Use the command line of the same version as the server.',
  },
} as const satisfies ErrorTable;
const clientError = errorsOf(CONTROL_CLIENT_ERRORS);

const TIMEOUT = 30_000;

export interface ControlClient {
  readonly url: string;
  call<Schema extends z.ZodType>(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    answer: Schema,
    options?: { body?: unknown; token?: string; headers?: Record<string, string> },
  ): Promise<z.output<Schema>>;
  /** The body as it comes, for exports. */
  text(path: string, token: string): Promise<string>;
}

export function createControlClient(url: string): ControlClient {
  const base = url.replace(/\/$/, '');
  const send = async (
    method: string,
    path: string,
    { body, token, headers = {} }: { body?: unknown; token?: string; headers?: Record<string, string> },
  ): Promise<Response> => {
    const request = {
      method,
      headers: {
        ...headers,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT),
    };
    const response = await fetch(`${base}${path}`, request).catch((cause: unknown) => {
      throw clientError('ERR_CONTROL_AWAY', { cause, details: [{ pointer: base, detail: 'does not answer' }] });
    });
    if (!response.ok) throw await problemFrom(response);
    return response;
  };
  return {
    url: base,
    async call(method, path, answer, options = {}) {
      const response = await send(method, path, options);
      const parsed = answer.safeParse(await response.json().catch(() => undefined));
      if (!parsed.success)
        throw clientError('ERR_CONTROL_ANSWER', {
          details: [{ pointer: path, detail: 'is not in the documented form' }],
        });
      return parsed.data;
    },
    text: async (path, token) => (await send('GET', path, { token })).text(),
  };
}

async function problemFrom(response: Response): Promise<SealpostError> {
  const problem = problemSchema.safeParse(await response.json().catch(() => undefined));
  if (!problem.success)
    return clientError('ERR_CONTROL_ANSWER', {
      details: [{ pointer: String(response.status), detail: 'came without a problem document' }],
    });
  const { code, title, hint, errors = [], status } = problem.data;
  const kind = (Object.entries(ERROR_KINDS).find(([, number]) => number === status)?.[0] ?? 'internal') as ErrorKind;
  return new SealpostError(`ERR_${code.replace(/^ERR_/, '')}`, { kind, sentence: title, hint }, { details: errors });
}
