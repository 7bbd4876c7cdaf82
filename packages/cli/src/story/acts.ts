/** The first three acts. Each waits for what really happened and checks what must hold about it. */
import { createHash } from 'node:crypto';
import type { Device, InboxMessage } from '@sealpost/client';
import { controlApi, type EventKind, type EventOf, type MessageId, SealpostError } from '@sealpost/protocol';
import { ALICE_PHONE, type Stage } from './stage.ts';
import { must, type Steps, until } from './steps.ts';

/** Both devices online: the alert arrives by the app, sealed end to end, and is acknowledged. */
export async function actOne(stage: Stage, steps: Steps): Promise<MessageId> {
  const { phone, laptop } = stage;
  await steps.run('one.online', 'phone and laptop are online', () => Promise.all([phone.connect(), laptop.connect()]));
  const { message } = await steps.run(
    'one.accepted',
    'an Alertmanager webhook was authorized, inspected, sealed with MLS and accepted durably (202 after commit)',
    () => stage.sendAlert('DiskFull', 'firing'),
  );
  await steps.run(
    'one.received',
    'both devices received and opened it; commitment and authenticated data agree',
    async () => {
      for (const device of [phone, laptop])
        must((await received(stage, device, message)).checks.commitment, 'commitment');
    },
  );
  await steps.run('one.sender', 'the sender shown is the one MLS authenticated: acme-incidents', async () => {
    for (const device of [phone, laptop])
      must((await received(stage, device, message)).sender.agent === 'acme-incidents', 'authenticated sender');
  });
  await steps.run(
    'one.attachment',
    'the linked PNG came as ciphertext through the blob store and opens to the same bytes',
    async () => {
      const original = await stage.simulator.image('disk');
      for (const device of [phone, laptop]) {
        const opened = await device.attachment(message, 0);
        const both = `attachment bytes (${inShort(opened)} on ${device.identity.device}, ${inShort(original)} linked)`;
        must(digest(opened) === digest(original), both);
      }
    },
  );
  await steps.run('one.read', 'both devices sent signed read receipts; the phone acknowledged', async () => {
    await phone.open(message);
    await laptop.open(message);
    await phone.acknowledge(message);
  });
  await steps.run('one.timeline', 'the acknowledgement and both read receipts are on the timeline', async () => {
    await timelineHas(
      stage,
      message,
      'receipt.device',
      (event) => event.receipt === 'acknowledged' && event.device === phone.identity.device,
    );
    for (const device of [phone, laptop])
      await timelineHas(
        stage,
        message,
        'receipt.device',
        (event) => event.receipt === 'read' && event.device === device.identity.device,
      );
  });
  return message;
}

/** Both devices offline: a notice goes out over RCS, the provider's signed webhook says delivered, the phone opens. */
export async function actTwo(stage: Stage, steps: Steps): Promise<MessageId> {
  const { phone, laptop } = stage;
  await goOffline(steps, 'two', phone, laptop);
  const { message } = await steps.run('two.accepted', 'a second alert was accepted', () =>
    stage.sendAlert('ReplicaLag', 'firing'),
  );
  await steps.run(
    'two.notice',
    'the ladder sent a notice over RCS; the carrier saw that something waits, and none of what',
    async () => {
      const shown = await until(
        'RCS notice on the phone',
        () => stage.simulator.lastMessage(ALICE_PHONE, 'rcs'),
        stage.surroundings.now,
      );
      must(!shown.includes('ReplicaLag') && !shown.includes('db1'), 'a notice without content');
    },
  );
  await steps.run('two.delivered', 'the provider’s signed webhook says delivered', () =>
    timelineHas(
      stage,
      message,
      'receipt.provider',
      (event) => event.channel === 'rcs-main' && event.status === 'delivered',
    ),
  );
  await steps.run('two.opened', 'the phone came online, received and opened it', async () => {
    await phone.connect();
    await received(stage, phone, message);
    await phone.open(message);
    await timelineHas(
      stage,
      message,
      'receipt.device',
      (event) => event.receipt === 'read' && event.device === phone.identity.device,
    );
  });
  return message;
}

/** RCS answers 503: the notice goes by SMS. Asking to carry the content there is refused. */
export async function actThree(stage: Stage, steps: Steps): Promise<MessageId> {
  const { phone, laptop } = stage;
  await goOffline(steps, 'three', phone, laptop);
  await stage.simulator.setFault('rbm', '503');
  const { message } = await steps.run('three.accepted', 'RCS is down; a third alert was accepted', () =>
    stage.sendAlert('CertificateExpiry', 'firing'),
  );
  await steps.run('three.rcs-failed', 'the RCS provider answered 503 and the attempt says so', () =>
    timelineHas(
      stage,
      message,
      'attempt.ended',
      (event) => event.channel === 'rcs-main' && event.outcome === 'retry-after',
    ),
  );
  await steps.run('three.sms', 'the notice went by SMS (SMPP 3.4), without content', async () => {
    const shown = await until(
      'SMS notice on the phone',
      () => stage.simulator.lastMessage(ALICE_PHONE, 'sms'),
      stage.surroundings.now,
    );
    must(!shown.includes('CertificateExpiry') && !shown.includes('db1'), 'a notice without content');
  });
  await steps.run('three.receipt', 'its delivery receipt came back', () =>
    timelineHas(
      stage,
      message,
      'receipt.provider',
      (event) => event.channel === 'sms-main' && event.status === 'delivered',
    ),
  );
  await steps.run(
    'three.floor',
    'a request to carry the content itself by SMS was refused: ERR_ROUTING_BELOW_FLOOR',
    () => refusedBelowFloor(stage),
  );
  await steps.run('three.opened', 'the phone came online and opened it', async () => {
    await stage.simulator.clearFaults();
    await phone.connect();
    await received(stage, phone, message);
    await phone.open(message);
    await timelineHas(stage, message, 'receipt.device', (event) => event.receipt === 'read');
  });
  return message;
}

export async function goOffline(steps: Steps, act: string, ...devices: Device[]): Promise<void> {
  await steps.run(`${act}.offline`, 'phone and laptop are offline', async () => {
    for (const device of devices) await device.disconnect();
    must(
      devices.every((device) => !device.online),
      'devices offline',
    );
  });
}

export function received(stage: Stage, device: Device, message: MessageId): Promise<InboxMessage> {
  return until(
    `message on ${device.identity.device}`,
    async () => {
      const found = (await device.inbox()).find((entry) => entry.message === message);
      if (found?.state === 'unreadable') must(false, `message readable (${found.code ?? ''})`);
      return found;
    },
    stage.surroundings.now,
  );
}

/** Waits for an event of this kind on the message's timeline and answers it. */
export async function timelineHas<K extends EventKind>(
  stage: Stage,
  message: MessageId,
  kind: K,
  matches: (event: EventOf<K>) => boolean,
): Promise<{ event: EventOf<K>; position: number | null }> {
  return until(
    `${kind} on the timeline`,
    async () => {
      for (const { event, position } of (await stage.status(message)).timeline) {
        if (isKind(event, kind) && matches(event)) return { event, position };
      }
      return undefined;
    },
    stage.surroundings.now,
  );
}

function isKind<K extends EventKind>(event: { kind: EventKind }, kind: K): event is EventOf<K> {
  return event.kind === kind;
}

async function refusedBelowFloor(stage: Stage): Promise<void> {
  const body = {
    flow: stage.flow,
    to: stage.member,
    content: { subject: 'Certificate', body: 'expires tonight' },
    route: { channel: 'sms-main', use: 'carry' },
  };
  const token = await stage.applicationToken();
  const refusal = await stage.control
    .call('POST', '/v1/messages', controlApi.messageAcceptedSchema, {
      body,
      token,
      headers: { 'idempotency-key': stage.surroundings.uuid() },
    })
    .then(
      () => undefined,
      (cause: unknown) => cause,
    );
  must(refusal instanceof SealpostError && refusal.code === 'ERR_ROUTING_BELOW_FLOOR', 'refusal below the floor');
}

/** Enough to tell which side is another one than ever before. */
function inShort(bytes: Uint8Array): string {
  return `${bytes.length} bytes ${digest(bytes).slice(0, 12)}`;
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
