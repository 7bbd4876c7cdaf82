/** `POST /v1/receipts`: receipts of a device without an open socket, each answered in order. */
import type { Server } from '@sealpost/platform';
import { gatewayApi } from '@sealpost/protocol';
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
