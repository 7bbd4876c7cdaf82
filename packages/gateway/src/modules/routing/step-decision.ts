/**
 * One step of a ladder that has come due: taken, passed over, or put off, with the reason that goes on the timeline. Pure.
 * A step below the flow's floor is never taken, whatever a bundle, an envelope, a flag or a table says: the floor is asked
 * first, and of each vendor.
 */
import { type LadderStep, PROTECTIONS, type Protection, type RungVendor, type Timestamp } from '@sealpost/protocol';
import { chooseVendor, type VendorRefusal } from './choose-vendor.ts';
import type { RouteFacts } from './facts.ts';

export interface StepFacts {
  /** As the message was accepted under it. */
  readonly floor: Protection;
  /** A device of the recipient has confirmed delivery. */
  readonly deliveredToDevice: boolean;
  /** A provider has confirmed an earlier notice. */
  readonly noticeDelivered: boolean;
  readonly expires: Timestamp;
  readonly now: Timestamp;
  /** Devices in the conversation. */
  readonly devices: number;
  /** Channels the envelope carries a sealed form for. */
  readonly forms: ReadonlySet<string>;
  /** Draws among vendors. */
  readonly seed: string;
  readonly route: RouteFacts;
}

export type SkipReason =
  | VendorRefusal
  | 'expired'
  | 'delivered'
  | 'notice-delivered'
  | 'no-device'
  | 'no-form'
  | 'not-rolled-out'
  | 'quiet-until-expiry';

export type StepDecision =
  | { readonly kind: 'taken'; readonly reason: 'due'; readonly vendor: RungVendor }
  | { readonly kind: 'deferred'; readonly reason: 'quiet-hours'; readonly until: Timestamp }
  | { readonly kind: 'skipped'; readonly reason: SkipReason };

export function decideStep(rung: LadderStep, facts: StepFacts): StepDecision {
  const { route } = facts;
  const skipped = (reason: SkipReason): StepDecision => ({ kind: 'skipped', reason });
  const floor = higher(facts.floor, route.floor);
  const chosen = chooseVendor({ rung, floor, facts: route, seed: facts.seed });
  if (chosen.kind === 'none' && chosen.reason === 'below-floor') return skipped('below-floor');
  if (facts.now >= facts.expires) return skipped('expired');
  if (facts.deliveredToDevice) return skipped('delivered');
  if (rung.adapter === 'app') {
    if (facts.devices === 0) return skipped('no-device');
  } else {
    if (facts.noticeDelivered) return skipped('notice-delivered');
    if (!facts.forms.has(rung.channel)) return skipped('no-form');
    if (!route.isRolledOut(rung.channel)) return skipped('not-rolled-out');
    const until = route.quietUntil;
    if (until !== undefined)
      return until < facts.expires ? { kind: 'deferred', reason: 'quiet-hours', until } : skipped('quiet-until-expiry');
  }
  return chosen.kind === 'none' ? skipped(chosen.reason) : { kind: 'taken', reason: 'due', vendor: chosen.vendor };
}

/** Of the floor a message was accepted under and the one its flow has now, the one that demands more. */
export function higher(accepted: Protection, now: Protection | undefined): Protection {
  return now !== undefined && PROTECTIONS.indexOf(now) > PROTECTIONS.indexOf(accepted) ? now : accepted;
}
