/**
 * A service account of the simulated Google: the key file a channel is configured with, and the public key the simulated
 * token endpoint verifies its grants against.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';

export interface ServiceAccount {
  /** In the form of Google's JSON key file. */
  readonly serviceAccountJson: string;
  readonly publicKeyPem: string;
}

export function createServiceAccount(): ServiceAccount {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const file = {
    type: 'service_account',
    project_id: 'sealpost-simulator',
    private_key_id: randomBytes(20).toString('hex'),
    private_key: privateKey,
    client_email: 'sealpost@sealpost-simulator.iam.gserviceaccount.com',
    token_uri: 'https://oauth2.googleapis.com/token',
  };
  return { serviceAccountJson: `${JSON.stringify(file, null, 2)}\n`, publicKeyPem: publicKey };
}
