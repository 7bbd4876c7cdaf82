/**
 * The delivery service over HTTP: devices refill their key packages on the device listener; control claims them, creates
 * conversations and posts commits on the internal one.
 */
import type { Server } from '@sealpost/platform';
import { conversationIdSchema, gatewayApi } from '@sealpost/protocol';
import { z } from 'zod';
import type { CallerOf } from '../../http/device-auth.ts';
import type { Groups } from './groups.ts';
import { groupsError } from './groups-errors.ts';

const paramsSchema = z.strictObject({ conversation: conversationIdSchema });
const MEGABYTE = 1_000_000;

/** Device listener, inside a device scope. */
export function registerKeyPackageRoutes(
  scope: Server,
  { groups, callerOf }: { readonly groups: Groups; readonly callerOf: CallerOf },
): void {
  scope.post(
    '/v1/key-packages',
    {
      bodyLimit: 5 * MEGABYTE,
      schema: {
        summary: 'Refill this device’s key packages',
        body: gatewayApi.keyPackageUploadSchema,
        response: { 200: gatewayApi.keyPackageUploadResultSchema },
      },
    },
    async (request) => ({ available: await groups.uploadKeyPackages(callerOf(request), request.body.packages) }),
  );
}

/** Internal listener. */
export function registerGroupRoutes(server: Server, { groups }: { readonly groups: Groups }): void {
  server.post(
    '/internal/v1/key-packages/claim',
    {
      schema: {
        summary: 'Claim one key package for each device',
        body: gatewayApi.keyPackageClaimSchema,
        response: { 200: gatewayApi.keyPackageClaimResultSchema },
      },
    },
    async (request) => ({ packages: await groups.claim(request.body.devices) }),
  );

  server.post(
    '/internal/v1/conversations',
    {
      schema: {
        summary: 'Create a conversation; the same again changes nothing',
        body: gatewayApi.conversationPostSchema,
        response: { 200: gatewayApi.conversationStateSchema },
      },
    },
    (request) => groups.create(request.body.conversation, request.body.creator),
  );

  server.get(
    '/internal/v1/conversations/:conversation',
    {
      schema: {
        summary: 'Epoch and devices of a conversation',
        params: paramsSchema,
        response: { 200: gatewayApi.conversationStateSchema },
      },
    },
    async (request) => {
      const state = await groups.state(request.params.conversation);
      if (state === undefined) throw groupsError('ERR_GROUPS_MISSING');
      return state;
    },
  );

  server.post(
    '/internal/v1/conversations/:conversation/commits',
    {
      bodyLimit: 7 * MEGABYTE,
      schema: {
        summary: 'End an epoch with a commit, if it is the first to do so',
        params: paramsSchema,
        body: gatewayApi.commitPostSchema,
        response: { 202: gatewayApi.conversationStateSchema },
      },
    },
    async (request, reply) => reply.code(202).send(await groups.commit(request.params.conversation, request.body)),
  );
}
