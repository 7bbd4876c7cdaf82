/**
 * The simulated monitoring system, against a stand-in for control that records what it is posted.
 */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Simulated, simulate } from './harness.ts';

let folder: string;
let secretFile: string;
let control: Server;
let posted: { authorization: string | undefined; body: Record<string, unknown> }[];
let answer: { status: number; body: unknown };
let simulator: Simulated;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealpost-monitoring-'));
  secretFile = join(folder, 'secret');
  await writeFile(secretFile, 'sps_monitoring_first\n');
  posted = [];
  answer = { status: 202, body: { message: 'msg-1', receipt: 'jws' } };
  control = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { authorization } = request.headers;
    posted.push({ authorization, body: JSON.parse(Buffer.concat(chunks).toString('utf8')) });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
  }).listen(0, '127.0.0.1');
  await once(control, 'listening');
  const { port } = control.address() as { port: number };
  simulator = await simulate({ monitoring: { url: `http://127.0.0.1:${port}/v1/alerts`, secretFile } });
});
afterEach(async () => {
  await simulator.stop();
  control.closeAllConnections();
  control.close();
  await rm(folder, { recursive: true });
});

const send = (status: string) => simulator.call('POST', '/monitoring/alerts', { status });

it('posts what Alertmanager would, with the secret, and answers the message it became', async () => {
  const { status, json } = await send('firing');
  expect({ status, json }).toEqual({ status: 202, json: { alert: 'DiskFull', status: 'firing', message: 'msg-1' } });
  expect(posted).toMatchObject([
    {
      authorization: 'Bearer sps_monitoring_first',
      body: { version: '4', status: 'firing', groupLabels: { alertname: 'DiskFull' } },
    },
  ]);
  const [alert] = posted[0]!.body.alerts as { annotations: Record<string, string> }[];
  const image = await fetch(alert!.annotations.dashboard_image!);
  expect(image.headers.get('content-type')).toBe('image/png');
});

it('reads the secret at each send, so that a new one needs no restart', async () => {
  await send('firing');
  await writeFile(secretFile, 'sps_monitoring_second');
  await send('firing');
  expect(posted.map(({ authorization }) => authorization)).toEqual([
    'Bearer sps_monitoring_first',
    'Bearer sps_monitoring_second',
  ]);
});

it('resolves the newest alert that fires, and none when none does', async () => {
  expect(await send('resolved')).toMatchObject({ status: 409, json: { detail: 'no alert is firing' } });
  await send('firing');
  await send('firing');
  expect((await send('resolved')).json).toMatchObject({ alert: 'ReplicaLag', status: 'resolved' });
  expect((await send('resolved')).json).toMatchObject({ alert: 'DiskFull', status: 'resolved' });
  expect((await send('resolved')).status).toBe(409);
  expect(posted).toHaveLength(4);
});

it('says in control’s words why an alert was refused, and tries the same one again next time', async () => {
  answer = { status: 503, body: { code: 'ERR_LOG_STALLED', title: 'The log is behind.', status: 503 } };
  expect(await send('firing')).toMatchObject({
    status: 502,
    json: { code: 'ERR_LOG_STALLED', detail: 'The log is behind.' },
  });
  answer = { status: 202, body: { message: 'msg-2', receipt: 'jws' } };
  expect((await send('firing')).json).toMatchObject({ alert: 'DiskFull', message: 'msg-2' });
});

it('has words for an answer nobody can read, no answer, and no secret', async () => {
  answer = { status: 500, body: 'oops' };
  expect(await send('firing')).toMatchObject({ status: 504, json: { detail: 'control does not answer' } });
  control.closeAllConnections();
  control.close();
  await once(control, 'close');
  expect((await send('firing')).status).toBe(504);
  await rm(secretFile);
  expect(await send('firing')).toMatchObject({
    status: 409,
    json: { detail: 'the monitoring system holds no secret of an alert sender' },
  });
});

it('refuses a state no alert has', async () => {
  expect((await send('maybe')).status).toBe(400);
  expect(posted).toEqual([]);
});
