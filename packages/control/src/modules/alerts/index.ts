/** Alerts: Alertmanager's webhook, and the links its annotations name. Owns no table; idempotency is that of messages. */
export { type Alerts, type AlertsDeps, createAlerts } from './alerts.ts';

export { registerAlertsRoutes } from './alerts-routes.ts';
