/** What the control API answers when it does not do what was asked (RFC 9457). */
import type { FastifyReply } from 'fastify';

export function problem(reply: FastifyReply, status: number, detail: string, code?: string): FastifyReply {
  const body = { status, detail, ...(code === undefined ? {} : { code }) };
  return reply.code(status).type('application/problem+json').send(body);
}
