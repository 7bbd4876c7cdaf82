/** A key package of this device with its private part, as stored. */
import type { KeyPackageBundle } from '@sealpost/crypto/mls';
import { fromBase64url, fromUtf8, type Timestamp, toBase64url, utf8 } from '@sealpost/protocol';
import { clientError } from '../client-errors.ts';

export interface StoredKeyPackage {
  readonly bundle: KeyPackageBundle;
  readonly lastResort: boolean;
  readonly notAfter: Timestamp;
  /** The gateway has it for certain. */
  readonly uploaded: boolean;
}

export function encodeKeyPackage({ bundle, ...rest }: StoredKeyPackage): Uint8Array {
  const { keyPackage, reference, secret } = bundle;
  return utf8(
    JSON.stringify({
      ...rest,
      keyPackage: toBase64url(keyPackage),
      reference: toBase64url(reference),
      secret: toBase64url(secret),
    }),
  );
}

export function decodeKeyPackage(bytes: Uint8Array): StoredKeyPackage {
  const record = JSON.parse(fromUtf8(bytes)) as Record<string, unknown>;
  const { lastResort, notAfter, uploaded } = record;
  if (typeof lastResort !== 'boolean' || typeof notAfter !== 'number' || typeof uploaded !== 'boolean') throw damaged();
  const [keyPackage, reference, secret] = [record.keyPackage, record.reference, record.secret].map(bytesOf);
  if (keyPackage === undefined || reference === undefined || secret === undefined) throw damaged();
  return { bundle: { keyPackage, reference, secret }, lastResort, notAfter, uploaded };
}

function bytesOf(value: unknown): Uint8Array | undefined {
  return typeof value === 'string' ? fromBase64url(value) : undefined;
}

function damaged() {
  return clientError('ERR_CLIENT_STATE_DAMAGED', { details: [{ pointer: 'key-package', detail: 'is incomplete' }] });
}
