/** Sending through the real gateway: what is answered, what is stored, what devices read, and what repeats give. */
import { openCarrier } from '@sealpost/crypto/dispatch';
import { SealpostError, submissionSchema } from '@sealpost/protocol';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { enrolDevice, rows, type TestDevice } from '../agents/device.ts';
import { createEstate, type Estate } from '../agents/estate.ts';
import { ALICE, applyBundle, type ControlProcess, PHONE, registerMember, startProcess } from '../agents/process.ts';

let estate: Estate;
let control: ControlProcess;
let device: TestDevice;
let keys = 0;
const principal = { kind: 'application', id: 'monitoring', flows: ['incident-alerts'] } as const;
const request = (body: string, change: object = {}) =>
  ({
    flow: 'incident-alerts',
    to: ALICE,
    content: { subject: 'Disk', body, facts: [], acknowledge: false },
    ...change,
  }) as never;
const nextKey = () => `key-${keys++}`;
const codeOf = (error: unknown) => (error instanceof SealpostError ? error.code : String(error));
const stored = async () =>
  (await control.database.query<{ n: number }>('test-count', 'SELECT count(*) AS n FROM message_request'))[0]?.n;

beforeAll(async () => {
  estate = await createEstate();
  control = await startProcess(estate);
  await applyBundle(estate, control, 1);
  await registerMember(control);
  device = await enrolDevice(estate, control);
  await device.upload(5);
});
afterAll(async () => {
  await control[Symbol.asyncDispose]();
  await estate[Symbol.asyncDispose]();
});
beforeEach(() => {
  for (const name of Object.keys(control.faults)) delete control.faults[name as keyof typeof control.faults];
});

test('a message is answered with a receipt of the gateway and read by the device as sent', async () => {
  const accepted = await control.messages.send(principal, request('full on db1'), nextKey());
  const [row] = await control.database.query<{ conversation: string }>(
    'test-conversation',
    'SELECT conversation FROM agent_group',
  );
  const read = await device.read(row!.conversation);
  expect(accepted.receipt.split('.')).toHaveLength(3);
  expect(read.at(-1)?.sender).toBe('sealpost://acme.example/agent/acme-incidents');
  expect(JSON.parse(read.at(-1)!.text)).toMatchObject({ kind: 'message', body: 'full on db1' });
  expect(row!.conversation).toMatch(/^con_[A-Za-z0-9_-]{22}$/);
});

test('the envelope carries one content-free notice for each notice step, to the number of the member', async () => {
  const { message } = await control.messages.send(principal, request('with notices'), nextKey());
  const [row] = await rows(estate, 'SELECT body FROM envelope WHERE message = $1', [message]);
  const envelope = JSON.parse(new TextDecoder().decode(row.body));
  const carriers = envelope.parts.filter((part: { form: string }) => part.form === 'carrier');
  expect(carriers.map((part: { channel: string }) => part.channel)).toEqual(['rcs-main', 'sms-main']);
  for (const part of carriers) {
    const binding = {
      organisation: estate.trust.organisation,
      message,
      flow: 'incident-alerts',
      channel: part.channel,
      use: 'notice',
    };
    const opened = await openCarrier(part, estate.dispatch, binding as never);
    expect(opened).toMatchObject({
      kind: 'ok',
      carriage: { address: PHONE, payload: { kind: 'notice', text: 'Something is waiting for you.' } },
    });
  }
  expect(envelope.expires - envelope.created).toBe(4 * 3_600_000);
  expect(envelope.parts[0]).toMatchObject({ form: 'device', epoch: 1 });
});

test('a member without a number gets the device part alone', async () => {
  const bob = 'bob' as typeof ALICE;
  await control.database.transaction((tx) =>
    control.identity.registerMember(tx, { member: bob, displayName: 'Bob', nonce: 'A'.repeat(22) } as never),
  );
  const phone = await enrolDevice(estate, control, bob);
  await phone.upload(1);
  const { message } = await control.messages.send(principal, request('to bob', { to: bob }), nextKey());
  const [row] = await rows(estate, 'SELECT body FROM envelope WHERE message = $1', [message]);
  expect(JSON.parse(new TextDecoder().decode(row.body)).parts).toHaveLength(1);
});

test('the same key and request answer the same message without another submission', async () => {
  const key = nextKey();
  const first = await control.messages.send(principal, request('once'), key);
  const again = await control.messages.send(principal, request('once'), key);
  expect(again).toEqual(first);
});

test('the same key with another body is a conflict and changes nothing', async () => {
  const key = nextKey();
  await control.messages.send(principal, request('first'), key);
  const before = await stored();
  await expect(control.messages.send(principal, request('second'), key)).rejects.toMatchObject({
    code: 'ERR_MESSAGES_KEY_USED',
    kind: 'conflict',
  });
  expect(await stored()).toBe(before);
});

test('the same key of another principal is another message', async () => {
  const key = nextKey();
  const first = await control.messages.send(principal, request('mine'), key);
  const other = await control.messages.send({ ...principal, id: 'other' }, request('mine'), key);
  expect(other.message).not.toBe(first.message);
});

test('two requests at once under one key become one message', async () => {
  const key = nextKey();
  const both = await Promise.all([1, 2, 3].map(() => control.messages.send(principal, request('together'), key)));
  expect(new Set(both.map(({ message }) => message)).size).toBe(1);
});

test('after a crash between store and submit another process sends the identical bytes', async () => {
  const key = nextKey();
  const sent: unknown[] = [];
  control.faults.submit = async (submission) => {
    sent.push(submission);
    throw new Error('the process ends here');
  };
  await expect(control.messages.send(principal, request('crash'), key)).rejects.toThrow('ends here');
  const next = await startProcess(estate, {
    submit: async (submission) => {
      sent.push(submission);
      return next.client.submit(submission);
    },
  });
  await using _next = next;
  const accepted = await next.messages.send(principal, request('crash'), key);
  expect(sent).toHaveLength(2);
  expect(JSON.stringify(sent[1])).toBe(JSON.stringify(submissionSchema.parse(JSON.parse(JSON.stringify(sent[0])))));
  expect(await rows(estate, 'SELECT 1 FROM envelope WHERE message = $1', [accepted.message])).toHaveLength(1);
});

test('a lost answer is repeated with identical bytes and the gateway answers its first receipt', async () => {
  const key = nextKey();
  const sent: string[] = [];
  let first: string | undefined;
  control.faults.submit = async (submission) => {
    sent.push(JSON.stringify(submission));
    const { results } = await control.client.submit(submission);
    if (sent.length > 1) return { results };
    first = results[0]?.outcome === 'accepted' ? results[0].receipt : undefined;
    throw new SealpostError('ERR_GATEWAY_AWAY', { kind: 'unavailable', sentence: 'away', hint: '' });
  };
  await expect(control.messages.send(principal, request('lost'), key)).rejects.toMatchObject({ kind: 'unavailable' });
  const accepted = await control.messages.send(principal, request('lost'), key);
  expect(accepted.receipt).toBe(first);
  expect(JSON.parse(sent[1]!)).toEqual(JSON.parse(sent[0]!));
});

test('a stored submission whose statement ran out is signed again over the same envelope', async () => {
  const key = nextKey();
  const sent: { statement: { expires: number }; envelopes: unknown }[] = [];
  control.faults.submit = async (submission) => {
    sent.push(submission);
    if (sent.length === 1) throw new Error('the process ends here');
    return control.client.submit(submission);
  };
  await expect(control.messages.send(principal, request('late'), key)).rejects.toThrow();
  estate.clock.offset += 130_000;
  await expect
    .poll(() => control.messages.send(principal, request('late'), key).then(() => 'sent', codeOf), { timeout: 10_000 })
    .toBe('sent');
  expect(sent.at(-1)!.envelopes).toEqual(sent[0]!.envelopes);
  expect(sent.at(-1)!.statement.expires).toBeGreaterThan(sent[0]!.statement.expires);
});

test('an envelope refused because its epoch ended is sealed again under a new message id', async () => {
  const key = nextKey();
  const messages: string[] = [];
  control.faults.submit = async (submission) => {
    messages.push(submission.envelopes[0]!.envelope.message);
    if (messages.length === 1) {
      const second = await enrolDevice(estate, control);
      await second.upload(1);
      await control.agents.conversationFor('acme-incidents' as never, ALICE);
    }
    return control.client.submit(submission);
  };
  const accepted = await control.messages.send(principal, request('overtaken'), key);
  expect(new Set(messages).size).toBe(2);
  expect(accepted.message).toBe(messages[1]);
});

test('a promise that the receipts key of the trust file did not sign is not believed, nor answered', async () => {
  const key = nextKey();
  control.faults.submit = async (submission) => {
    const { results } = await control.client.submit(submission);
    return { results: results.map((result) => ({ ...result, receipt: 'e30.e30.AAAA' })) as never };
  };
  await expect(control.messages.send(principal, request('forged'), key)).rejects.toMatchObject({
    code: 'ERR_MESSAGES_RECEIPT',
  });
  delete control.faults.submit;
  expect((await control.messages.send(principal, request('forged'), key)).receipt).toMatch(/^ey/);
});

test('a receipt of another envelope is not believed', async () => {
  const other = await control.messages.send(principal, request('another'), nextKey());
  control.faults.submit = async (submission) => {
    const { results } = await control.client.submit(submission);
    return { results: results.map((result) => ({ ...result, receipt: other.receipt })) as never };
  };
  await expect(control.messages.send(principal, request('swapped'), nextKey())).rejects.toMatchObject({
    code: 'ERR_MESSAGES_RECEIPT',
  });
});

test.each([
  ['a route below the floor', { route: { channel: 'sms-main', use: 'carry' } }, 'ERR_ROUTING_BELOW_FLOOR'],
  ['a channel the flow does not have', { route: { channel: 'fax', use: 'notice' } }, 'ERR_MESSAGES_ROUTE'],
  ['an unknown flow', { flow: 'no-such-flow' }, 'ERR_FLOWS_UNKNOWN'],
  ['an unknown recipient', { to: 'nobody' }, 'ERR_IDENTITY_MEMBER'],
  ['broken text', { content: { subject: 'x', body: '\ud800', facts: [], acknowledge: false } }, 'ERR_MESSAGES_TEXT'],
  [
    'more than one message holds',
    { content: { subject: 'x', body: '\u20ac'.repeat(100_000), facts: [], acknowledge: false } },
    'ERR_MESSAGES_TOO_LARGE',
  ],
])('%s is refused, with nothing stored, sealed or sent', async (_what, change, code) => {
  const ratchet = () =>
    control.database.query('test-version', 'SELECT version FROM agent_group ORDER BY agent, member');
  const before = [await stored(), await ratchet()];
  control.faults.submit = () => Promise.reject(new Error('must not be called'));
  expect(await control.messages.send(principal, request('refused', change), nextKey()).catch(codeOf)).toBe(code);
  expect([await stored(), await ratchet()]).toEqual(before);
});

test('a notice asked for narrows the envelope to that one', async () => {
  const { message } = await control.messages.send(
    principal,
    request('narrow', { route: { channel: 'sms-main', use: 'notice' } }),
    nextKey(),
  );
  const [row] = await rows(estate, 'SELECT body FROM envelope WHERE message = $1', [message]);
  const { parts } = JSON.parse(new TextDecoder().decode(row.body));
  expect(parts.map((part: { channel?: string }) => part.channel)).toEqual([undefined, 'sms-main']);
});
