/**
 * One step of a ladder that has come due: taken or passed over, with the reason that goes on the timeline. A step below
 * the flow's floor is never taken, whatever a bundle, an envelope or a table says.
 */
import { type LadderStep, meetsFloor, type Protection } from '@sealpost/protocol';

export interface StepFacts {
  readonly floor: Protection;
  /** A device of the recipient has confirmed delivery. */
  readonly deliveredToDevice: boolean;
  /** A provider has confirmed an earlier notice. */
  readonly noticeDelivered: boolean;
  readonly expired: boolean;
  /** Devices in the conversation. */
  readonly devices: number;
  /** Channels the envelope carries a sealed form for. */
  readonly forms: ReadonlySet<string>;
}

export type StepDecision =
  | { readonly kind: 'taken'; readonly reason: 'due' }
  | {
      readonly kind: 'skipped';
      readonly reason: 'below-floor' | 'expired' | 'delivered' | 'notice-delivered' | 'no-device' | 'no-form';
    };

export function decideStep(step: LadderStep, facts: StepFacts): StepDecision {
  if (!meetsFloor(step.use, step.adapter, facts.floor)) return { kind: 'skipped', reason: 'below-floor' };
  if (facts.expired) return { kind: 'skipped', reason: 'expired' };
  if (facts.deliveredToDevice) return { kind: 'skipped', reason: 'delivered' };
  if (step.adapter === 'app')
    return facts.devices > 0 ? { kind: 'taken', reason: 'due' } : { kind: 'skipped', reason: 'no-device' };
  if (facts.noticeDelivered) return { kind: 'skipped', reason: 'notice-delivered' };
  return facts.forms.has(step.channel) ? { kind: 'taken', reason: 'due' } : { kind: 'skipped', reason: 'no-form' };
}
