/** The state as its owner acts on it: the identity must hold the key of the own leaf, and lends its signer's id. */
import { equalBytes } from '@sealpost/protocol';
import type { ClientState } from 'ts-mls';
import { signingHandle } from './create-suite.ts';
import type { MlsIdentity } from './engine.ts';
import { ownSignatureKey } from './key-package.ts';
import { mlsError } from './mls-errors.ts';
import { leafAt } from './state.ts';

export function actingAs(client: ClientState, identity: MlsIdentity): ClientState {
  const leaf = leafAt(client.ratchetTree, client.privatePath.leafIndex);
  if (leaf === undefined) throw mlsError('ERR_MLS_STATE');
  if (!equalBytes(leaf.signaturePublicKey, ownSignatureKey(identity))) throw mlsError('ERR_MLS_IDENTITY');
  return { ...client, signaturePrivateKey: signingHandle(identity.signer) };
}
