/** Debian's own Alertmanager as the sender: what it repeats after a 503 is one message, and what resolves is another. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Stage } from '../../packages/cli/src/story/stage.ts';
import type { Device, InboxMessage } from '../../packages/client/src/index.ts';
import { memberIdSchema } from '../../packages/protocol/src/index.ts';
import { callJson } from '../support/call.ts';
import { type HoldingProxy, openHoldingProxy } from '../support/holding-proxy.ts';
import { openHouse, type RunningHouse } from '../support/running-house.ts';
import { until } from '../support/until.ts';

const PROGRAM = '/usr/bin/prometheus-alertmanager';
const MISSING = 'needs prometheus-alertmanager: apt-get install prometheus-alertmanager';
const installed = existsSync(PROGRAM);
const PORTS = { base: 6230, proxy: 6238, alertmanager: 6239 };

if (!installed && process.env.SEALPOST_REQUIRE_PEERS !== '1') test.skip(MISSING, () => undefined);
else {
  let house: RunningHouse;
  let stage: Stage;
  let proxy: HoldingProxy;
  let alertmanager: ChildProcess;
  let labels: Record<string, string>;
  let startsAt: string;

  beforeAll(async () => {
    if (!installed) throw new Error(MISSING);
    house = await openHouse(PORTS.base);
    stage = await house.stage();
    const secret = await stage.operator.registerAlertSender(
      memberIdSchema.parse('alertmanager-debian'),
      'incident-alerts' as never,
      stage.member,
    );
    proxy = await openHoldingProxy(PORTS.proxy, house.urls.control);
    alertmanager = await startAlertmanager(house.folder, secret);
    await Promise.all([stage.phone.connect(), stage.laptop.connect()]);
    labels = { alertname: 'DiskFull', instance: 'db1.acme.example', severity: 'critical' };
    startsAt = new Date(house.surroundings.now() - 30_000).toISOString();
  }, 120_000);
  afterAll(async () => {
    if (alertmanager !== undefined) await ended(alertmanager);
    await proxy?.close();
    await house?.close();
  });

  test('a firing alert that met a 503 is repeated to the byte and is one message on each device', async () => {
    proxy.refuseNext(1);
    await post([{ labels, annotations: annotations(), startsAt }]);
    await until('the alert on both devices', async () => (await inboxes()).every((inbox) => inbox.length === 1));
    const [refused, taken, ...more] = proxy.exchanges();
    expect([refused?.status, taken?.status, more]).toEqual([503, 202, []]);
    expect(taken?.body).toBe(refused?.body);
    expect(taken?.headers['user-agent']).toMatch(/^Alertmanager\//);

    for (const device of devices()) {
      const [message] = await device.inbox();
      const shown = await device.open(message!.message);
      expect(shown).toMatchObject({
        subject: '[FIRING:1] DiskFull',
        sender: { agent: 'acme-incidents' },
        acknowledge: true,
        attachments: [{ name: 'dashboard_image.png', mediaType: 'image/png' }],
      });
      expect(shown.body).toContain('summary: the data volume of db1 is 97 % full');
      expect(shown.facts).toContainEqual({ name: 'severity', value: 'critical' });
      expect(await device.attachment(message!.message, 0)).toEqual(await stage.simulator.image('disk'));
    }
  });

  test('the same bytes sent again by anybody are answered with the same message and reach no device twice', async () => {
    const taken = proxy.exchanges().find(({ status }) => status === 202)!;
    const authorization = String(taken.headers.authorization);
    const again = await callJson({
      method: 'POST',
      url: `${house.urls.control}/v1/alerts`,
      headers: { authorization },
      json: JSON.parse(taken.body),
    });
    expect(again.status).toBe(202);
    expect(JSON.parse(again.text)).toEqual(JSON.parse(taken.answer));
    const [row] = await house.databases.control.query<{ count: number }>(
      'all',
      'SELECT count(*)::int AS count FROM message_request',
      [],
    );
    expect(row?.count).toBe(1);
  });

  test('the resolved alert arrives as a second message, which asks for no acknowledgement', async () => {
    await post([
      { labels, annotations: annotations(), startsAt, endsAt: new Date(house.surroundings.now() - 1000).toISOString() },
    ]);
    await until('the resolution on both devices', async () => (await inboxes()).every((inbox) => inbox.length === 2));
    for (const device of devices()) {
      const [newest, first] = await device.inbox();
      expect(newest).toMatchObject({ subject: '[RESOLVED:1] DiskFull', acknowledge: false, state: 'received' });
      expect(first).toMatchObject({ subject: '[FIRING:1] DiskFull', state: 'read' });
      expect((await device.open(newest!.message)).body).toContain('RESOLVED db1.acme.example');
    }
    expect(proxy.exchanges().map(({ status }) => status)).toEqual([503, 202, 202]);
  });

  const devices = (): Device[] => [stage.phone, stage.laptop];
  const inboxes = (): Promise<InboxMessage[][]> => Promise.all(devices().map((device) => device.inbox()));
  const annotations = () => ({
    summary: 'the data volume of db1 is 97 % full',
    dashboard_image: stage.simulator.imageUrl('disk'),
  });
  const post = async (alerts: unknown[]) => {
    const answer = await callJson({
      method: 'POST',
      url: `http://127.0.0.1:${PORTS.alertmanager}/api/v2/alerts`,
      json: alerts,
    });
    expect(answer.status).toBe(200);
  };
}

/** As ../shared/peers/alertmanager.yml, its receiver pointed at the proxy before control. */
async function startAlertmanager(folder: string, secret: string): Promise<ChildProcess> {
  const config = join(folder, 'alertmanager.yml');
  await writeFile(
    config,
    `route: {receiver: sealpost, group_by: [alertname], group_wait: 1s, group_interval: 2s, repeat_interval: 1h}
receivers:
- name: sealpost
  webhook_configs:
  - url: http://127.0.0.1:${PORTS.proxy}/v1/alerts
    send_resolved: true
    http_config: {authorization: {type: Bearer, credentials: ${secret}}}
`,
    { mode: 0o600 },
  );
  const listen = [`--web.listen-address=127.0.0.1:${PORTS.alertmanager}`, '--cluster.listen-address='];
  const child = spawn(
    PROGRAM,
    [`--config.file=${config}`, `--storage.path=${join(folder, 'alertmanager')}`, ...listen],
    {
      stdio: 'ignore',
    },
  );
  const ready = async () => (await fetch(`http://127.0.0.1:${PORTS.alertmanager}/-/ready`)).ok;
  await until('Alertmanager is ready', ready);
  return child;
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}
