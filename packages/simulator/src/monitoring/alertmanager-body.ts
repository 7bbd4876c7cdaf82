/** What Alertmanager posts to a webhook (its documentation, "webhook_config", version 4), for one alert on one machine. */

export type AlertStatus = 'firing' | 'resolved';

export interface AlertOptions {
  readonly name: string;
  readonly description: string;
  readonly status: AlertStatus;
  /** A graph the alert links to. */
  readonly image: string;
  readonly now: number;
}

/** Each call is a group of its own, so that none counts as the repeat of another. */
export function alertmanagerBody({ name, description, status, image, now }: AlertOptions) {
  const labels = { alertname: name, severity: 'critical', instance: 'db1.acme.example' };
  const annotations = { summary: `${name} on db1`, description, dashboard_image: image };
  const startsAt = new Date(now - 60_000).toISOString();
  const endsAt = status === 'resolved' ? new Date(now).toISOString() : '0001-01-01T00:00:00Z';
  return {
    version: '4',
    groupKey: `{}:{alertname="${name}"}#${now}`,
    truncatedAlerts: 0,
    status,
    receiver: 'sealpost',
    groupLabels: { alertname: name },
    commonLabels: labels,
    commonAnnotations: annotations,
    externalURL: 'http://alertmanager.acme.example:9093',
    alerts: [
      {
        status,
        labels,
        annotations,
        startsAt,
        endsAt,
        generatorURL: 'http://prometheus.acme.example:9090/graph',
        fingerprint: 'c0ffee00c0ffee00',
      },
    ],
  };
}
