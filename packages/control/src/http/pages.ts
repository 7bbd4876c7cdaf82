/**
 * The origins people open in a browser: the inbox, which is a device, and the console, which is an operator. They are two
 * listeners, so that a browser keeps what belongs to one from the other: an operator page never runs in the inbox's origin.
 */
import { registerPage, type Server } from '@sealpost/platform';
import { z } from 'zod';
import type { PageConfig } from '../config/config.ts';

export function registerInbox(
  server: Server,
  { config, gatewayUrl, trustJws }: { config: PageConfig; gatewayUrl: string; trustJws: string },
): void {
  const gateway = new URL(gatewayUrl);
  const socket = `${gateway.protocol === 'https:' ? 'wss:' : 'ws:'}//${gateway.host}`;
  const connect = [gateway.origin, socket];
  registerPage(server, { folder: config.pages, connect, framedBy: config.unsafe_framed_by });
  registerTrust(server, trustJws);
}

export function registerConsole(server: Server, { config, trustJws }: { config: PageConfig; trustJws: string }): void {
  registerPage(server, { folder: config.pages, framedBy: config.unsafe_framed_by });
  registerTrust(server, trustJws);
}

/** `GET /v1/trust`, the same on every listener of control. */
export function registerTrust(server: Server, trustJws: string): void {
  server.get(
    '/v1/trust',
    {
      schema: {
        summary: 'The trust file: every public key of the organisation, signed by its root',
        produces: ['application/jose'],
        response: { 200: z.unknown() },
      },
    },
    async (_request, reply) => reply.type('application/jose').send(trustJws),
  );
}
