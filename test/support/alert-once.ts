/** One alert to alice through a sender that is registered for it: for houses whose own sender's secret nobody kept. */
import { createControlClient } from '../../packages/cli/src/operator/control-client.ts';
import { openOperator } from '../../packages/cli/src/operator/operator.ts';
import type { RunningSealpost } from '../../packages/cli/src/start/start.ts';
import type { Surroundings } from '../../packages/platform/src/index.ts';
import { controlApi, flowNameSchema, type MessageId, memberIdSchema } from '../../packages/protocol/src/index.ts';

export async function alertOnce(sealpost: RunningSealpost, surroundings: Surroundings): Promise<MessageId> {
  const control = createControlClient(`http://127.0.0.1:${sealpost.ports.control}`);
  const operator = await openOperator(sealpost.operator, control, surroundings);
  const sender = memberIdSchema.parse(`alertmanager-${surroundings.uuid().slice(0, 8)}`);
  const [flow, alice] = [flowNameSchema.parse('incident-alerts'), memberIdSchema.parse('alice')];
  const token = await operator.registerAlertSender(sender, flow, alice);
  const { message } = await control.call('POST', '/v1/alerts', controlApi.messageAcceptedSchema, {
    body: body(surroundings.now()),
    token,
  });
  return message;
}

function body(now: number) {
  const labels = { alertname: 'DiskFull', severity: 'critical', instance: 'db1.acme.example' };
  return {
    version: '4',
    groupKey: `{}:{alertname="DiskFull"}#${now}`,
    truncatedAlerts: 0,
    status: 'firing',
    receiver: 'sealpost',
    groupLabels: { alertname: 'DiskFull' },
    commonLabels: labels,
    commonAnnotations: { summary: 'DiskFull on db1' },
    externalURL: 'http://alertmanager.acme.example:9093',
    alerts: [
      {
        status: 'firing',
        labels,
        annotations: { summary: 'DiskFull on db1' },
        startsAt: new Date(now).toISOString(),
        endsAt: '0001-01-01T00:00:00Z',
        generatorURL: 'http://prometheus.acme.example:9090/graph',
        fingerprint: 'c0ffee00c0ffee00',
      },
    ],
  };
}
