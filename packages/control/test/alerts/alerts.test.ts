/** Alertmanager's webhook through the real gateway: what arrives on the device, what repeats give, and what an absent gateway answers. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openBlob } from '@sealpost/crypto/open';
import { sha256 } from '@sealpost/crypto/verify';
import { fromBase64url, SealpostError, toBase64url, utf8 } from '@sealpost/protocol';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { enrolDevice, type TestDevice } from '../agents/device.ts';
import { createEstate, type Estate, nonce, random } from '../agents/estate.ts';
import {
  ALICE,
  applicationToken,
  applyBundle,
  type ControlProcess,
  registerMember,
  startProcess,
} from '../agents/process.ts';

const PNG = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(100, 7)]);
const SECRET = `sps_prometheus_${toBase64url(random(32))}`;
let estate: Estate;
let control: ControlProcess;
let device: TestDevice;
let dashboards: Server;
let asked = 0;
let linkPort = 0;

beforeAll(async () => {
  dashboards = createServer((request, response) => {
    asked++;
    response.end(request.url === '/d.png' ? PNG : '<html>');
  });
  await new Promise<void>((resolve) => dashboards.listen(0, '127.0.0.1', resolve));
  linkPort = (dashboards.address() as AddressInfo).port;
  estate = await createEstate();
  control = await startProcess(estate);
  await applyBundle(estate, control, 1, linkPort);
  await registerMember(control);
  const secretHash = toBase64url(sha256(utf8(SECRET)));
  const object = { sender: 'prometheus', flow: 'incident-alerts', to: ALICE, secretHash, nonce: nonce() };
  await control.database.transaction((tx) => control.identity.registerAlertSender(tx, object as never));
  device = await enrolDevice(estate, control);
  await device.upload(2);
});
afterAll(async () => {
  dashboards.closeAllConnections();
  dashboards.close();
  await control[Symbol.asyncDispose]();
  await estate[Symbol.asyncDispose]();
});
beforeEach(() => {
  for (const name of Object.keys(control.faults)) delete control.faults[name as keyof typeof control.faults];
});

const alert = (fingerprint: string, annotations: Record<string, string> = {}) => ({
  status: 'firing',
  labels: { alertname: 'DiskFull', instance: 'db1' },
  annotations: { summary: 'Disk is 95% full', ...annotations },
  startsAt: '2026-11-23T12:00:00Z',
  endsAt: '0001-01-01T00:00:00Z',
  generatorURL: 'http://prometheus/',
  fingerprint,
});
const webhook = (alerts: object[], change: object = {}) => ({
  version: '4',
  groupKey: '{}:{alertname="DiskFull"}',
  status: 'firing',
  receiver: 'sealpost',
  groupLabels: { alertname: 'DiskFull' },
  commonLabels: { alertname: 'DiskFull', severity: 'critical' },
  commonAnnotations: {},
  externalURL: 'http://alertmanager/',
  alerts,
  somethingNew: true,
  ...change,
});
const post = async (body: unknown, secret = SECRET) => {
  const response = await fetch(`${control.url}/v1/alerts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, retryAfter: response.headers.get('retry-after'), body: await response.json() };
};
const newest = async () => {
  const [row] = await control.database.query<{ conversation: string }>(
    'test-conversation',
    'SELECT conversation FROM agent_group',
  );
  return JSON.parse((await device.read(row!.conversation)).at(-1)!.text);
};

test('an alert arrives as a message with its annotations, labels and attached file', async () => {
  let put: Uint8Array | undefined;
  control.faults.putBlob = (blob, sealed) => {
    put = sealed;
    return control.client.putBlob(blob, sealed);
  };
  const answer = await post(webhook([alert('a1', { dashboard: `http://127.0.0.1:${linkPort}/d.png` }), alert('a2')]));
  expect(answer).toMatchObject({ status: 202, body: { message: expect.any(String), receipt: expect.any(String) } });
  const content = await newest();
  expect(content).toMatchObject({
    kind: 'alert',
    subject: '[FIRING:2] DiskFull',
    facts: expect.arrayContaining([{ name: 'severity', value: 'critical' }]),
    attachments: [{ name: 'dashboard.png', mediaType: 'image/png', size: PNG.length }],
  });
  expect(content.body).toContain('summary: Disk is 95% full');
  expect(content.body).not.toContain('d.png');
  const opened = await openBlob(put!, fromBase64url(content.attachments[0].key)!);
  expect(opened.kind === 'ok' && Buffer.from(opened.plaintext).equals(PNG)).toBe(true);
});

test('a link that is refused leaves its code in the message and in the log, and loses no alert', async () => {
  const { status } = await post(webhook([alert('b1', { dashboard: 'http://169.254.169.254/latest' })]));
  expect(status).toBe(202);
  expect((await newest()).body).toContain('dashboard: link not attached: ERR_ALERTS_LINK_HOST');
  expect(control.logs.some((line) => line.includes('ERR_ALERTS_LINK_HOST'))).toBe(true);
  expect(control.logs.join()).not.toContain('169.254');
});

test('the same alerts repeated are the same message, and no link is fetched again', async () => {
  const body = webhook([alert('c1', { dashboard: `http://127.0.0.1:${linkPort}/d.png` }), alert('c2')]);
  const first = await post(body);
  const before = asked;
  const again = await post({ ...body, alerts: [...body.alerts].reverse() });
  expect(again.body).toEqual(first.body);
  expect(asked).toBe(before);
});

test('the same group resolved is another message', async () => {
  const firing = await post(webhook([alert('d1')]));
  const resolved = await post(
    webhook([{ ...alert('d1'), status: 'resolved', endsAt: '2026-11-23T13:00:00Z' }], { status: 'resolved' }),
  );
  expect(resolved.status).toBe(202);
  expect(resolved.body.message).not.toBe(firing.body.message);
  expect((await newest()).subject).toBe('[RESOLVED:1] DiskFull');
});

test('while the gateway is away Alertmanager is told to come again, and then gets its message', async () => {
  const away = new SealpostError('ERR_GATEWAY_AWAY', { kind: 'unavailable', sentence: 'away', hint: 'wait' });
  control.faults.submit = () => Promise.reject(away);
  const refused = await post(webhook([alert('e1')]));
  expect(refused).toMatchObject({ status: 503, body: { code: 'ERR_GATEWAY_AWAY' } });
  expect(Number(refused.retryAfter)).toBeGreaterThan(0);
  delete control.faults.submit;
  expect((await post(webhook([alert('e1')]))).status).toBe(202);
});

test('a recipient whose devices the gateway does not show is something to come again for', async () => {
  control.faults.directory = async () => ({ entries: [] });
  expect(await post(webhook([alert('f1')]))).toMatchObject({ status: 503, body: { code: 'ERR_AGENTS_DIRECTORY' } });
});

test('text that no message can hold is shortened and mended, never refused', async () => {
  const long = 'é'.repeat(16_000);
  const body = webhook([alert('g1', { description: `${long}\ud800`, runbook: long })], {
    commonLabels: { alertname: 'x'.repeat(1000), '': 'y' },
  });
  expect((await post(body)).status).toBe(202);
  expect((await newest()).body.length).toBeLessThanOrEqual(20_000);
});

test('an application may not post alerts', async () => {
  expect(await post(webhook([alert('h1')]), await applicationToken(control, estate))).toMatchObject({
    status: 403,
    body: { code: 'ERR_ALERTS_SENDER' },
  });
});
