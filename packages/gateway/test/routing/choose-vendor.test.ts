/** Which vendor takes a try: never one below the floor, never one that is out, and the same one for the same message. */
import {
  ADAPTERS,
  channelNameSchema,
  type LadderStep,
  meetsFloor,
  PROTECTIONS,
  type RungVendor,
  vendorNameSchema,
} from '@sealpost/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseVendor } from '../../src/modules/routing/choose-vendor.ts';
import type { VendorFault } from '../../src/modules/routing/facts.ts';

const CARRIERS = ADAPTERS.filter((adapter) => adapter !== 'app');
const FAULTS = ['vendor-closed', 'vendor-expired', 'no-capability', 'vendor-failing', undefined] as const;
const named = (name: string) => vendorNameSchema.parse(name);

const vendorArbitrary = fc.record({ adapter: fc.constantFrom(...CARRIERS), weight: fc.integer({ min: 0, max: 10 }) });
const worldArbitrary = fc.record({
  vendors: fc.array(vendorArbitrary, { minLength: 1, maxLength: 8 }),
  faults: fc.array(fc.constantFrom(...FAULTS), { minLength: 8, maxLength: 8 }),
  use: fc.constantFrom('carry' as const, 'link' as const, 'notice' as const),
  floor: fc.constantFrom(...PROTECTIONS),
  seed: fc.string(),
  avoided: fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 8 }),
});

function rungOf(vendors: readonly RungVendor[], use: LadderStep['use']): LadderStep {
  const adapter = vendors[0]!.adapter;
  return { channel: channelNameSchema.parse('main'), adapter, vendors: [...vendors], use, after: 0 };
}

const three = rungOf(
  [
    { vendor: named('big'), adapter: 'rcs-google', weight: 9 },
    { vendor: named('small'), adapter: 'rcs-twilio', weight: 1 },
    { vendor: named('spare'), adapter: 'rcs-sinch', weight: 0 },
  ],
  'notice',
);
const choose = (seed: string, faults: Readonly<Record<string, VendorFault>> = {}, avoid: readonly string[] = []) =>
  chooseVendor({
    rung: three,
    floor: 'e2ee',
    facts: { faultOf: (vendor) => faults[vendor] },
    seed,
    avoid: new Set(avoid),
  });
const nameOf = (choice: ReturnType<typeof chooseVendor>) =>
  choice.kind === 'chosen' ? choice.vendor.vendor : choice.reason;

describe('the vendor of a try', () => {
  test('whatever is wrong with whom, it is never below the floor, closed, expired or out of reach', () => {
    fc.assert(
      fc.property(worldArbitrary, ({ vendors, faults, use, floor, seed, avoided }) => {
        const all = vendors.map((vendor, index) => ({ ...vendor, vendor: named(`v${index}`) }));
        const faultOf = (vendor: string) => faults[Number(vendor.slice(1))];
        const avoid = new Set(avoided.map((index) => `v${index}`));
        const choice = chooseVendor({ rung: rungOf(all, use), floor, facts: { faultOf }, seed, avoid });
        const possible = all.filter(
          ({ vendor, adapter }) =>
            meetsFloor(use, adapter, floor) && [undefined, 'vendor-failing'].includes(faultOf(vendor)),
        );
        if (choice.kind === 'none') {
          expect(possible).toEqual([]);
          return;
        }
        expect(possible.map(({ vendor }) => vendor)).toContain(choice.vendor.vendor);
        // A failing vendor is chosen only where nobody works, one that turned it away only where nobody else is left.
        if (faultOf(choice.vendor.vendor) === 'vendor-failing')
          expect(possible.every(({ vendor }) => faultOf(vendor) === 'vendor-failing')).toBe(true);
        const well = possible.filter(({ vendor }) => faultOf(vendor) === undefined);
        if (avoid.has(choice.vendor.vendor) && well.length > 0)
          expect(well.every(({ vendor }) => avoid.has(vendor))).toBe(true);
      }),
      { numRuns: 2000, seed: 4 },
    );
  });

  test('is the same for the same message and try', () => {
    for (const seed of ['a', 'b', 'c', 'd', 'e']) expect(choose(seed)).toEqual(choose(seed));
  });

  test('follows the weights, and one without weight only steps in', () => {
    const names = Array.from({ length: 2000 }, (_, number) => nameOf(choose(`message ${number}`)));
    const share = (name: string) => names.filter((each) => each === name).length / names.length;
    expect(share('big')).toBeCloseTo(0.9, 1);
    expect(share('small')).toBeCloseTo(0.1, 1);
    expect(share('spare')).toBe(0);
    expect(nameOf(choose('x', { big: 'vendor-closed', small: 'vendor-expired' }))).toBe('spare');
  });

  test('is another one after the first has turned the try away, and the first again when nobody else is left', () => {
    for (const seed of ['a', 'b', 'c', 'd']) {
      expect(nameOf(choose(seed, {}, ['big']))).not.toBe('big');
      expect(nameOf(choose(seed, { small: 'vendor-closed', spare: 'vendor-closed' }, ['big']))).toBe('big');
    }
  });

  test('is nobody, with the reason, when every one is out', () => {
    const everyone = (fault: VendorFault) => ({ big: fault, small: fault, spare: fault });
    expect(nameOf(choose('x', everyone('vendor-closed')))).toBe('vendor-closed');
    expect(nameOf(choose('x', everyone('vendor-expired')))).toBe('vendor-expired');
    expect(nameOf(choose('x', everyone('no-capability')))).toBe('no-capability');
  });
});
