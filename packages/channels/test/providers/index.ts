/** Every provider there is a stage for: the contract and the fault matrix run each. */
import type { Provider } from '../stage.ts';
import { rcsGoogle } from './rcs-google.ts';
import { smsSmpp } from './sms-smpp.ts';
import { rcsTwilio, smsTwilio } from './twilio.ts';

/** Those on the kit, whose contract needs nothing beside it. */
export const HTTP_PROVIDERS: readonly Provider[] = [smsTwilio, rcsTwilio];

export const PROVIDERS: readonly Provider[] = [rcsGoogle(), smsSmpp, ...HTTP_PROVIDERS];
