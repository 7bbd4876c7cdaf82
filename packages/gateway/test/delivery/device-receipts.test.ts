/** Receipts of devices: what is recorded, what is refused and by which code, by call and over the device listener. */
import { createSigningKey, signJws } from '@sealpost/crypto/signer';
import { createServer } from '@sealpost/platform';
import { DEVICE_RECEIPT_TYPE, type DeviceReceipt, type Envelope } from '@sealpost/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { deviceScope } from '../../src/http/device-auth.ts';
import { registerDeliveryRoutes } from '../../src/modules/delivery/index.ts';
import { random } from '../directory/people.ts';
import { newConversationId } from '../groups/mls.ts';
import { quiet } from '../support/gateway-log.ts';
import { signed } from '../sync/listener.ts';
import { createDeliveryBench, type DeliveryBench, type Recipient } from './bench.ts';
import { deviceReceipt } from './receipts.ts';

describe('receipts of devices', () => {
  let bench: DeliveryBench;
  let alice: Recipient;
  let bob: Recipient;
  let envelope: Envelope;
  beforeAll(async () => {
    bench = await createDeliveryBench();
    alice = await bench.recipient('alice');
    bob = await bench.recipient('bob');
  });
  beforeEach(async () => {
    envelope = await bench.accept(alice);
    await bench.settle();
  });
  afterAll(() => bench[Symbol.asyncDispose]());

  const send = (jws: string, by: Recipient = alice) => bench.delivery.deviceReceipt(jws, by.person.device);
  const make = (kind: DeviceReceipt['kind'], changes: Partial<DeviceReceipt> = {}) =>
    deviceReceipt(bench, alice, envelope, kind, changes);
  const recorded = () => bench.eventsOf(envelope.message, 'receipt.device');
  const refused = async (code: string, answer: Promise<object>) => {
    expect(await answer).toEqual({ outcome: 'refused', code });
    expect(await recorded()).toEqual([]);
  };

  test('a receipt is recorded with its signed bytes as evidence', async () => {
    const jws = await make('delivered');
    expect(await send(jws)).toEqual({ outcome: 'recorded' });
    expect(await recorded()).toMatchObject([{ device: alice.person.device, receipt: 'delivered', jws }]);
  });

  test('the same again, signed anew or not, and at the same time, is a duplicate and no second event', async () => {
    const many = await Promise.all(Array.from({ length: 5 }, () => make('delivered')));
    const answers = await Promise.all(many.map((jws) => send(jws)));
    expect(answers.map(({ outcome }) => outcome).sort()).toEqual([...Array(4).fill('duplicate'), 'recorded']);
    expect(await recorded()).toHaveLength(1);
  });

  test('reading ends the message, and what is said after the end is recorded and changes nothing', async () => {
    await send(await make('read'));
    expect(await send(await make('acknowledged'))).toEqual({ outcome: 'recorded' });
    const events = await bench.events(envelope.message);
    expect(events.map(({ kind }) => kind).slice(-3)).toEqual(['receipt.device', 'message.ended', 'receipt.device']);
    for (const table of ['attempt', 'timer']) expect(await bench.count(table, envelope.message)).toBe(0);
  });

  test('a device that could not open the message does not stop the notices', async () => {
    await send(await make('unreadable'));
    bench.clock.advance(2000);
    await bench.settle();
    expect((await bench.eventsOf(envelope.message, 'route.step')).at(-1)).toMatchObject({
      channel: 'rcs-main',
      decision: 'taken',
    });
  });

  test('a signature by another key, or for another purpose, is refused', async () => {
    const { signer } = await createSigningKey('ES256');
    await refused(
      'ERR_DELIVERY_RECEIPT_SIGNATURE',
      send(await deviceReceipt(bench, alice, envelope, 'read', {}, signer)),
    );
    await refused(
      'ERR_DELIVERY_RECEIPT_SIGNATURE',
      send(await deviceReceipt(bench, alice, envelope, 'read', {}, bob.person.signer)),
    );
    await refused('ERR_DELIVERY_RECEIPT_SIGNATURE', send(await signJws('other+jwt', { v: 1 }, alice.person.signer)));
    await refused(
      'ERR_DELIVERY_RECEIPT_SIGNATURE',
      send(await signJws(DEVICE_RECEIPT_TYPE, { v: 1 }, alice.person.signer)),
    );
    await refused('ERR_DELIVERY_RECEIPT_SIGNATURE', send('no.jws'));
  });

  test('a receipt for another device or organisation is refused', async () => {
    await refused('ERR_DELIVERY_RECEIPT_DEVICE', send(await make('read', { device: bob.person.device })));
    await refused('ERR_DELIVERY_RECEIPT_DEVICE', send(await make('read', { organisation: 'other.example' as never })));
  });

  test('a receipt for a message that is not there, or not for this device, is refused alike', async () => {
    await refused('ERR_DELIVERY_RECEIPT_MESSAGE', send(await make('read', { message: bench.clock.messageId() })));
    await refused('ERR_DELIVERY_RECEIPT_MESSAGE', send(await deviceReceipt(bench, bob, envelope, 'read'), bob));
  });

  test('a receipt for another content or conversation than was sent is refused', async () => {
    await refused('ERR_DELIVERY_RECEIPT_CONTENT', send(await make('read', { commitment: random(32) as never })));
    await refused('ERR_DELIVERY_RECEIPT_CONTENT', send(await make('read', { conversation: newConversationId() })));
  });

  test('a receipt that cannot be decided now is an error, so that the device keeps it', async () => {
    const flow = bench.flow;
    bench.flow = async () => undefined;
    await expect(send(await make('delivered'))).rejects.toMatchObject({ code: 'ERR_DELIVERY_FLOW' });
    bench.flow = flow;
    expect(await send(await make('delivered'))).toEqual({ outcome: 'recorded' });
  });

  test('a revoked device’s receipts are refused', async () => {
    const carol = await bench.recipient('carol');
    const hers = await bench.accept(carol);
    await bench.settle();
    await bench.revoke(carol.person);
    const answer = await send(await deviceReceipt(bench, carol, hers, 'read'), carol);
    expect(answer).toEqual({ outcome: 'refused', code: 'ERR_DELIVERY_RECEIPT_DEVICE' });
    expect(await bench.eventsOf(hers.message, 'receipt.device')).toEqual([]);
  });

  test('POST /v1/receipts answers each receipt in order and takes only signed requests', async () => {
    const server = await createServer({
      name: 'device',
      version: '0',
      logger: quiet,
      bodyLimit: 1_000_000,
      ready: async () => undefined,
    });
    await deviceScope(server, { ...bench, surroundings: bench.clock }, (scope, callerOf) =>
      registerDeliveryRoutes(scope, { delivery: bench.delivery, callerOf }),
    );
    try {
      const url = `${await server.listen({ host: '127.0.0.1', port: 0 })}/v1/receipts`;
      const receipts = [
        await make('delivered'),
        await make('delivered'),
        await make('read', { commitment: random(32) as never }),
      ];
      const request = await signed(alice.person, 'POST', url, { body: { receipts }, created: bench.clock.now() });
      const answer = await fetch(request.url, request.init);
      expect([answer.status, await answer.json()]).toEqual([
        200,
        {
          results: [
            { outcome: 'recorded' },
            { outcome: 'duplicate' },
            { outcome: 'refused', code: 'ERR_DELIVERY_RECEIPT_CONTENT' },
          ],
        },
      ]);
      const unsigned = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ receipts }),
      });
      expect(unsigned.status).toBe(401);
      const byBob = await signed(bob.person, 'POST', url, { body: { receipts }, created: bench.clock.now() });
      const theirs = (await (await fetch(byBob.url, byBob.init)).json()) as { results: { code?: string }[] };
      expect(new Set(theirs.results.map(({ code }) => code))).toEqual(new Set(['ERR_DELIVERY_RECEIPT_SIGNATURE']));
    } finally {
      await server.close();
    }
  });
});
