/** Enrollment's endpoints: invitations and revocations by approval, enrollment itself by code and key. */
import type { Server } from '@sealpost/platform';
import { approvedSchema, controlApi } from '@sealpost/protocol';
import type { Enrollment } from './enrollment.ts';

const BODY = 16_384;
const done = { 200: controlApi.adminAnswerSchema };

export function registerEnrollmentRoutes(server: Server, { enrollment }: { enrollment: Enrollment }): void {
  registerDeviceEnrollment(server, { enrollment });
  server.post(
    '/v1/invites',
    {
      bodyLimit: BODY,
      schema: { summary: 'Invite a device, by approval', body: approvedSchema('device.invite'), response: done },
    },
    async ({ body }) => ({ outcome: await enrollment.invite(body.object, body.approval) }),
  );
  server.post(
    '/v1/devices/revoke',
    {
      bodyLimit: BODY,
      schema: { summary: 'Revoke a device, by approval', body: approvedSchema('device.revoke'), response: done },
    },
    async ({ body }) => ({ outcome: await enrollment.revoke(body.object, body.approval) }),
  );
}

/** What a device itself calls, for every listener a device may come to. */
export function registerDeviceEnrollment(server: Server, { enrollment }: { enrollment: Enrollment }): void {
  server.post(
    '/v1/enrollments',
    {
      bodyLimit: BODY,
      schema: {
        summary: 'Enrol a device, by code and proof of its key',
        body: controlApi.enrollmentRequestSchema,
        response: { 200: controlApi.enrollmentAnswerSchema },
      },
    },
    async ({ body, ip }) => enrollment.enrol(body, ip),
  );
}
