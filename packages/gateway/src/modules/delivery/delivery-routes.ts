/** Receipts of a device without an open socket, each answered in order; and, for control, taking a message back. */
import type { Server } from '@sealpost/platform';
import { gatewayApi, messageIdSchema } from '@sealpost/protocol';
import { z } from 'zod';
import type { CallerOf } from '../../http/device-auth.ts';
import type { Delivery } from './delivery.ts';

export interface DeliveryRoutesDeps {
  readonly delivery: Pick<Delivery, 'deviceReceipt'>;
  readonly callerOf: CallerOf;
}

/** Device listener, inside a device scope. */
export function registerDeliveryRoutes(server: Server, { delivery, callerOf }: DeliveryRoutesDeps): void {
  const schema = {
    summary: 'Signed receipts of this device',
    body: gatewayApi.receiptUploadSchema,
    response: { 200: gatewayApi.receiptUploadResultSchema },
  };
  server.post('/v1/receipts', { schema }, async (request) => {
    const { device } = callerOf(request);
    const results = [];
    for (const jws of request.body.receipts) results.push(await delivery.deviceReceipt(jws, device));
    return { results };
  });
}

/** Internal listener. */
export function registerRevocationRoutes(server: Server, { delivery }: { delivery: Pick<Delivery, 'revoke'> }): void {
  server.post(
    '/internal/v1/messages/:message/revoke',
    {
      bodyLimit: 1024,
      schema: {
        tags: ['delivery'],
        summary:
          'Take a message back: nothing more of it is sent, and what providers took is taken back where they can',
        params: z.strictObject({ message: messageIdSchema }),
        body: gatewayApi.revokePostSchema,
        response: { 200: gatewayApi.revokeAnswerSchema },
      },
    },
    async ({ params, body }) => delivery.revoke(params.message, body.by),
  );
}
