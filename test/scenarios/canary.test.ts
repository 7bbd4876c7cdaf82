/**
 * The canary: messages full of markers go through a whole running house by every road there is, and afterwards no file and
 * no memory of those who must not read them holds a marker, in any form. Beside each thing that must not be found something
 * is planted that must be.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Stage } from '../../packages/cli/src/story/stage.ts';
import type { Device, ReadableMessage } from '../../packages/client/src/index.ts';
import type { Database } from '../../packages/platform/src/index.ts';
import type { MessageId } from '../../packages/protocol/src/index.ts';
import { formsOf } from '../canary/forms.ts';
import { type HeldRequest, holdRequest } from '../canary/held-request.ts';
import { createMarkers, type Markers, randomPhone, randomStem } from '../canary/markers.ts';
import { type Looked, lookAtFolder, lookAtMemory, lookAtText, together } from '../canary/places.ts';
import { createSearch } from '../canary/search.ts';
import { createSending, pictureOf, type Sending } from '../canary/sending.ts';
import { compressNothing, folderOf, keepWal, openAsSuperuser, writeOut } from '../canary/storage.ts';
import { openHouse, type RunningHouse } from '../support/running-house.ts';
import { until } from '../support/until.ts';

const PORTS = { base: 7100, pictures: 7119 };
const MEGABYTE = 1 << 20;
/** Repeated letters, far beyond the size from which PostgreSQL compresses what it may. */
const LONG = 40_000;

let house: RunningHouse;
let stage: Stage;
let superuser: Database;
let pictures: Server;
let sending: Sending;
let opened: ReadableMessage[];
let attachments: Uint8Array[];

const markers: Markers = createMarkers();
const phone = randomPhone();
const name = `${randomStem()}name`;
const planted = `${randomStem()}planted`;
const content = createSearch(markers);
const number = createSearch({ number: phone.slice(1) });
const recipient = createSearch({ name });
const control = createSearch({ planted });

beforeAll(async () => {
  house = await openHouse(PORTS.base);
  superuser = openAsSuperuser(house);
  await keepWal(superuser);
  await house.databases.gateway.query('plant-table', 'CREATE TABLE planted (form text, value text, bytes bytea)');
  await compressNothing(house.databases.gateway);
  await compressNothing(house.databases.control);
  pictures = await servePictures();
  allowPictures();
  stage = await house.stage();
  await stage.operator.registerMember(stage.member, `Alice ${name}`, phone);
  await stage.simulator.setPhone(phone, { rcs: true, online: true });
  sending = await createSending(
    stage,
    house.urls.control,
    markers,
    `http://127.0.0.1:${PORTS.pictures}/${markers.link}.png`,
  );
  ({ opened, attachments } = await tell());
}, 240_000);

afterAll(async () => {
  await superuser?.close();
  pictures?.close();
  await house?.close();
});

test('the markers really went the whole way, and carriers brought notices to the number that is looked for', async () => {
  expect(opened).toHaveLength(6);
  for (const { subject, body, facts } of opened) {
    expect(subject).toContain(markers.subject);
    expect(body).toContain(markers.body);
    expect(facts.map(({ value }) => value)).toContain(markers.fact);
  }
  expect(attachments).toHaveLength(3);
  for (const bytes of attachments) expect(Buffer.from(bytes).equals(pictureOf(markers.attachment))).toBe(true);
  const traffic = await textOf('/traffic');
  expect(number([Buffer.from(traffic)]).length).toBeGreaterThan(1);
  const { messages } = JSON.parse(await textOf(`/phones/${encodeURIComponent(phone)}`)) as {
    messages: { channel: string }[];
  };
  expect(new Set(messages.map(({ channel }) => channel))).toEqual(new Set(['rcs', 'sms']));
});

test('what lies on any disk holds no content: databases, WAL, logs, blobs, control and the devices’ own stores', async () => {
  await writeOut(superuser);
  const looked = lookAtFolder(content, house.folder);
  expect(looked.found).toEqual([]);
  expect(looked.bytes).toBeGreaterThan(50 * MEGABYTE);
});

test('a recipient’s number lies nowhere, and the name only where control keeps its members', async () => {
  expect(lookAtFolder(number, house.folder).found).toEqual([]);
  const [own, gateways] = [
    await folderOf(superuser, 'sealpost_control'),
    await folderOf(superuser, 'sealpost_gateway'),
  ];
  const places = lookAtFolder(recipient, house.sealpost.folder.path).found.map(({ place }) => place);
  expect(places.filter((place) => place.startsWith(gateways))).toEqual([]);
  // The embedded server keeps one WAL for both databases; where the zones are apart, so are their servers (DESIGN 4).
  expect(places.filter((place) => !place.startsWith(own) && !place.startsWith('postgres/pg_wal/'))).toEqual([]);
  expect(places.filter((place) => place.startsWith(own))).not.toEqual([]);
});

test('what is planted in the gateway’s database is found on the disk in every form, long values too', async () => {
  // Twice each: a record that reaches over the end of a WAL page is divided by the next page's header, its neighbour not.
  for (const { name: form, bytes } of formsOf(planted).flatMap((form) => [form, form]))
    await house.databases.gateway.query('plant', 'INSERT INTO planted (form, bytes) VALUES ($1, $2)', [
      form,
      Buffer.from(bytes),
    ]);
  const long = `${'a'.repeat(LONG)}${planted}${'a'.repeat(LONG)}`;
  for (const form of ['long', 'long again'])
    await house.databases.gateway.query('plant-long', 'INSERT INTO planted (form, value) VALUES ($1, $2)', [
      form,
      long,
    ]);
  await writeOut(superuser);
  const { found } = lookAtFolder(control, house.sealpost.folder.path);
  const forms = formsOf(planted).map((form) => form.name);
  for (const place of [await folderOf(superuser, 'sealpost_gateway'), 'postgres/pg_wal/']) {
    const there = found.filter((hit) => hit.place.startsWith(place));
    expect(new Set(there.map(({ form }) => form)), place).toEqual(new Set(forms));
    // Twice by itself, so at least once in a long value.
    expect(there.filter(({ form }) => form === 'utf-8').length, place).toBeGreaterThan(2);
  }
});

test('the memory of gateway and dispatcher holds no content and no name, the gateway’s no number either', async () => {
  const [gateway, dispatcher] = [house.sealpost.pid('gateway')!, house.sealpost.pid('dispatcher')!];
  for (const [place, pid] of Object.entries({ gateway, dispatcher })) {
    for (const search of [content, recipient]) {
      const looked = lookAtMemory(search, place, pid);
      expect(looked.found).toEqual([]);
      expect(looked.bytes, place).toBeGreaterThan(50 * MEGABYTE);
    }
  }
  expect(lookAtMemory(number, 'gateway', gateway).found).toEqual([]);
});

test('what is planted in the memory of gateway and dispatcher is found there in every form', async () => {
  const body = Buffer.concat(formsOf(planted).flatMap(({ bytes }) => [bytes, Buffer.from('\n')]));
  const { devices, webhooks } = house.sealpost.ports;
  const held: HeldRequest[] = [
    await holdRequest(devices, '/v1/receipts', 'application/json', body),
    await holdRequest(webhooks, '/webhooks/rcs-main', 'application/json', body),
  ];
  try {
    for (const service of ['gateway', 'dispatcher'] as const) {
      const forms = new Set(formsOf(planted).map((form) => form.name));
      // The bytes may still be on their way to the process.
      await until(`all forms in the ${service}`, () => {
        const { found } = lookAtMemory(control, service, house.sealpost.pid(service)!);
        return new Set(found.map(({ form }) => form)).size === forms.size;
      });
    }
  } finally {
    for (const request of held) request.release();
  }
});

test('carriers were sent no content, and the supervisor printed neither content nor number nor name', async () => {
  const sent = together([
    lookAtText(content, 'traffic', await textOf('/traffic')),
    lookAtText(content, 'traffic, decoded', await decodedTraffic()),
    lookAtText(content, 'phone', await textOf(`/phones/${encodeURIComponent(phone)}`)),
    lookAtText(recipient, 'traffic', `${await textOf('/traffic')}${await decodedTraffic()}`),
  ]);
  expect(sent.found).toEqual([]);
  expect(sent.bytes).toBeGreaterThan(500);
  const said = house.said.join('\n');
  const printed: Looked[] = [content, number, recipient].map((search) => lookAtText(search, 'supervisor', said));
  expect(together(printed).found).toEqual([]);
  expect(said).not.toBe('');
});

/** Online; offline with RCS; offline without RCS. Each time an alert with its picture and a message; opened, acknowledged. */
async function tell(): Promise<{ opened: ReadableMessage[]; attachments: Uint8Array[] }> {
  const { phone: device, laptop, simulator } = stage;
  const told: ReadableMessage[] = [];
  const files: Uint8Array[] = [];
  const both = async () => [await sending.alert(), await sending.message()];
  const take = async (messages: readonly MessageId[]) => {
    for (const message of messages) {
      await until('the message on the phone', () => has(device, message));
      const shown = await device.open(message);
      told.push(shown);
      if (shown.attachments.length > 0) files.push(await device.attachment(message, 0));
      await device.acknowledge(message);
      await until('the acknowledgement', async () => (await stage.status(message)).state === 'acknowledged');
    }
  };
  await Promise.all([device.connect(), laptop.connect()]);
  await take(await both());
  expect(await sending.refused()).toEqual([
    'ERR_ROUTING_BELOW_FLOOR',
    'ERR_HTTP_INVALID',
    'ERR_IDENTITY_MEMBER',
    'ERR_INSPECTION_BLOCKED',
    'ERR_IDENTITY_UNAUTHENTICATED',
    'ERR_HTTP_INVALID',
  ]);
  for (const channel of ['rcs', 'sms'] as const) {
    await Promise.all([device.disconnect(), laptop.disconnect()]);
    if (channel === 'sms') await simulator.setFault('rbm', '503');
    const messages = await both();
    await until(`a notice by ${channel}`, async () => (await simulator.lastMessage(phone, channel)) !== undefined);
    await device.connect();
    await take(messages);
  }
  await simulator.clearFaults();
  await Promise.all([device.disconnect(), laptop.disconnect()]);
  return { opened: told, attachments: files };
}

async function has(device: Device, message: MessageId): Promise<boolean> {
  return (await device.inbox()).some((each) => each.message === message);
}

/** Pictures under any name, from a server that is none of ours. */
async function servePictures(): Promise<Server> {
  const server = createServer((_request, answer) => answer.end(pictureOf(markers.attachment)));
  await new Promise<void>((resolve) => server.listen(PORTS.pictures, '127.0.0.1', resolve));
  return server;
}

/** In the house's own copy of the manifests. */
function allowPictures(): void {
  const file = join(house.manifests, 'flows.yaml');
  const hosts = `hosts:\n      - { host: 127.0.0.1, port: ${PORTS.pictures}, private: true }`;
  writeFileSync(file, readFileSync(file, 'utf8').replace('hosts:', hosts));
}

async function textOf(path: string): Promise<string> {
  return (await fetch(`${house.urls.carriers}${path}`)).text();
}

/** Short messages came as hexadecimal octets. */
async function decodedTraffic(): Promise<string> {
  const traffic = JSON.parse(await textOf('/traffic')) as { raw: string }[];
  return traffic
    .map(({ raw }) => (/^[0-9a-f]+$/i.test(raw) ? Buffer.from(raw, 'hex').toString('latin1') : ''))
    .join('\n');
}
