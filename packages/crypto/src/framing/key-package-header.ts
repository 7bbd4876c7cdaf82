/**
 * The public part of a key package (RFC 9420 section 10): who it is for, how long, and the reference by which a welcome
 * names it. Suites 1 and 2 only, because the reference is a hash of the suite's own kind (SHA-256 in both).
 */

import { concatBytes, utf8 } from '@sealpost/protocol';
import { sha256 } from '#primitives';
import type { PublicHeader } from './framing.ts';
import type { TlsReader } from './tls-reader.ts';

type KeyPackageHeader = Extract<PublicHeader, { kind: 'key-package' }>;
type LeafHeader = Pick<KeyPackageHeader, 'chain' | 'notBefore' | 'notAfter'>;

const MLS_1_0 = 1;
const SUITES: readonly (number | undefined)[] = [1, 2];
const CREDENTIAL_X509 = 2;
const SOURCE_KEY_PACKAGE = 1;
/** draft-ietf-mls-extensions, last_resort. */
const LAST_RESORT = 0x000a;
const MAX_CERTIFICATES = 8;
const LABEL = utf8('MLS 1.0 KeyPackage Reference');
/** Where KeyPackage starts in an MLSMessage: after version and wire format. */
const START = 4;

export function readKeyPackageHeader(reader: TlsReader, message: Uint8Array): KeyPackageHeader | undefined {
  const version = reader.uint16();
  const suite = reader.uint16();
  const initKey = reader.bytes();
  const leaf = readLeaf(reader);
  const extensions = reader.inside();
  const signature = reader.bytes();
  if (version !== MLS_1_0 || suite === undefined || !SUITES.includes(suite) || !initKey?.length) return undefined;
  if (leaf === undefined || extensions === undefined || !signature?.length || !reader.isAtEnd()) return undefined;
  const types = readExtensionTypes(extensions);
  if (types === undefined) return undefined;
  const reference = keyPackageReference(message.subarray(START));
  return { kind: 'key-package', suite, reference, ...leaf, lastResort: types.includes(LAST_RESORT) };
}

/** RFC 9420 section 5.2: RefHash over the label and the encoded KeyPackage. */
export function keyPackageReference(keyPackage: Uint8Array): Uint8Array {
  return sha256(concatBytes(vectorLength(LABEL.length), LABEL, vectorLength(keyPackage.length), keyPackage));
}

/** RFC 9420 section 7.2, for a leaf that comes from a key package and names itself by X.509. */
function readLeaf(reader: TlsReader): LeafHeader | undefined {
  const encryptionKey = reader.bytes();
  const signatureKey = reader.bytes();
  const credentialType = reader.uint16();
  const chain = credentialType === CREDENTIAL_X509 ? readChain(reader.inside()) : undefined;
  if (!encryptionKey?.length || !signatureKey?.length || chain === undefined) return undefined;
  for (let list = 0; list < 5; list++) if (!isListOfUint16(reader.inside())) return undefined;
  if (reader.uint8() !== SOURCE_KEY_PACKAGE) return undefined;
  const notBefore = milliseconds(reader.uint64());
  const notAfter = milliseconds(reader.uint64());
  const extensions = reader.inside();
  const signature = reader.bytes();
  if (notBefore === undefined || notAfter === undefined || !signature?.length) return undefined;
  if (extensions === undefined || readExtensionTypes(extensions) === undefined) return undefined;
  return { chain, notBefore, notAfter };
}

/** RFC 9420 section 5.3: certificates as DER, leaf first. */
function readChain(list: TlsReader | undefined): readonly Uint8Array[] | undefined {
  const chain: Uint8Array[] = [];
  while (list !== undefined && !list.isAtEnd()) {
    const certificate = list.bytes();
    if (!certificate?.length || chain.length === MAX_CERTIFICATES) return undefined;
    chain.push(new Uint8Array(certificate));
  }
  return chain.length === 0 ? undefined : chain;
}

function isListOfUint16(list: TlsReader | undefined): boolean {
  while (list !== undefined && !list.isAtEnd()) if (list.uint16() === undefined) return false;
  return list !== undefined;
}

function readExtensionTypes(list: TlsReader): readonly number[] | undefined {
  const types: number[] = [];
  while (!list.isAtEnd()) {
    const type = list.uint16();
    if (type === undefined || list.bytes() === undefined) return undefined;
    types.push(type);
  }
  return types;
}

/** Seconds on the wire, milliseconds as everywhere else; a time no Date can name is no lifetime. */
function milliseconds(seconds: bigint | undefined): number | undefined {
  return seconds === undefined || seconds > 8_640_000_000_000n ? undefined : Number(seconds) * 1000;
}

/** RFC 9420 section 2.1.2. */
function vectorLength(length: number): Uint8Array {
  const bytes = new Uint8Array(length < 64 ? 1 : length < 16384 ? 2 : 4);
  const view = new DataView(bytes.buffer);
  if (bytes.length === 1) view.setUint8(0, length);
  else if (bytes.length === 2) view.setUint16(0, 0x4000 | length);
  else view.setUint32(0, 0x80000000 + length);
  return bytes;
}
