/**
 * The interfaces keep what their own descriptions promise, whatever is sent and whoever sends it: at least 5,000 cases over
 * every operation of control, gateway and dispatcher, and over the frames of sync. Drawn with a fixed seed, so that what
 * fails once fails again.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Stage } from '../../packages/cli/src/story/stage.ts';
import { createSigningKey } from '../../packages/crypto/src/signer/index.ts';
import { deviceIdSchema } from '../../packages/protocol/src/index.ts';
import { type Plan, refusedCases, wholeCases } from '../api/cases.ts';
import { check, type Verdict } from '../api/check.ts';
import { type Description, type Operation, readDescription } from '../api/description.ts';
import { type Codes, readCodes } from '../api/judge.ts';
import { accessTo, type Cast, castOf } from '../api/roles.ts';
import { afterHandshake, type Peer, syncCases, syncFaults } from '../api/sync-frames.ts';
import type { Known } from '../api/valid.ts';
import { call } from '../support/call.ts';
import { countsOf, settledSize } from '../support/changes.ts';
import type { RawDevice } from '../support/raw-device.ts';
import { openHouse, type RunningHouse } from '../support/running-house.ts';

const SEED = 20_261_123;
const PORT_BASE = 7130;
const FLOOR = 5000;
const DRAWS = 50;

let house: RunningHouse;
let stage: Stage;
let cast: Cast;
let known: Known;
let operations: Operation[];
const codes: Codes = readCodes();
let asked = 0;

beforeAll(async () => {
  house = await openHouse(PORT_BASE);
  stage = await house.stage();
  const { message } = await stage.sendAlert('ForTheTimeline', 'firing');
  cast = await castOf(house, stage);
  const [conversation] = await house.databases.gateway.query<{ conversation: string }>(
    'conversation',
    'SELECT conversation FROM conversation LIMIT 1',
  );
  const [blob] = await house.databases.gateway.query<{ blob: string }>('blob', 'SELECT blob FROM blob LIMIT 1');
  known = {
    flow: [stage.flow],
    to: [stage.member],
    member: [stage.member],
    message: [message],
    messages: [message],
    conversation: [conversation!.conversation],
    blob: [blob!.blob],
    device: [cast.tablet.device, stage.phone.identity.device],
    devices: [cast.tablet.device, stage.phone.identity.device],
    channel: ['rcs-main', 'sms-main'],
    wait: [0],
  };
  operations = (await describeAll()).flatMap((description) => description.operations);
}, 180_000);
afterAll(() => house?.close());

test(`what is not as described, or not by those who may, is refused as documented and changes nothing (seed ${SEED})`, {
  timeout: 480_000,
}, async () => {
  const cases = operations.flatMap((operation) => refusedCases(operation, planOf(operation)));
  const before = { size: await settledSize(house), counts: await countsOf(house) };
  const verdict = await check(cases, cast.send, codes);
  report(verdict);
  expect({ size: await settledSize(house), counts: await countsOf(house) }).toEqual(before);
});

test(`what is as described is answered as documented, whatever it says (seed ${SEED})`, {
  timeout: 480_000,
}, async () => {
  const cases = operations.flatMap((operation) => wholeCases(operation, planOf(operation)));
  report(await check(cases, cast.send, codes));
});

test(`a device’s frames are answered by the protocol, or end the connection with a code that says why (seed ${SEED})`, {
  timeout: 480_000,
}, async () => {
  const own = peerOf(cast.tablet);
  const { signer } = await createSigningKey('ES256');
  const strange = { device: deviceIdSchema.parse(`dev_${'A'.repeat(22)}`), signer };
  const peers = { own, strange, revoked: peerOf(cast.lost) };
  const cases = syncCases(operations[0]!.description, peers, SEED, DRAWS);
  const url = `${house.urls.devices.replace('http', 'ws')}/v1/sync`;
  const before = { size: await settledSize(house), counts: await countsOf(house) };
  const faults: string[] = [];
  // One after another: a device has one connection.
  for (const each of cases) faults.push(...(await syncFaults(url, own, each, codes)));
  report({ asked: cases.length, faults, statuses: {} });
  expect({ size: await settledSize(house), counts: await countsOf(house) }).toEqual(before);
});

test('bytes that are no frames end a sync connection with the reason as the last frame', async () => {
  const unmasked = Uint8Array.of(0x81, 0x01, 0x7b);
  const reserved = Uint8Array.of(0xf1, 0x80, 0, 0, 0, 0);
  const endless = Uint8Array.of(0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);
  const brokenText = Uint8Array.of(0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28);
  for (const bytes of [unmasked, reserved, brokenText])
    expect(await afterHandshake(house.sealpost.ports.devices, bytes)).toContain('"code":"ERR_SYNC_FRAME"');
  expect(await afterHandshake(house.sealpost.ports.devices, endless)).toContain('"code":"ERR_SYNC_TOO_LARGE"');
  asked += 4;
});

test('without a certificate of the service CA nothing of the internal listener is reached', async () => {
  for (const { method, path } of operations.filter(({ api }) => api === 'internal')) {
    const url = `${house.urls.internal}${path}`;
    await expect(call({ method, url }), path).rejects.toThrow();
    await expect(call({ method, url, certificate: cast.tablet.certificate }), path).rejects.toThrow();
    asked += 2;
  }
});

test(`at least ${FLOOR} cases were asked, of every operation`, () => {
  expect(operations.length).toBeGreaterThan(30);
  expect(asked).toBeGreaterThanOrEqual(FLOOR);
});

function peerOf({ device, signer }: RawDevice): Peer {
  return { device: deviceIdSchema.parse(device), signer };
}

function planOf(operation: Operation): Plan {
  return { seed: SEED, known, draws: DRAWS, ...accessTo(operation) };
}

function report({ asked: count, faults, statuses }: Verdict): void {
  asked += count;
  console.log(`${count} cases: ${JSON.stringify(statuses)}`);
  expect(faults.slice(0, 40), `${faults.length} faults`).toEqual([]);
}

function describeAll(): Promise<Description[]> {
  const { control, devices, internal, inbox } = house.urls;
  const { ports } = house.sealpost;
  const [webhooks, console] = [ports.webhooks, ports.console].map((port) => `http://127.0.0.1:${port}`);
  return Promise.all(
    Object.entries({ control, devices, internal, inbox, console, webhooks }).map(async ([api, url]) => {
      const { text } = await call({ method: 'GET', url: `${url}/openapi.json`, certificate: house.controlCertificate });
      return readDescription(api, text);
    }),
  );
}
