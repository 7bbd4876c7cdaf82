/** `PUT /v1/bundle`: an operator's bundle with an approver's consent. */
import type { Server } from '@sealpost/platform';
import { approvedSchema, controlApi } from '@sealpost/protocol';
import type { Flows } from './flows.ts';

/** A bundle has at most 2,000,000 letters; the rest is the approval and JSON around them. */
const BUNDLE_BODY = 2_100_000;

export function registerFlowsRoutes(server: Server, { flows }: { flows: Flows }): void {
  server.put(
    '/v1/bundle',
    {
      bodyLimit: BUNDLE_BODY,
      schema: {
        summary: 'Apply a signed bundle, by approval',
        body: approvedSchema('bundle.apply'),
        response: { 200: controlApi.adminAnswerSchema },
      },
    },
    async ({ body }) => ({ outcome: await flows.apply(body.object, body.approval) }),
  );
}
