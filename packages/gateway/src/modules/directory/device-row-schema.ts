/** Devices as our own table keeps them: written from verified entries, so their brands are restored without a check. */
import type { PublicJwk } from '@sealpost/crypto/signer';
import { type DeviceId, fromBase64url, type MemberId, type Timestamp } from '@sealpost/protocol';

/** A device the directory knows, revoked ones included. */
export interface KnownDevice {
  readonly member: MemberId;
  readonly device: DeviceId;
  readonly publicJwk: PublicJwk;
  readonly uri: string;
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  /** Neither revoked nor with a certificate that has run out. */
  readonly active: boolean;
}

export interface DeviceRow {
  readonly member: string;
  readonly device: string;
  readonly public_jwk: unknown;
  readonly uri: string;
  readonly chain: readonly string[];
  readonly not_after: number;
  readonly revoked_at: number | null;
}

export function knownDevice(row: DeviceRow, now: Timestamp): KnownDevice {
  return {
    member: row.member as MemberId,
    device: row.device as DeviceId,
    publicJwk: row.public_jwk as PublicJwk,
    uri: row.uri,
    chain: row.chain.map((der) => fromBase64url(der) ?? new Uint8Array(0)),
    active: row.revoked_at === null && now <= row.not_after,
  };
}

export function deviceIds(rows: readonly { readonly device: string }[]): DeviceId[] {
  return rows.map(({ device }) => device as DeviceId);
}
