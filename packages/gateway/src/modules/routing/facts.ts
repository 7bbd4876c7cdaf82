/** What routing knows beside the ladder and the message: about channels, vendors and one person, at one moment. */
import type { ChannelName, Protection, Timestamp, VendorName } from '@sealpost/protocol';

/** Why a vendor is not to be used; `failing` is used only where nothing better is. */
export type VendorFault = 'vendor-closed' | 'vendor-expired' | 'no-capability' | 'vendor-failing';

export interface RouteFacts {
  /** The floor of the flow as it runs now; it may have been raised since the message was accepted. */
  readonly floor: Protection | undefined;
  /** Until when only the app may be used; `undefined` outside of quiet hours. */
  readonly quietUntil: Timestamp | undefined;
  /** Whether a rollout lets this person's messages onto the channel. */
  readonly isRolledOut: (channel: ChannelName) => boolean;
  readonly faultOf: (vendor: VendorName) => VendorFault | undefined;
}

/** Nothing is known: for flows of before there was anything to know, and for tests of something else. */
export const NO_FACTS: RouteFacts = {
  floor: undefined,
  quietUntil: undefined,
  isRolledOut: () => true,
  faultOf: () => undefined,
};
