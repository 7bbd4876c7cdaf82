/**
 * HTTP of the simulated platform: the token endpoint and the parts of the RCS for Business API a sender uses, with answers
 * and errors in Google's form (AIP-193). A fault strikes an authorised agentMessages call either before its effect or
 * after it.
 */
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Delays } from '../delays.ts';
import type { Fault, FaultKind, Faults } from '../faults.ts';
import type { Rbm } from './rbm.ts';

const STATUS_NAMES = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
} as const;
type ErrorStatus = keyof typeof STATUS_NAMES;

const INJECTED: Partial<Record<FaultKind, ErrorStatus>> = { 400: 400, 403: 403, 404: 404, 500: 500, 503: 503 };
const RETRY_AFTER_SECONDS = 7;
const SLOW_MS = 1_000;
/** An early receipt is waited for this long before the call is answered all the same. */
const EARLY_PATIENCE_MS = 2_000;

interface PhoneParams {
  Params: { phone: string; messageId: string };
  Querystring: { messageId?: string; agentId?: string };
}

export interface RbmRouteOptions {
  readonly rbm: Rbm;
  readonly faults: Faults;
  readonly delays: Delays;
}

/** A Fastify plugin: it replaces body parsing in its own scope, so register it, never call it. */
export async function rbmRoutes(app: FastifyInstance, { rbm, faults, delays }: RbmRouteOptions): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));

  app.addHook('onRequest', async (request, reply) => {
    if (faults.holds('refuse')) return cut(reply);
    if (request.url.startsWith('/token')) return;
    if (faults.strike('connection').kind === 'unauthorized')
      return fail(reply, 401, 'invalid authentication credentials');
    const [, token] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '') ?? [];
    if (token === undefined || !rbm.tokens.isValid(token))
      return fail(reply, 401, 'invalid authentication credentials');
  });

  app.post<{ Body: string }>('/token', async (request, reply) => {
    const answer = await rbm.tokens.grant(request.body ?? '');
    return reply.code(answer.status).send(answer.body);
  });

  app.post<PhoneParams & { Body: string }>('/v1/phones/:phone/agentMessages', async (request, reply) => {
    const fault = faults.strike('call');
    const { messageId, agentId } = request.query;
    const sent = { phone: request.params.phone, agentId, body: request.body ?? '' };
    if (strikesBefore(fault, reply)) {
      if (reply.sent && reply.statusCode >= 400) rbm.turnedAway(sent, reply.statusCode);
      return reply;
    }
    const checked = rbm.check({ ...sent, messageId });
    if (checked.kind === 'refused') {
      rbm.turnedAway(sent, checked.status);
      return fail(reply, checked.status, checked.detail);
    }
    const answer = checked.take();
    switch (fault.kind) {
      case 'timeout-after-effect':
        return hold(reply);
      case 'malformed':
        return reply.type('application/json').send('{"name": "phones/');
      case 'slow':
        await delays.pause(fault.delayMs ?? SLOW_MS);
        return reply.send(answer);
      case 'early-receipt':
        await Promise.race([rbm.webhooks.idle(), delays.pause(EARLY_PATIENCE_MS)]);
        return reply.send(answer);
      default:
        return reply.send(answer);
    }
  });

  app.delete<PhoneParams>('/v1/phones/:phone/agentMessages/:messageId', async (request, reply) => {
    const known = rbm.revoke(request.params.phone, request.params.messageId);
    return known ? reply.send({}) : fail(reply, 404, 'no such message');
  });

  app.get<PhoneParams>('/v1/phones/:phone/capabilities', async (request, reply) => {
    const features = rbm.capabilities(request.params.phone, request.query.agentId);
    return features === undefined ? fail(reply, 404, 'not reachable over RCS') : reply.send({ features });
  });
}

/** Whether the fault has answered, or will never answer, without any effect. */
function strikesBefore(fault: Fault, reply: FastifyReply): boolean {
  const status = INJECTED[fault.kind];
  if (status !== undefined) {
    fail(reply, status, 'injected fault');
    return true;
  }
  switch (fault.kind) {
    case '429':
      fail(reply.header('retry-after', RETRY_AFTER_SECONDS), 429, 'quota exceeded');
      return true;
    case 'reset':
      cut(reply);
      return true;
    case 'timeout-before-effect':
      hold(reply);
      return true;
    default:
      return false;
  }
}

function fail(reply: FastifyReply, status: ErrorStatus, message: string): FastifyReply {
  return reply.code(status).send({ error: { code: status, message, status: STATUS_NAMES[status] } });
}

/** Leaves the request unanswered until its sender gives up or the simulator stops. */
function hold(reply: FastifyReply): FastifyReply {
  return reply.hijack();
}

function cut(reply: FastifyReply): FastifyReply {
  reply.hijack();
  reply.raw.socket?.destroy();
  return reply;
}
