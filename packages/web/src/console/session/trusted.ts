/**
 * Whom this browser believes: the trust file, verified against the root it pinned at its first sign-in. The very first
 * load has nothing to compare with, so its fingerprint is shown for people to compare.
 */
import { fingerprintOf, verifyTrust } from '@sealpost/crypto/verify';
import { fromBase64url, fromUtf8, type Trust } from '@sealpost/protocol';
import { parseVerifierKey, type VerifierKey } from '@sealpost/tlog';
import { consoleError } from '../console-errors.ts';

export interface Trusted {
  readonly trust: Trust;
  /** DER of the root, base64url. */
  readonly root: string;
  readonly fingerprint: string;
  readonly logKey: VerifierKey;
  readonly witnessKey: VerifierKey;
}

export type TrustedVerdict =
  | { readonly kind: 'trusted'; readonly trusted: Trusted }
  /** The file is of another root than the pinned one. */
  | { readonly kind: 'other-root'; readonly pinned: string; readonly shown: string };

/** Throws ERR_CONSOLE_TRUST for a file that does not verify under the root it names. */
export async function verifiedTrust(jws: string, pinned: string | undefined): Promise<TrustedVerdict> {
  const root = rootIn(jws);
  const der = root === undefined ? undefined : fromBase64url(root);
  if (root === undefined || der === undefined) throw consoleError('ERR_CONSOLE_TRUST');
  const fingerprint = fingerprintOf(der);
  if (pinned !== undefined && pinned !== root)
    return { kind: 'other-root', pinned: fingerprintOf(fromBase64url(pinned) ?? new Uint8Array()), shown: fingerprint };
  const verdict = await verifyTrust(jws, der);
  if (verdict.kind === 'refused')
    throw consoleError('ERR_CONSOLE_TRUST', { details: [{ pointer: '/v1/trust', detail: verdict.reason }] });
  const { trust } = verdict;
  const [logKey, witnessKey] = [keyOf(trust.gateway.log), keyOf(trust.control.witness)];
  return { kind: 'trusted', trusted: { trust, root, fingerprint, logKey, witnessKey } };
}

/** The root the file claims: nothing before it is compared and the file verified under it. */
function rootIn(jws: string): string | undefined {
  const payload = fromBase64url(jws.split('.')[1] ?? '');
  try {
    const claimed: unknown = payload === undefined ? undefined : JSON.parse(fromUtf8(payload));
    const named = typeof claimed === 'object' && claimed !== null && 'root' in claimed ? claimed.root : undefined;
    return typeof named === 'string' ? named : undefined;
  } catch {
    return undefined;
  }
}

function keyOf(text: string): VerifierKey {
  const parsed = parseVerifierKey(text);
  if (parsed.kind !== 'parsed') throw consoleError('ERR_CONSOLE_TRUST');
  return parsed.key;
}
