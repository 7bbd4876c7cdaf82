/** The kill switch on the real log: closing holds at once and even while the log stalls, opening waits for it. */
import { keyIdSchema, vendorNameSchema } from '@sealpost/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createRouter, createVendorSwitch, type VendorSwitch } from '../../src/modules/routing/index.ts';
import { createDeliveryBench, type DeliveryBench } from '../delivery/bench.ts';
import { FLOW } from '../delivery/fixtures.ts';

const RCS = vendorNameSchema.parse('rcs-main');
const BY = keyIdSchema.parse('A'.repeat(43));

describe('the kill switch', () => {
  let bench: DeliveryBench;
  let vendors: VendorSwitch;
  let healthy = true;
  beforeEach(async () => {
    bench = await createDeliveryBench();
    healthy = true;
    const { database, bus, log, clock: surroundings } = bench;
    const watched = { append: log.append, lockLane: log.lockLane, healthy: () => healthy };
    vendors = createVendorSwitch({ database, bus, log: watched, surroundings, bundle: () => bench.bundle });
  });
  afterEach(() => bench[Symbol.asyncDispose]());

  const faultOf = async () => {
    const router = createRouter({ surroundings: bench.clock, bundle: () => undefined });
    const [facts] = await router.facts(bench.database, [{ flow: FLOW, recipient: 'alice' }]);
    return facts?.faultOf(RCS);
  };

  test('closes a vendor to routing with its record, and once', async () => {
    expect(await faultOf()).toBeUndefined();
    expect(await vendors.set(RCS, { open: false, by: BY })).toBe('done');
    expect(await vendors.set(RCS, { open: false, by: BY })).toBe('already');
    expect(await faultOf()).toBe('vendor-closed');
    const rows = await bench.database.query<{ record: string }>(
      't-switched',
      "SELECT record FROM lane_event WHERE kind = 'vendor.switched'",
    );
    expect(rows.map(({ record }) => JSON.parse(record))).toMatchObject([{ vendor: RCS, open: false, by: BY }]);
  });

  test('closes while the log stalls, and opens only when it does not', async () => {
    healthy = false;
    expect(await vendors.set(RCS, { open: false, by: BY })).toBe('done');
    await expect(vendors.set(RCS, { open: true, by: BY })).rejects.toMatchObject({ code: 'ERR_LOG_STALLED' });
    expect(await faultOf()).toBe('vendor-closed');
    healthy = true;
    expect(await vendors.set(RCS, { open: true, by: BY })).toBe('done');
    expect(await faultOf()).toBeUndefined();
  });

  test('a step whose only vendor is closed is passed over, and the timeline says why', async () => {
    await vendors.set(RCS, { open: false, by: BY });
    const { message } = await bench.accept(await bench.recipient('alice'));
    await bench.settle();
    bench.clock.advance(2000);
    await bench.settle();
    const steps = await bench.eventsOf(message, 'route.step');
    expect(steps.find(({ channel }) => channel === 'rcs-main')).toMatchObject({
      decision: 'skipped',
      reason: 'vendor-closed',
    });
    expect(await bench.eventsOf(message, 'attempt.started')).toEqual([]);
  });
});
