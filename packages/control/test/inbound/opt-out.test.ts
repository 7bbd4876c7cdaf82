/** What a STOP does to the next message: no notice to that number, and the app channel as before. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enrolDevice, rows } from '../agents/device.ts';
import { createEstate, type Estate } from '../agents/estate.ts';
import { ALICE, applyBundle, type ControlProcess, PHONE, registerMember, startProcess } from '../agents/process.ts';

let estate: Estate;
let control: ControlProcess;
let sent = 0;
const principal = { kind: 'application', id: 'monitoring', flows: ['incident-alerts'] } as const;

beforeAll(async () => {
  estate = await createEstate();
  control = await startProcess(estate);
  await applyBundle(estate, control, 1);
  await registerMember(control);
  await (await enrolDevice(estate, control)).upload(5);
});
afterAll(async () => {
  await control[Symbol.asyncDispose]();
  await estate[Symbol.asyncDispose]();
});

/** The forms in the envelope of a fresh message. */
async function forms(): Promise<string[]> {
  const content = { subject: 'Disk', body: 'full', facts: [], acknowledge: false };
  const request = { flow: 'incident-alerts', to: ALICE, content } as never;
  const { message } = await control.messages.send(principal, request, `key-${sent++}`);
  const [row] = await rows(estate, 'SELECT body FROM envelope WHERE message = $1', [message]);
  return JSON.parse(new TextDecoder().decode(row.body)).parts.map(({ form }: { form: string }) => form);
}

const address = { kind: 'phone', address: PHONE } as const;
const suppress = (agents: string[], as: string = PHONE) =>
  control.database.transaction((tx) => control.consent.suppress(tx, { ...address, address: as }, agents));
const lift = (agents: string[]) => control.database.transaction((tx) => control.consent.lift(tx, address, agents));
const ALL = ['device', 'carrier', 'carrier'];

test('STOP to an agent ends its notices and never its messages on the app channel, until START', async () => {
  expect(await forms()).toEqual(ALL);
  await suppress(['acme-incidents']);
  expect(await forms()).toEqual(['device']);
  await lift(['acme-incidents']);
  expect(await forms()).toEqual(ALL);
});

test('STOP to another agent changes nothing, and STOP to a vendor nobody names holds for all', async () => {
  await suppress(['acme-news']);
  expect(await forms()).toEqual(ALL);
  await suppress([]);
  expect(await forms()).toEqual(['device']);
  await lift([]);
  expect(await forms()).toEqual(ALL);
});

test('a number is the same with its plus and without, and the table holds none of it', async () => {
  await suppress(['acme-incidents'], PHONE.replace('+', ''));
  expect(await forms()).toEqual(['device']);
  const table = await control.database.query('suppressions', 'SELECT address::text, agent FROM suppression');
  expect(JSON.stringify(table)).not.toContain(PHONE.slice(1));
  await lift(['acme-incidents']);
});
