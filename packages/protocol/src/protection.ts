/**
 * Protection: who could read a message on a route, weakest first, and the one rule everything else rests on: a route
 * below a flow's floor is never taken.
 */
import { z } from 'zod';

export const PROTECTIONS = ['none', 'transport', 'vendor-e2ee', 'split', 'e2ee'] as const;
export const protectionSchema = z.enum(PROTECTIONS);
export type Protection = z.infer<typeof protectionSchema>;

export const useSchema = z.enum(['carry', 'notice']);
/** How a ladder step uses its channel: `carry` the content, or a content-free `notice`. */
export type Use = z.infer<typeof useSchema>;

export const ADAPTERS = ['app', 'rcs-google', 'sms-smpp'] as const;
export type AdapterName = (typeof ADAPTERS)[number];

/** The protection content would have if this adapter carried it (DESIGN section 3). */
const CARRIED_BY: Record<AdapterName, Protection> = { app: 'e2ee', 'rcs-google': 'transport', 'sms-smpp': 'none' };

export function protectionOf(adapter: AdapterName): Protection {
  return CARRIED_BY[adapter];
}

/**
 * Whether a step may be taken by a flow with this floor. A notice holds no content, so it is allowed on every channel;
 * content is allowed only where the channel protects it at least as well as the floor demands.
 */
export function meetsFloor(use: Use, adapter: AdapterName, floor: Protection): boolean {
  return use === 'notice' || PROTECTIONS.indexOf(CARRIED_BY[adapter]) >= PROTECTIONS.indexOf(floor);
}
