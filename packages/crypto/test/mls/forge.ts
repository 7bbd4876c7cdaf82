/**
 * Messages an honest engine never makes, built from a member's own secrets: what an insider could send. Only for tests
 * of what receivers refuse.
 */
import type { Proposal } from 'ts-mls';
import { createProposal } from 'ts-mls/createMessage.js';
import type { Credential } from 'ts-mls/credential.js';
import { createContentCommitSignature } from 'ts-mls/framedContent.js';
import { generateKeyPackageWithKey } from 'ts-mls/keyPackage.js';
import { encodeMlsMessage } from 'ts-mls/message.js';
import { protect, protectApplicationData } from 'ts-mls/messageProtection.js';
import { createProvider } from '#mls-provider';
import { signatureKey, signingAs, signingHandle } from '../../src/mls/create-suite.ts';
import { actingAs } from '../../src/mls/own-leaf.ts';
import { unseal } from '../../src/mls/state.ts';
import { HOUR, type Keys, NO_DATA, NOW, type Person } from './people.ts';

const PADDING = { kind: 'padUntilLength', padUntilLength: 256 } as const;

function acting(person: Person) {
  const crypto = signingAs(createProvider(2), person.keys.signer);
  return { crypto, client: actingAs(unseal(person.state).client, person.identity) };
}

/** A properly signed commit of `proposals` without an update path. */
export async function commitWithoutPath(person: Person, proposals: readonly Proposal[]): Promise<Uint8Array> {
  const { crypto, client } = acting(person);
  const leafIndex = client.privatePath.leafIndex;
  const { framedContent, signature } = await createContentCommitSignature(
    client.groupContext,
    'mls_private_message',
    { proposals: proposals.map((proposal) => ({ proposalOrRefType: 'proposal', proposal })), path: undefined },
    { senderType: 'member', leafIndex },
    NO_DATA,
    client.signaturePrivateKey,
    crypto.signature,
  );
  const auth = { contentType: 'commit' as const, signature, confirmationTag: new Uint8Array(32) };
  const { senderDataSecret } = client.keySchedule;
  const content = { ...framedContent, auth };
  const sealed = await protect(
    senderDataSecret,
    NO_DATA,
    client.groupContext,
    client.secretTree,
    content,
    leafIndex,
    PADDING,
    crypto,
  );
  return encodeMlsMessage({
    version: 'mls10',
    wireformat: 'mls_private_message',
    privateMessage: sealed.privateMessage,
  });
}

/** An application message under another member's leaf, signed with the forger's own key. */
export async function messageInTheNameOf(person: Person, leafIndex: number): Promise<Uint8Array> {
  const { crypto, client } = acting(person);
  const { privateMessage } = await protectApplicationData(
    client.signaturePrivateKey,
    client.keySchedule.senderDataSecret,
    Uint8Array.of(1),
    NO_DATA,
    client.groupContext,
    client.secretTree,
    leafIndex,
    PADDING,
    crypto,
  );
  return encodeMlsMessage({ version: 'mls10', wireformat: 'mls_private_message', privateMessage });
}

export async function loneProposal(person: Person, isPublic: boolean): Promise<Uint8Array> {
  const { crypto, client } = acting(person);
  const proposal: Proposal = { proposalType: 'remove', remove: { removed: 2 } };
  const { message } = await createProposal(client, isPublic, proposal, crypto);
  return encodeMlsMessage(message);
}

/** A key package signed by `keys` with any credential, as MLSMessage and as ts-mls knows it. */
export async function keyPackageWith(credential: Credential, keys: Keys, signer: Keys = keys) {
  const crypto = signingAs(createProvider(2), signer.signer);
  const { publicPackage } = await generateKeyPackageWithKey(
    credential,
    { versions: ['mls10'], ciphersuites: [crypto.name], extensions: [], proposals: [], credentials: ['x509', 'basic'] },
    { notBefore: BigInt((NOW - HOUR) / 1000), notAfter: BigInt((NOW + HOUR) / 1000) },
    [],
    { signKey: signingHandle(signer.signer), publicKey: signatureKey(keys.signer.publicJwk) },
    crypto,
  );
  const message = { version: 'mls10', wireformat: 'mls_key_package', keyPackage: publicPackage } as const;
  return { keyPackage: publicPackage, message: encodeMlsMessage(message) };
}
