/** The MLS engine of this device: its credential check and its randomness, nothing else of its own. */
import { createMlsEngine, type MlsEngine } from '@sealpost/crypto/mls';
import type { VerifiedIdentity } from './enrollment/verified-identity.ts';
import { createVerifyCredential } from './enrollment/verify-credential.ts';
import type { ClientSurroundings } from './surroundings.ts';

export function createDeviceEngine({ identity, anchors }: VerifiedIdentity, { random }: ClientSurroundings): MlsEngine {
  return createMlsEngine({
    verify: createVerifyCredential(identity.organisation, anchors),
    random: (length) => random(length),
  });
}
