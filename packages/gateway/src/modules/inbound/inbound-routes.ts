/** Sealed messages from outside, for control, on the internal listener. */
import type { Server } from '@sealpost/platform';
import { gatewayApi } from '@sealpost/protocol';
import { z } from 'zod';
import type { InboundBox } from './inbound.ts';

const tags = ['inbound'];

export function registerInboundRoutes(server: Server, { inbound }: { readonly inbound: InboundBox }): void {
  server.get(
    '/internal/v1/inbound',
    {
      schema: {
        tags,
        summary: 'What people sent back, sealed to control, until control has acknowledged it',
        querystring: gatewayApi.eventsQuerySchema,
        response: { 200: gatewayApi.inboundAnswerSchema },
      },
    },
    async ({ query }) => ({ inbound: await inbound.waiting(query.after, query.limit, query.wait) }),
  );

  server.post(
    '/internal/v1/inbound/acknowledge',
    {
      bodyLimit: 1024,
      schema: {
        tags,
        summary: 'Control has stored everything up to this position',
        body: gatewayApi.inboundAcknowledgeSchema,
        response: { 204: z.null() },
      },
    },
    async ({ body }, reply) => {
      await inbound.acknowledge(body.position);
      return reply.code(204).send(null);
    },
  );
}
