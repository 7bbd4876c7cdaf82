/**
 * What control must hold before it serves: a trust file the pinned root vouches for, and the keys that file says are
 * control's. Anything else and it does not start: a server with the wrong keys would sign what nobody believes.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { importUnwrappingKey, type UnwrappingKey } from '@sealpost/crypto/open';
import { keyIdOf, type Signer } from '@sealpost/crypto/signer';
import { verifyTrust } from '@sealpost/crypto/verify';
import { type KeyStore, openKeyStore, type Surroundings } from '@sealpost/platform';
import { type ErrorTable, errorsOf, fromBase64url, fromUtf8, type Trust } from '@sealpost/protocol';
import type { ControlConfig } from './config.ts';

export const CONTROL_ERRORS = {
  ERR_CONTROL_FILE: {
    kind: 'invalid',
    sentence: 'A file named in the configuration cannot be read.',
    hint: 'Check the path and its permissions.',
  },
  ERR_CONTROL_TRUST: {
    kind: 'integrity',
    sentence: 'The trust file does not verify against the pinned root, or is of another organisation.',
    hint: 'Copy trust file and root certificate again from the bootstrap of this organisation.',
  },
  ERR_CONTROL_KEY: {
    kind: 'integrity',
    sentence: 'A key in the key folder is not the one the trust file names.',
    hint: 'Restore the key folder that belongs to this trust file.',
  },
} as const satisfies ErrorTable;
const controlError = errorsOf(CONTROL_ERRORS);

export interface ZoneKeys {
  readonly trust: Trust;
  readonly trustJws: string;
  readonly store: KeyStore;
  /** Ed25519: submissions and directory entries. */
  readonly submit: Signer;
  /** ES256: device and agent certificates. */
  readonly deviceCa: Signer;
  /** Ed25519: cosignatures over the gateway's log. */
  readonly witness: Signer;
  /** Ed25519: access tokens; made at first start. */
  readonly token: Signer;
  /** Ed25519: deliveries to subscribers; made at first start. */
  readonly webhooks: Signer;
  /** Opens what people send back; absent in folders of before there were inbound messages. */
  readonly inbound: UnwrappingKey | undefined;
  /** 32 bytes: contact addresses at rest; made at first start. */
  readonly storage: Uint8Array;
  /** 32 bytes: keys the hashes of request bodies; made at first start. */
  readonly requests: Uint8Array;
}

export async function openZoneKeys(config: ControlConfig, surroundings: Surroundings): Promise<ZoneKeys> {
  const trustJws = readText(config.trust_file).trim();
  const trust = await verifiedTrust(config, trustJws);
  const store = openKeyStore(config.keys);
  const submit = await store.signer('submit');
  if (submit.keyId !== trust.control.submit.id) throw wrongKey('submit');
  const deviceCa = await store.signer('device-ca');
  if ((await certifiedKeyId(trust.deviceCa)) !== deviceCa.keyId) throw wrongKey('device-ca');
  const witness = await store.signer('witness');
  const madeOnce = (name: string) => (store.hasSecret(name) ? store.signer(name) : store.createSigner(name, 'EdDSA'));
  const [token, webhooks] = [await madeOnce('token'), await madeOnce('webhooks')];
  const inbound = await inboundKey(store, trust);
  const secret = (name: string) => {
    if (!store.hasSecret(name)) store.createSecret(name, surroundings.random(32));
    return store.readSecret(name);
  };
  const [storage, requests] = [secret('storage'), secret('requests')];
  return { trust, trustJws, store, submit, deviceCa, witness, token, webhooks, inbound, storage, requests };
}

async function inboundKey(store: KeyStore, { control: { inbound } }: Trust): Promise<UnwrappingKey | undefined> {
  if (inbound === undefined) return undefined;
  const key = await importUnwrappingKey(JSON.parse(fromUtf8(store.readSecret('inbound'))));
  if (key.id !== inbound.id) throw wrongKey('inbound');
  return key;
}

/** Reads a file the configuration names. Throws ERR_CONTROL_FILE. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw controlError('ERR_CONTROL_FILE', { cause, details: [{ pointer: path, detail: 'cannot be read' }] });
  }
}

async function verifiedTrust(config: ControlConfig, jws: string): Promise<Trust> {
  const root = certificateOf(config.root_file);
  const verdict = await verifyTrust(jws, new Uint8Array(root.raw));
  if (verdict.kind === 'refused') {
    throw controlError('ERR_CONTROL_TRUST', { details: [{ pointer: config.trust_file, detail: verdict.reason }] });
  }
  if (verdict.trust.organisation === config.organisation) return verdict.trust;
  throw controlError('ERR_CONTROL_TRUST', { details: [{ pointer: config.trust_file, detail: 'other organisation' }] });
}

function certificateOf(path: string): X509Certificate {
  const text = readText(path);
  try {
    return new X509Certificate(text);
  } catch (cause) {
    throw controlError('ERR_CONTROL_TRUST', { cause, details: [{ pointer: path, detail: 'is not a certificate' }] });
  }
}

/** RFC 7638 thumbprint of the key a base64url DER certificate certifies. */
async function certifiedKeyId(certificate: string): Promise<string | undefined> {
  const { x, y } = new X509Certificate(fromBase64url(certificate) ?? new Uint8Array()).publicKey.export({
    format: 'jwk',
  });
  return x === undefined || y === undefined ? undefined : keyIdOf({ crv: 'P-256', kty: 'EC', x, y });
}

function wrongKey(name: string) {
  return controlError('ERR_CONTROL_KEY', { details: [{ pointer: name, detail: 'is another key' }] });
}
