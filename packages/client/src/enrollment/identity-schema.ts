/**
 * Who this device is, as stored. The value was sealed by this program and is read back only by it; what decides trust in
 * it, the trust file, is verified again each time it is read.
 */
import {
  type DeviceId,
  deviceIdSchema,
  fromUtf8,
  type MemberId,
  memberIdSchema,
  type Timestamp,
  timestampSchema,
  utf8,
} from '@sealpost/protocol';
import { clientError } from '../client-errors.ts';

export const IDENTITY = 'identity';
export const PENDING = 'enrollment';

export interface StoredIdentity {
  readonly device: DeviceId;
  readonly member: MemberId;
  /** What the person calls the device. */
  readonly name: string;
  /** DER in base64url, leaf first. */
  readonly chain: readonly string[];
  /** JWS of the trust file. */
  readonly trust: string;
  /** DER of the root certificate, base64url: pinned, or trusted at first use. */
  readonly root: string;
  readonly gateway: string;
  readonly expires: Timestamp;
}

/** An enrollment that is under way: the same code and key may be sent again. */
export interface PendingEnrollment {
  readonly control: string;
  readonly code: string;
  readonly name: string;
}

export function encodeRecord(record: StoredIdentity | PendingEnrollment): Uint8Array {
  return utf8(JSON.stringify(record));
}

export function decodeIdentity(bytes: Uint8Array): StoredIdentity {
  const record = recordOf(bytes);
  const { chain, name, trust, root, gateway } = record;
  const device = deviceIdSchema.safeParse(record.device);
  const member = memberIdSchema.safeParse(record.member);
  const expires = timestampSchema.safeParse(record.expires);
  const texts = [name, trust, root, gateway];
  if (
    !device.success ||
    !member.success ||
    !expires.success ||
    !isTexts(texts) ||
    !Array.isArray(chain) ||
    !isTexts(chain)
  )
    throw clientError('ERR_CLIENT_STATE_DAMAGED', { details: [{ pointer: IDENTITY, detail: 'is incomplete' }] });
  return { ...(record as unknown as StoredIdentity), device: device.data, member: member.data, expires: expires.data };
}

export function decodePending(bytes: Uint8Array): PendingEnrollment {
  const { control, code, name } = recordOf(bytes);
  if (typeof control === 'string' && typeof code === 'string' && typeof name === 'string')
    return { control, code, name };
  throw clientError('ERR_CLIENT_STATE_DAMAGED', { details: [{ pointer: PENDING, detail: 'is incomplete' }] });
}

const isTexts = (values: readonly unknown[]) => values.every((value) => typeof value === 'string');

function recordOf(bytes: Uint8Array): Record<string, unknown> {
  const value: unknown = JSON.parse(fromUtf8(bytes));
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw clientError('ERR_CLIENT_STATE_DAMAGED');
}
