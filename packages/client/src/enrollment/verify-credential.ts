/**
 * Whom this device accepts in a conversation: devices and agents of its own organisation whose certificate chains to the
 * device CA now. Nothing else: no service, no other organisation, no certificate that has lapsed.
 */
import type { VerifyCredential } from '@sealpost/crypto/mls';
import { parseUri, verifyCertificateChain } from '@sealpost/crypto/verify';
import type { Organisation } from '@sealpost/protocol';
import type { Anchors } from './verified-identity.ts';

export function createVerifyCredential(organisation: Organisation, { deviceCa, root }: Anchors): VerifyCredential {
  return async (chain, now) => {
    for (const usage of ['device', 'agent'] as const) {
      const verdict = await verifyCertificateChain(chain, { anchor: deviceCa, root, now, usage });
      if (verdict.kind === 'ok' && parseUri(verdict.uri)?.organisation === organisation)
        return { uri: verdict.uri, chain };
    }
    return undefined;
  };
}
