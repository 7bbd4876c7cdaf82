/**
 * Which of a channel's vendors takes a try: pure, and the same for the same message and try, so that a decision made twice
 * is made alike. Floor first; then whoever is closed, expired or cannot reach the person is out; a vendor that is failing
 * comes only when nobody else is left, and its circuit then says when it may be probed.
 */
import { createHash } from 'node:crypto';
import { type LadderStep, meetsFloor, type Protection, type RungVendor, vendorsOf } from '@sealpost/protocol';
import type { RouteFacts, VendorFault } from './facts.ts';

export interface VendorChoice {
  readonly rung: LadderStep;
  readonly floor: Protection;
  readonly facts: Pick<RouteFacts, 'faultOf'>;
  /** Draws among the weights. */
  readonly seed: string;
  /** Who has just turned the try away; taken again only when there is nobody else. */
  readonly avoid?: ReadonlySet<string>;
}

export type VendorRefusal = 'below-floor' | Exclude<VendorFault, 'vendor-failing'>;
export type ChosenVendor =
  | { readonly kind: 'chosen'; readonly vendor: RungVendor }
  | { readonly kind: 'none'; readonly reason: VendorRefusal };

export function chooseVendor({ rung, floor, facts, seed, avoid = new Set() }: VendorChoice): ChosenVendor {
  const above = vendorsOf(rung).filter(({ adapter }) => meetsFloor(rung.use, adapter, floor));
  const usable = above.filter(({ vendor }) => isUsable(facts.faultOf(vendor)));
  const [first] = above;
  if (first === undefined) return { kind: 'none', reason: 'below-floor' };
  if (usable.length === 0) return { kind: 'none', reason: refusalOf(facts.faultOf(first.vendor)) };
  const well = usable.filter(({ vendor }) => facts.faultOf(vendor) === undefined);
  const fresh = well.filter(({ vendor }) => !avoid.has(vendor));
  const willing = usable.filter(({ vendor }) => !avoid.has(vendor));
  const among = [fresh, well, willing, usable].find(({ length }) => length > 0) ?? usable;
  return { kind: 'chosen', vendor: drawn(among, seed) };
}

function isUsable(fault: VendorFault | undefined): boolean {
  return fault === undefined || fault === 'vendor-failing';
}

function refusalOf(fault: VendorFault | undefined): VendorRefusal {
  return fault === undefined || fault === 'vendor-failing' ? 'vendor-closed' : fault;
}

/** By weight; vendors without any are for when the others are gone. */
function drawn(vendors: readonly RungVendor[], seed: string): RungVendor {
  const weighted = vendors.filter(({ weight }) => weight > 0);
  const from = weighted.length > 0 ? weighted : vendors.map((vendor) => ({ ...vendor, weight: 1 }));
  const total = from.reduce((sum, { weight }) => sum + weight, 0);
  let left = fractionOf(seed) * total;
  for (const vendor of from) {
    if (left < vendor.weight) return vendor;
    left -= vendor.weight;
  }
  return last(from);
}

/** Rounding may leave the fraction a hair above the last weight. */
function last<Item>(items: readonly Item[]): Item {
  const item = items.at(-1);
  if (item === undefined) throw new TypeError('chosen among nobody');
  return item;
}

/** A text as a number in [0, 1): the first 48 bits of its SHA-256. */
export function fractionOf(text: string): number {
  return createHash('sha256').update(text).digest().readUIntBE(0, 6) / 2 ** 48;
}
