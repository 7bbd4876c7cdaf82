/** The WebCrypto provider, in Node and in Chromium. */
import { createProvider } from '../../src/mls/provider.web.ts';
import { providerContract } from './provider-contract.ts';

providerContract(createProvider);
