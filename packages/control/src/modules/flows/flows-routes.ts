/** `PUT /v1/bundle`: an operator's bundle with an approver's consent. `/v1/vendors`: how vendors stand, and their switch. */
import type { Server } from '@sealpost/platform';
import { approvedSchema, controlApi, gatewayApi, problemSchema } from '@sealpost/protocol';
import type { GatewayClient } from '../../gateway/gateway-client.ts';
import type { Identity } from '../identity/index.ts';
import type { Flows } from './flows.ts';
import { flowsError } from './flows-errors.ts';

/** A bundle has at most 2,000,000 letters; the rest is the approval and JSON around them. */
const BUNDLE_BODY = 2_100_000;

export interface FlowsRoutesDeps {
  readonly flows: Flows;
  readonly identity: Pick<Identity, 'authenticated'>;
  readonly gateway: Pick<GatewayClient, 'vendors'>;
}

export function registerFlowsRoutes(server: Server, { flows, identity, gateway }: FlowsRoutesDeps): void {
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

  server.get(
    '/v1/vendors',
    {
      schema: {
        summary: 'How each vendor stands, for approvers',
        response: { 200: gatewayApi.vendorStatesSchema, default: problemSchema },
      },
    },
    async ({ headers }) => {
      const principal = await identity.authenticated(headers);
      if (principal.kind !== 'approver') throw flowsError('ERR_FLOWS_OPERATOR');
      return gateway.vendors();
    },
  );

  server.post(
    '/v1/vendors/switch',
    {
      bodyLimit: 16_384,
      schema: {
        summary: 'Close a vendor to everything, or open it again, by approval',
        body: approvedSchema('vendor.switch'),
        response: { 200: controlApi.adminAnswerSchema },
      },
    },
    async ({ body }) => ({ outcome: await flows.switchVendor(body.object, body.approval) }),
  );
}
