/** Intake over HTTP, internal listener: 202 only after COMMIT. */
import type { Server } from '@sealpost/platform';
import { submissionResultSchema, submissionSchema } from '@sealpost/protocol';
import { reached } from '../../points.ts';
import type { Envelopes } from './envelopes.ts';

/** A batch of 1000 small envelopes, or a few with large content. */
const BODY_LIMIT = 8_000_000;

export function registerEnvelopeRoutes(server: Server, { envelopes }: { envelopes: Envelopes }): void {
  server.post(
    '/internal/v1/envelopes',
    {
      bodyLimit: BODY_LIMIT,
      schema: {
        tags: ['envelopes'],
        summary: 'Accept signed envelopes; answered after commit',
        body: submissionSchema,
        response: { 202: submissionResultSchema },
      },
    },
    async ({ body }, reply) => {
      const result = await envelopes.submit(body);
      reached('envelopes.before-answer');
      return reply.code(202).send(result);
    },
  );
}
