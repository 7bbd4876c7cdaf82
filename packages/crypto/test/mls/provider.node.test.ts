/** The node:crypto provider, and that it and the WebCrypto one are twins. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { fromBase64url, utf8 } from '@sealpost/protocol';
import { describe, expect, test } from 'vitest';
import { createProvider } from '../../src/mls/provider.node.ts';
import { createProvider as createWebProvider } from '../../src/mls/provider.web.ts';
import { providerContract, twinProviders } from './provider-contract.ts';

providerContract(createProvider);
describe('node:crypto and WebCrypto', () => {
  twinProviders(createProvider, createWebProvider);

  test('both verify Ed25519 in suite 1', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const raw = fromBase64url(publicKey.export({ format: 'jwk' }).x ?? '') ?? new Uint8Array();
    const message = utf8('LeafNodeTBS');
    const signature = new Uint8Array(sign(null, message, privateKey));
    for (const { signature: verifier } of [createProvider(1), createWebProvider(1)]) {
      expect(await verifier.verify(raw, message, signature)).toBe(true);
      expect(await verifier.verify(raw, message, signature.with(0, (signature[0] ?? 0) ^ 1))).toBe(false);
      expect(await verifier.verify(raw.subarray(1), message, signature)).toBe(false);
    }
  });
});
