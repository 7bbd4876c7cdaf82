/**
 * Directory entries: one per change to a member's devices, each signed by control (JWS EdDSA) and naming the hash of the
 * member's previous entry, so that a member's entries form a chain (DESIGN section 8). The approval that allowed the
 * change travels inside, for senders and devices to verify.
 */
import { z } from 'zod';
import { base64urlSchema, deviceIdSchema, memberIdSchema, organisationSchema, timestampSchema } from './ids.ts';

export const DIRECTORY_TYPE = 'sealpost-directory+jwt';

export const directoryEntrySchema = z.strictObject({
  v: z.literal(1),
  organisation: organisationSchema,
  member: memberIdSchema,
  device: deviceIdSchema,
  change: z.enum(['enrolled', 'revoked']),
  name: z.string().min(1).max(60).describe('what the person calls the device'),
  /** Leaf certificate first, DER base64url; the trust anchor left out. */
  chain: z.array(base64urlSchema(8192)).min(1).max(4),
  /** The approved object and the approval over it (action `device.invite` or `device.revoke`). */
  approval: z.strictObject({ object: z.record(z.string(), z.unknown()), jws: z.string().max(4096) }),
  at: timestampSchema,
  /** SHA-256 of the previous entry's JWS, or null for a member's first. */
  previous: base64urlSchema(43).nullable(),
});
export type DirectoryEntry = z.infer<typeof directoryEntrySchema>;
