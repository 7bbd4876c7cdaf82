/** `POST /v1/alerts`: the address Alertmanager's webhook_config names, with the sender's secret as Bearer credential. */
import type { Server } from '@sealpost/platform';
import { controlApi } from '@sealpost/protocol';
import type { Identity } from '../identity/index.ts';
import type { Alerts } from './alerts.ts';

export interface AlertsRoutesDeps {
  readonly alerts: Alerts;
  readonly identity: Pick<Identity, 'authenticated'>;
}

/** Two hundred alerts with long annotations. */
const ALERT_BODY = 4_000_000;

export function registerAlertsRoutes(server: Server, { alerts, identity }: AlertsRoutesDeps): void {
  server.post(
    '/v1/alerts',
    {
      bodyLimit: ALERT_BODY,
      schema: {
        summary: 'Alertmanager’s webhook, version 4',
        body: controlApi.alertmanagerSchema,
        response: { 202: controlApi.messageAcceptedSchema },
      },
      onRequest: async (request) => void (await identity.authenticated(request.headers)),
    },
    async (request, reply) => {
      const principal = await identity.authenticated(request.headers);
      return reply.code(202).send(await alerts.take(principal, request.body));
    },
  );
}
