/** Enrollment's endpoints: invitations and revocations by approval, enrollment itself by code and key. */
import type { Server } from '@sealpost/platform';
import { approvedSchema, controlApi, problemSchema } from '@sealpost/protocol';
import type { Enrollment } from './enrollment.ts';

const BODY = 16_384;
const done = { 200: controlApi.adminAnswerSchema, '4xx': problemSchema };

export function registerEnrollmentRoutes(server: Server, { enrollment }: { enrollment: Enrollment }): void {
  server.post(
    '/v1/invites',
    { bodyLimit: BODY, schema: { body: approvedSchema('device.invite'), response: done } },
    async ({ body }) => ({ outcome: await enrollment.invite(body.object, body.approval) }),
  );
  server.post(
    '/v1/enrollments',
    {
      bodyLimit: BODY,
      schema: {
        body: controlApi.enrollmentRequestSchema,
        response: { 200: controlApi.enrollmentAnswerSchema, '4xx': problemSchema },
      },
    },
    async ({ body, ip }) => enrollment.enrol(body, ip),
  );
  server.post(
    '/v1/devices/revoke',
    { bodyLimit: BODY, schema: { body: approvedSchema('device.revoke'), response: done } },
    async ({ body }) => ({ outcome: await enrollment.revoke(body.object, body.approval) }),
  );
}
