/** A PKCS#10 request (RFC 2986) is taken for its key alone: what the certificate will say, the issuer decides. */
import { verifySignature } from '#primitives';
import type { PublicJwk } from '../signer/signer.ts';
import { bitString, check, type Element, objectId, only, parts, tagged, text, unsigned } from '../x509/der-read.ts';
import { checkEcdsaAlgorithm, publicKeyOf, signatureFromDer } from '../x509/ecdsa.ts';
import { OID, TAG } from '../x509/oid.ts';

export interface CertificateRequest {
  readonly publicJwk: PublicJwk;
  /** What the requester calls itself; never trusted. */
  readonly commonName: string | undefined;
}

/** Answers `undefined` unless the signature proves possession of the key. */
export async function verifyCertificateRequest(der: Uint8Array): Promise<CertificateRequest | undefined> {
  const request = parse(der);
  if (request === undefined) return undefined;
  const { toSign, signature, publicJwk, commonName } = request;
  return (await verifySignature(publicJwk, toSign, signature)) ? { publicJwk, commonName } : undefined;
}

function parse(der: Uint8Array) {
  try {
    const [info, algorithm, signature, ...more] = parts(only(der, TAG.sequence));
    const [version, subject, key, attributes, ...others] = parts(info);
    check(info !== undefined && more.length === 0 && others.length === 0, 'request');
    check(unsigned(version)[0] === 0, 'version');
    tagged(attributes, TAG.attributes);
    checkEcdsaAlgorithm(algorithm);
    const { unused, bytes } = bitString(signature);
    check(unused === 0, 'signature');
    return {
      toSign: info.whole,
      signature: signatureFromDer(bytes),
      publicJwk: publicKeyOf(key),
      commonName: commonNameOf(subject),
    };
  } catch {
    return undefined;
  }
}

function commonNameOf(name: Element | undefined): string | undefined {
  for (const set of parts(name)) {
    for (const attribute of parts(set, TAG.set)) {
      const [type, value] = parts(attribute);
      if (value !== undefined && objectId(type) === OID.commonName) return text(value);
    }
  }
  return undefined;
}
