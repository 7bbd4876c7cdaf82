/** Rollouts and the kill switch through OpenFeature: they close routes, to the same people each time, and open none. */
import { channelNameSchema, flowNameSchema, vendorNameSchema } from '@sealpost/protocol';
import { describe, expect, test } from 'vitest';
import { createFlags, type Rollout } from '../../src/modules/routing/flags.ts';

const RCS = channelNameSchema.parse('rcs-main');
const FLOW = flowNameSchema.parse('incident-alerts');
const OTHER = flowNameSchema.parse('reminders');
const PEOPLE = Array.from({ length: 1000 }, (_, number) => `person-${number}`);
let domains = 0;

async function flagsOf(...rollouts: readonly Partial<Rollout>[]) {
  domains += 1;
  const whole = rollouts.map((rollout) => ({ name: RCS, channel: RCS, percent: 100, ...rollout }));
  return createFlags(() => whole, `test-${domains}`);
}

async function reached(percent: number): Promise<Set<string>> {
  const flags = await flagsOf({ percent });
  const open = await Promise.all(PEOPLE.map((person) => flags.isChannelOpen(RCS, FLOW, person)));
  return new Set(PEOPLE.filter((_, index) => open[index]));
}

describe('a rollout', () => {
  test('opens its channel to about its share of people, and keeps those it has when it grows', async () => {
    const [tenth, half, all, nobody] = [await reached(10), await reached(50), await reached(100), await reached(0)];
    expect(tenth.size / 1000).toBeCloseTo(0.1, 1);
    expect(half.size / 1000).toBeCloseTo(0.5, 1);
    expect([all.size, nobody.size]).toEqual([1000, 0]);
    expect([...tenth].every((person) => half.has(person))).toBe(true);
  });

  test('that names flows says nothing of others, and a channel without one is open to all', async () => {
    const flags = await flagsOf({ percent: 0, flows: [FLOW] });
    expect(await flags.isChannelOpen(RCS, FLOW, 'a')).toBe(false);
    expect(await flags.isChannelOpen(RCS, OTHER, 'a')).toBe(true);
    expect(await flags.isChannelOpen(channelNameSchema.parse('sms-main'), FLOW, 'a')).toBe(true);
  });
});

test('a vendor an operator has closed stays closed whatever a flag says', async () => {
  const flags = await flagsOf();
  const vendor = vendorNameSchema.parse('google-main');
  expect(await flags.isVendorOpen(vendor, false)).toBe(true);
  expect(await flags.isVendorOpen(vendor, true)).toBe(false);
});
