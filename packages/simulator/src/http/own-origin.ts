/**
 * Keeps other sites' pages away. The control API asks for no credentials, and a browser on this machine runs pages of
 * strangers: one whose name was made to lead here (DNS rebinding) is known by its Host, one that sends requests across
 * origins by Fetch Metadata (W3C) or, from a browser without it, by Origin (RFC 6454).
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { problem } from './problem.ts';

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];
/** Asked with these, nothing changes; an answer to another origin stays unreadable there (no CORS). */
const READING = ['GET', 'HEAD', 'OPTIONS'];

export function refuseForeign(app: FastifyInstance, ownHost: string): void {
  app.addHook('onRequest', async (request, reply) => {
    if (![...LOOPBACK, ownHost].includes(hostOf(request)))
      return problem(reply, 421, 'this address is not one the simulator goes by');
    if (!READING.includes(request.method) && fromAnotherOrigin(request))
      return problem(reply, 403, 'sent by a page of another origin');
  });
}

/** Also for what only reads and yet takes up a place. */
export function fromAnotherOrigin({ headers }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  return headers.origin !== undefined && headers.origin !== `http://${headers.host ?? ''}`;
}

function hostOf({ headers }: FastifyRequest): string {
  const url = `http://${headers.host ?? ''}`;
  return URL.canParse(url) ? new URL(url).hostname : '';
}
