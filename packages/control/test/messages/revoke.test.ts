/** Taking a message back through the real gateway: who may, what is answered, what its status says afterwards. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enrolDevice } from '../agents/device.ts';
import { createEstate, type Estate } from '../agents/estate.ts';
import { ALICE, applyBundle, type ControlProcess, registerMember, startProcess } from '../agents/process.ts';

let estate: Estate;
let control: ControlProcess;
let keys = 0;
const sender = { kind: 'application', id: 'monitoring', flows: ['incident-alerts'] } as const;
const approver = { kind: 'approver', key: 'A'.repeat(43) } as never;
const content = { subject: 'Disk', body: 'full on db1', facts: [], acknowledge: false };
const sent = async () =>
  (await control.messages.send(sender, { flow: 'incident-alerts', to: ALICE, content } as never, `revoke-${keys++}`))
    .message;

beforeAll(async () => {
  estate = await createEstate();
  control = await startProcess(estate);
  await applyBundle(estate, control, 1);
  await registerMember(control);
  const device = await enrolDevice(estate, control);
  await device.upload(5);
});
afterAll(async () => {
  await control[Symbol.asyncDispose]();
  await estate[Symbol.asyncDispose]();
});

test('who sent it takes it back, is told so again, and reads that it is revoked', async () => {
  const message = await sent();
  expect(await control.messages.revoke(sender, message)).toEqual({ outcome: 'done', state: 'revoked' });
  expect(await control.messages.revoke(sender, message)).toEqual({ outcome: 'already', state: 'revoked' });
  const status = await control.messages.status(sender, message);
  expect(status.state).toBe('revoked');
  const by = status.timeline.flatMap(({ event }) => (event.kind === 'message.revoked' ? [event.by] : []));
  expect(by).toEqual(['application:monitoring']);
});

test('an approver takes back what others sent', async () => {
  expect(await control.messages.revoke(approver, await sent())).toEqual({ outcome: 'done', state: 'revoked' });
});

test('to another application there is no such message, and it goes on', async () => {
  const message = await sent();
  await expect(control.messages.revoke({ ...sender, id: 'other' }, message)).rejects.toMatchObject({
    code: 'ERR_MESSAGES_MISSING',
  });
  expect((await control.messages.status(sender, message)).state).toBe('accepted');
});
