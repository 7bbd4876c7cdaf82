/**
 * The HTTP edge: Fastify with zod at both ends, every error as problem+json (RFC 9457), unknown fields refused, sizes
 * bounded before anything is decoded. Only here does an error become an answer; an untyped one shows nothing of itself.
 */

import type { Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import swagger from '@fastify/swagger';
import { ERROR_KINDS, type ErrorTable, errorsOf, type Problem, SealpostError, utf8 } from '@sealpost/protocol';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyReply, type RawServerBase } from 'fastify';
import {
  hasZodFastifySchemaValidationErrors,
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { databaseError, isUnavailable } from './database.ts';
import type { Logger } from './log.ts';

export const HTTP_ERRORS = {
  ERR_HTTP_INVALID: {
    kind: 'invalid',
    sentence: 'The request is not valid.',
    hint: 'Correct the places named in `errors`; unknown members are refused.',
  },
  ERR_HTTP_SYNTAX: {
    kind: 'invalid',
    sentence: 'The request cannot be read.',
    hint: 'Send well-formed JSON with content-type application/json.',
  },
  ERR_HTTP_MISSING: {
    kind: 'missing',
    sentence: 'There is nothing at this address.',
    hint: 'Check path and method against /openapi.json.',
  },
  ERR_HTTP_TOO_LARGE: {
    kind: 'too-large',
    sentence: 'The request is larger than this endpoint takes.',
    hint: 'Send less at once; limits are in /openapi.json.',
  },
  ERR_HTTP_MEDIA_TYPE: {
    kind: 'media-type',
    sentence: 'This endpoint does not take that content type.',
    hint: 'Send the content type named in /openapi.json.',
  },
  ERR_HTTP_INTERNAL: {
    kind: 'internal',
    sentence: 'Something failed on our side.',
    hint: 'Try again; if it stays, give the operator the time of the request.',
  },
} as const satisfies ErrorTable;
const httpError = errorsOf(HTTP_ERRORS);

export interface ServerTls {
  readonly key: string;
  readonly cert: string;
  /** Demand a client certificate of this CA (mutual TLS). */
  readonly clientCa?: string;
}

export interface ServerOptions {
  readonly name: string;
  readonly version: string;
  readonly logger: Logger;
  readonly bodyLimit: number;
  readonly tls?: ServerTls;
  /** Answers whether the service can do its work now, and if not why, in a short code. */
  readonly ready: () => Promise<string | undefined>;
}

export type Server = FastifyInstance<RawServerBase, never, never, FastifyBaseLogger, ZodTypeProvider>;

/** TLS 1.3 only, everywhere (DESIGN section 4). */
export const TLS_OPTIONS = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const satisfies SecureContextOptions;

export async function createServer(options: ServerOptions): Promise<Server> {
  const { tls } = options;
  const base = {
    logger: false as const,
    bodyLimit: options.bodyLimit,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    // Errors before routing (a path that cannot be decoded) pass by the error handler below.
    frameworkErrors: (error: unknown, _request: unknown, reply: FastifyReply) =>
      answer(reply, errorOf(error, options.logger)),
    // So does what is no HTTP at all.
    clientErrorHandler: refuseUnreadable,
    routerOptions: { maxParamLength: 300 },
  };
  const https =
    tls === undefined
      ? {}
      : {
          https: {
            ...TLS_OPTIONS,
            key: tls.key,
            cert: tls.cert,
            ...(tls.clientCa === undefined ? {} : { ca: tls.clientCa, requestCert: true, rejectUnauthorized: true }),
          },
        };
  const server = Fastify({ ...base, ...https }) as unknown as Server;
  // Fastify takes text/plain by itself; here nothing does.
  server.removeContentTypeParser('text/plain');
  server.setValidatorCompiler(validatorCompiler);
  server.setSerializerCompiler(serializerCompiler);
  await server.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: `Sealpost ${options.name}`, version: options.version } },
    transform: jsonSchemaTransform,
    // The named schemas that the operations refer to.
    transformObject: (document) => withProblems(jsonSchemaTransformObject(document)),
  });
  server.setErrorHandler((error, _request, reply) => answer(reply, errorOf(error, options.logger)));
  server.setNotFoundHandler((_request, reply) => answer(reply, httpError('ERR_HTTP_MISSING')));
  server.addHook('onSend', async (_request, reply) => {
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
    reply.header('x-content-type-options', 'nosniff');
  });
  server.get('/livez', { schema: { hide: true } }, async () => ({ status: 'ok' }));
  server.get('/readyz', { schema: { hide: true } }, async (_request, reply) => {
    const reason = await options.ready();
    return reason === undefined ? { status: 'ok' } : reply.code(503).send({ status: 'unavailable', reason });
  });
  server.get('/openapi.json', { schema: { hide: true } }, async () => server.swagger());
  return server;
}

type Description = ReturnType<typeof jsonSchemaTransformObject>;

/** Whatever goes wrong is answered by the server and not by its routes, so no route says how. */
function withProblems(description: Description): Description {
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  const problem = { description: 'What is wrong, and what to do (RFC 9457)', content };
  for (const operation of Object.values(description.paths ?? {}).flatMap((path) => Object.values(path ?? {}))) {
    if (typeof operation !== 'object' || operation === null || !('responses' in operation)) continue;
    const good = Object.entries(operation.responses ?? {}).filter(([status]) => status.startsWith('2'));
    operation.responses = { ...Object.fromEntries(good), default: problem };
  }
  return description;
}

/** The problem document of an error; `internal` ones say nothing more than that. */
export function problemOf(error: SealpostError): Problem {
  return {
    type: `urn:sealpost:error:${error.code}`,
    title: error.message,
    status: ERROR_KINDS[error.kind],
    code: error.code,
    hint: error.hint,
    ...(error.details.length === 0 || error.kind === 'internal' ? {} : { errors: [...error.details] }),
  };
}

function answer(reply: FastifyReply, error: SealpostError) {
  const problem = problemOf(error);
  if (error.retryAfter !== undefined) reply.header('retry-after', String(error.retryAfter));
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .serializer((body: unknown) => JSON.stringify(body))
    .send(problem);
}

/** Bytes that Node's parser gave up on: there is no request to answer, only a connection to say so on and close. */
function refuseUnreadable(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const problem = problemOf(httpError(error.code === 'HPE_HEADER_OVERFLOW' ? 'ERR_HTTP_TOO_LARGE' : 'ERR_HTTP_SYNTAX'));
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.status === 413 ? 'Content Too Large' : 'Bad Request'}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${utf8(body).length}`,
    'Connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroy();
}

const FASTIFY_CODES: Readonly<Record<string, keyof typeof HTTP_ERRORS>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'ERR_HTTP_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'ERR_HTTP_MEDIA_TYPE',
  FST_ERR_CTP_INVALID_JSON_BODY: 'ERR_HTTP_SYNTAX',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'ERR_HTTP_SYNTAX',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'ERR_HTTP_SYNTAX',
  FST_ERR_BAD_URL: 'ERR_HTTP_SYNTAX',
};

function errorOf(error: unknown, logger: Logger): SealpostError {
  if (error instanceof SealpostError) {
    if (error.kind === 'internal') logger.error('request failed', { code: error.code, cause: error });
    return error;
  }
  if (error instanceof Error && hasZodFastifySchemaValidationErrors(error)) {
    const details = error.validation.slice(0, 20).map((issue) => ({
      pointer: issue.instancePath.slice(0, 256) || '/',
      detail: (issue.message ?? 'not valid').slice(0, 300),
    }));
    return httpError('ERR_HTTP_INVALID', { details });
  }
  const { code, statusCode } = (error ?? {}) as { code?: string; statusCode?: number };
  const known = code === undefined ? undefined : FASTIFY_CODES[code];
  if (known !== undefined) return httpError(known);
  if (statusCode === 400 || (error instanceof SyntaxError && statusCode !== undefined && statusCode < 500))
    return httpError('ERR_HTTP_SYNTAX');
  if (isUnavailable(error)) {
    logger.warn('database away', { code: 'ERR_DATABASE_UNAVAILABLE' });
    return databaseError('ERR_DATABASE_UNAVAILABLE', { cause: error, retryAfter: 1 });
  }
  logger.error('request failed', { code: 'ERR_HTTP_INTERNAL', cause: error });
  return httpError('ERR_HTTP_INTERNAL', { cause: error });
}
