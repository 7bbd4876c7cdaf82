/**
 * What the gateway trusts and who it is: the trust file verified against the pinned root, and its own keys, which must be
 * those the trust file names. Anything else ends the start.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Signer } from '@sealpost/crypto/signer';
import { verifyTrust } from '@sealpost/crypto/verify';
import type { KeyStore } from '@sealpost/platform';
import {
  type ErrorTable,
  equalBytes,
  errorsOf,
  fromBase64url,
  type Organisation,
  type Trust,
} from '@sealpost/protocol';
import { type NoteSigner, parseVerifierKey, type VerifierKey } from '@sealpost/tlog';

export const TRUST_ERRORS = {
  ERR_TRUST_UNREADABLE: {
    kind: 'invalid',
    sentence: 'The trust file or the pinned root certificate cannot be read.',
    hint: 'Check trust_file, root_file and their permissions.',
  },
  ERR_TRUST_REFUSED: {
    kind: 'integrity',
    sentence: 'The trust file does not verify against the pinned root certificate.',
    hint: 'Copy trust file and root certificate from the bootstrap of this organisation again.',
  },
  ERR_TRUST_KEY: {
    kind: 'integrity',
    sentence: 'A key of this gateway is not the one the trust file names.',
    hint: 'Use the key folder that was made with this trust file.',
  },
} as const satisfies ErrorTable;
const trustError = errorsOf(TRUST_ERRORS);

export interface GatewayKeys {
  readonly receipts: Signer;
  readonly logSigner: NoteSigner;
  readonly logKey: VerifierKey;
  readonly witness: VerifierKey;
}

export async function readTrust(paths: {
  readonly trust_file: string;
  readonly root_file: string;
  readonly organisation: Organisation;
}): Promise<Trust> {
  const root = new Uint8Array(rootOf(paths.root_file));
  const verdict = await verifyTrust(read(paths.trust_file).toString('utf8').trim(), root);
  if (verdict.kind === 'refused') throw refused(paths.trust_file, verdict.reason);
  if (verdict.trust.organisation !== paths.organisation) throw refused(paths.trust_file, 'other organisation');
  return verdict.trust;
}

export async function openKeys(store: KeyStore, trust: Trust): Promise<GatewayKeys> {
  const [receipts, log] = await Promise.all([store.signer('receipts'), store.signer('log')]);
  if (receipts.keyId !== trust.gateway.receipts.id) throw notOurs('receipts');
  const [logKey, witness] = [verifierOf(trust.gateway.log, 'log'), verifierOf(trust.control.witness, 'witness')];
  const publicKey = fromBase64url(log.publicJwk.x) ?? new Uint8Array();
  if (log.publicJwk.kty !== 'OKP' || !equalBytes(publicKey, logKey.publicKey)) throw notOurs('log');
  const logSigner = { name: logKey.name, publicKey, sign: (bytes: Uint8Array) => log.sign(bytes) };
  return { receipts, logSigner, logKey, witness };
}

function verifierOf(text: string, name: string): VerifierKey {
  const parsed = parseVerifierKey(text);
  if (parsed.kind === 'malformed') throw notOurs(name);
  return parsed.key;
}

function rootOf(path: string): Uint8Array {
  try {
    return new X509Certificate(read(path)).raw;
  } catch (cause) {
    throw trustError('ERR_TRUST_UNREADABLE', { cause, details: [{ pointer: path, detail: 'is no certificate' }] });
  }
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw trustError('ERR_TRUST_UNREADABLE', { cause, details: [{ pointer: path, detail: 'cannot be read' }] });
  }
}

function refused(path: string, detail: string) {
  return trustError('ERR_TRUST_REFUSED', { details: [{ pointer: path, detail }] });
}

function notOurs(name: string) {
  return trustError('ERR_TRUST_KEY', { details: [{ pointer: name, detail: 'is not the key in the trust file' }] });
}
