/**
 * Protection: who could read a message on a route, weakest first, and the one rule everything else rests on: a route
 * below a flow's floor is never taken.
 */
import { z } from 'zod';

export const PROTECTIONS = ['none', 'transport', 'vendor-e2ee', 'split', 'e2ee'] as const;
export const protectionSchema = z.enum(PROTECTIONS);
export type Protection = z.infer<typeof protectionSchema>;

export const useSchema = z.enum(['carry', 'link', 'notice']);
/** How a ladder step uses its channel: `carry` the content, a split `link` to it, or a content-free `notice`. */
export type Use = z.infer<typeof useSchema>;

/** How a channel names a person: an E.164 number, an e-mail address, or a name of the vendor's own making. */
export const ADDRESS_KINDS = ['phone', 'email', 'handle'] as const;
export type AddressKind = (typeof ADDRESS_KINDS)[number];

/** Whether a provider takes back what it accepted: never, until it has reached the person, or even then. */
export type Revocation = 'no' | 'before-delivery' | 'always';

interface AdapterFacts {
  /** The protection content has if this adapter carries it (DESIGN section 3). */
  readonly carries: Protection;
  readonly address: AddressKind;
  /** Whether its provider ignores a repeat under the same attempt id; the adapter itself says the same. */
  readonly idempotent?: true;
  /** Until when its provider takes back what it accepted; absent where it never does. The adapter says the same. */
  readonly revoke?: Exclude<Revocation, 'no'>;
}

const FACTS = {
  app: { carries: 'e2ee', address: 'handle', idempotent: true },
  'rcs-google': { carries: 'transport', address: 'phone', idempotent: true, revoke: 'before-delivery' },
  'rcs-twilio': { carries: 'transport', address: 'phone' },
  'rcs-infobip': { carries: 'transport', address: 'phone' },
  'rcs-sinch': { carries: 'transport', address: 'phone' },
  'rcs-vonage': { carries: 'transport', address: 'phone', revoke: 'before-delivery' },
  'rcs-aws': { carries: 'transport', address: 'phone' },
  'rcs-maap': { carries: 'transport', address: 'phone', revoke: 'before-delivery' },
  'sms-smpp': { carries: 'none', address: 'phone' },
  'sms-twilio': { carries: 'none', address: 'phone' },
  'whatsapp-cloud': { carries: 'transport', address: 'phone' },
  slack: { carries: 'transport', address: 'handle', revoke: 'always' },
  /** A workflow's post stays; only the bot's is deleted. */
  teams: { carries: 'transport', address: 'handle', revoke: 'always' },
  /** The hop to our relay is encrypted; of the hops after it nobody can say so. */
  email: { carries: 'none', address: 'email' },
  /** BlueBubbles: the bridge Mac holds plaintext. */
  imessage: { carries: 'vendor-e2ee', address: 'phone' },
  /** Apple's servers decrypt what they relay. */
  'imessage-business': { carries: 'transport', address: 'handle' },
  /** signal-cli, on a server of ours, is one of the two ends and holds plaintext. */
  signal: { carries: 'vendor-e2ee', address: 'phone', revoke: 'always' },
  /** RFC 8291: the push service reads nothing; our dispatcher, which encrypts, does. */
  webpush: { carries: 'vendor-e2ee', address: 'handle' },
} as const satisfies Record<string, AdapterFacts>;

export type AdapterName = keyof typeof FACTS;
export const ADAPTERS = Object.keys(FACTS) as [AdapterName, ...AdapterName[]];

/** The protection content has on this kind of step; `undefined` for a notice, which holds none. */
export function protectionOf(use: Use, adapter: AdapterName): Protection | undefined {
  if (use === 'notice') return undefined;
  return use === 'link' ? 'split' : FACTS[adapter].carries;
}

/** Whether an `ambiguous` try may be made again without a second effect. */
export function isIdempotent(adapter: AdapterName): boolean {
  return 'idempotent' in FACTS[adapter];
}

export function revocationOf(adapter: AdapterName): Revocation {
  const facts: AdapterFacts = FACTS[adapter];
  return facts.revoke ?? 'no';
}

export function addressKindOf(adapter: AdapterName): AddressKind {
  return FACTS[adapter].address;
}

/**
 * Whether a step may be taken by a flow with this floor. A notice holds no content, so it is allowed on every channel;
 * content is allowed only where it is protected at least as well as the floor demands.
 */
export function meetsFloor(use: Use, adapter: AdapterName, floor: Protection): boolean {
  const protection = protectionOf(use, adapter);
  return protection === undefined || PROTECTIONS.indexOf(protection) >= PROTECTIONS.indexOf(floor);
}
