/** Vendors as control sees them, on the internal listener: how each stands, and the kill switch. */
import type { Server } from '@sealpost/platform';
import { gatewayApi, vendorNameSchema } from '@sealpost/protocol';
import { z } from 'zod';
import type { VendorSwitch } from './vendor-switch.ts';

const tags = ['routing'];

export function registerRoutingRoutes(server: Server, { vendors }: { readonly vendors: VendorSwitch }): void {
  server.get(
    '/internal/v1/vendors',
    { schema: { tags, summary: 'How each vendor stands', response: { 200: gatewayApi.vendorStatesSchema } } },
    async () => vendors.states(),
  );

  server.put(
    '/internal/v1/vendors/:vendor',
    {
      bodyLimit: 1024,
      schema: {
        tags,
        summary: 'Close a vendor to everything, or open it again',
        params: z.strictObject({ vendor: vendorNameSchema }),
        body: gatewayApi.vendorPutSchema,
        response: { 200: gatewayApi.vendorPutAnswerSchema },
      },
    },
    async ({ params, body }) => ({ outcome: await vendors.set(params.vendor, body) }),
  );
}
