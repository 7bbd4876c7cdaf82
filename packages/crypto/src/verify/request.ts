/**
 * Verifying a device's signed request (RFC 9421 section 3.2). Only our label, our components and our parameters are
 * taken; a signature over less is no signature. The caller refuses a nonce it has seen within twice `maxAge`.
 */

import { type KeyId, keyIdSchema, type Timestamp, utf8 } from '@sealpost/protocol';
import { verifySignature } from '#primitives';
import { algorithmOf } from '../primitives/jwk.ts';
import { thumbprint } from '../primitives/key-id.ts';
import type { PublicJwk } from '../signer/signer.ts';
import { contentDigest, parseBytesItem } from './content-digest.ts';
import {
  coveredComponents,
  DEVICE_TAG,
  fieldValue,
  HTTP_ALGORITHMS,
  SIGNATURE_LABEL,
  type SignedRequest,
  signatureBase,
} from './signature-base.ts';

export type { SignedRequest } from './signature-base.ts';

export type RequestVerdict =
  | { readonly kind: 'ok'; readonly keyId: KeyId; readonly nonce: string; readonly created: Timestamp }
  | {
      readonly kind: 'refused';
      readonly code:
        | 'missing'
        | 'malformed'
        | 'components'
        | 'tag'
        | 'key'
        | 'algorithm'
        | 'stale'
        | 'digest'
        | 'signature';
    };

interface SignatureInput {
  readonly components: readonly string[];
  /** As received: the last line of the signature base. */
  readonly text: string;
  readonly created: Timestamp;
  readonly nonce: string;
  readonly keyId: KeyId;
  readonly algorithm: string;
  readonly tag: string;
}

const HEADER_LIMIT = 1024;
const INPUT = new RegExp(
  `^${SIGNATURE_LABEL}=(\\(("[a-z0-9@-]+"(?: "[a-z0-9@-]+")*)\\)((?:;[a-z]+=(?:[0-9]{1,12}|"[A-Za-z0-9_-]{1,64}"))+))$`,
);
const PARAMETERS = ['created', 'nonce', 'keyid', 'alg', 'tag'];

function parseInput(header: string): SignatureInput | undefined {
  const [, text, components, tail] = header.length > HEADER_LIMIT ? [] : (INPUT.exec(header) ?? []);
  if (text === undefined || components === undefined || tail === undefined) return undefined;
  const pairs = tail
    .slice(1)
    .split(';')
    .map((pair) => pair.split('='));
  const values = new Map(pairs.map(([name = '', value = '']) => [name, value]));
  if (pairs.length !== PARAMETERS.length || !PARAMETERS.every((name) => values.has(name))) return undefined;
  const quoted = (name: string) => /^"(.+)"$/.exec(values.get(name) ?? '')?.[1];
  const [nonce, algorithm, tag] = [quoted('nonce'), quoted('alg'), quoted('tag')];
  const keyId = keyIdSchema.safeParse(quoted('keyid'));
  const created = /^[0-9]+$/.test(values.get('created') ?? '') ? Number(values.get('created')) * 1000 : undefined;
  if (nonce === undefined || algorithm === undefined || tag === undefined) return undefined;
  if (!keyId.success || created === undefined) return undefined;
  const names = components.split(' ').map((name) => name.slice(1, -1));
  return { components: names, text, created, nonce, keyId: keyId.data, algorithm, tag };
}

function signatureBytes(header: string): Uint8Array | undefined {
  const prefix = `${SIGNATURE_LABEL}=`;
  return header.startsWith(prefix) ? parseBytesItem(header.slice(prefix.length)) : undefined;
}

/** The key id a request names, unverified: only for looking the key up. */
export function claimedKeyId(request: SignedRequest): KeyId | undefined {
  return parseInput(fieldValue(request, 'signature-input') ?? '')?.keyId;
}

const refused = (code: Extract<RequestVerdict, { kind: 'refused' }>['code']): RequestVerdict => ({
  kind: 'refused',
  code,
});

export async function verifyRequest(
  request: SignedRequest,
  key: PublicJwk,
  { now, maxAge }: { readonly now: Timestamp; readonly maxAge: number },
): Promise<RequestVerdict> {
  const [inputHeader, signatureHeader] = [fieldValue(request, 'signature-input'), fieldValue(request, 'signature')];
  if (inputHeader === undefined || signatureHeader === undefined) return refused('missing');
  const [input, signature] = [parseInput(inputHeader), signatureBytes(signatureHeader)];
  if (input === undefined || signature === undefined) return refused('malformed');
  const hasBody = request.body !== undefined && request.body.length > 0;
  if (!covers(input, hasBody)) return refused('components');
  if (input.tag !== DEVICE_TAG) return refused('tag');
  if (input.keyId !== thumbprint(key)) return refused('key');
  if (input.algorithm !== HTTP_ALGORITHMS[algorithmOf(key)]) return refused('algorithm');
  if (Math.abs(now - input.created) > maxAge) return refused('stale');
  if (!digestMatches(request, input)) return refused('digest');
  const base = signatureBase(request, input.components, input.text);
  if (base === undefined) return refused('malformed');
  if (!(await verifySignature(key, utf8(base), signature))) return refused('signature');
  return { kind: 'ok', keyId: input.keyId, nonce: input.nonce, created: input.created };
}

/** Exactly our list. An empty body may be covered or not: servers cannot tell it from none. */
function covers({ components }: SignatureInput, hasBody: boolean): boolean {
  const listed = components.join(' ');
  if (listed === coveredComponents(true).join(' ')) return true;
  return !hasBody && listed === coveredComponents(false).join(' ');
}

function digestMatches(request: SignedRequest, { components }: SignatureInput): boolean {
  if (!components.includes('content-digest')) return true;
  return fieldValue(request, 'content-digest') === contentDigest(request.body ?? new Uint8Array(0));
}
