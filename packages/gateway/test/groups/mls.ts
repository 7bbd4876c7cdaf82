/** Real MLS for tests of the delivery service: an agent that makes commits and devices that make key packages. */
import { randomBytes } from 'node:crypto';
import {
  createMlsEngine,
  type GroupState,
  type KeyPackageBundle,
  type MlsEngine,
  type MlsIdentity,
} from '@sealpost/crypto/mls';
import { createSigningKey, issueCertificate } from '@sealpost/crypto/signer';
import { agentUri, verifyCertificateChain } from '@sealpost/crypto/verify';
import {
  agentIdSchema,
  type ConversationId,
  conversationIdSchema,
  type DeviceId,
  fromBase64url,
  toBase64url,
} from '@sealpost/protocol';
import type { CommitPost } from '../../src/modules/groups/commit-schema.ts';
import { DAY, type Person, random } from '../directory/people.ts';
import type { Organisation } from '../support/organisation.ts';

export interface Agent {
  readonly uri: string;
  readonly identity: MlsIdentity;
}

export function engineOf({ trust }: Organisation): MlsEngine {
  const anchor = fromBase64url(trust.deviceCa)!;
  return createMlsEngine({
    async verify(chain, now) {
      for (const usage of ['device', 'agent'] as const) {
        const verdict = await verifyCertificateChain(chain, { anchor, now, usage });
        if (verdict.kind === 'ok') return { uri: verdict.uri, chain };
      }
      return undefined;
    },
  });
}

export async function createAgent({ trust, keys }: Organisation, name = 'acme-incidents'): Promise<Agent> {
  const uri = agentUri(trust.organisation, agentIdSchema.parse(name));
  const { signer } = await createSigningKey('ES256');
  const start = Date.now() - (Date.now() % 1000) - 3_600_000;
  const certificate = await issueCertificate({
    subjectPublicKey: signer.publicJwk,
    uri,
    usage: 'agent',
    notBefore: start,
    notAfter: start + 60 * DAY,
    serial: new Uint8Array(randomBytes(16)),
    issuer: { signer: keys.deviceCa.signer, certificate: fromBase64url(trust.deviceCa)! },
  });
  return { uri, identity: { chain: [certificate], signer } };
}

export function newConversationId(): ConversationId {
  return conversationIdSchema.parse(`con_${random(17).slice(0, 22)}`);
}

export interface PackageWishes {
  readonly lastResort?: boolean;
  readonly notBefore?: number;
  readonly notAfter?: number;
}

export async function keyPackageOf(
  engine: MlsEngine,
  person: Person,
  { lastResort = false, notBefore = Date.now() - 3_600_000, notAfter = Date.now() + 20 * DAY }: PackageWishes = {},
): Promise<{ upload: { keyPackage: string; lastResort: boolean }; bundle: KeyPackageBundle }> {
  const bundle = await engine.createKeyPackage(person, { notBefore, notAfter }, lastResort);
  return { upload: { keyPackage: toBase64url(bundle.keyPackage), lastResort }, bundle };
}

/** A commit by the agent and the post that carries it; `next` is the state once it has won. */
export async function commitPost(
  engine: MlsEngine,
  agent: Agent,
  state: GroupState,
  change: {
    add?: readonly { device: DeviceId; keyPackage: string }[];
    remove?: readonly { device: DeviceId; leaf: number }[];
  },
): Promise<{ post: CommitPost; next: GroupState }> {
  const { add = [], remove = [] } = change;
  const made = await engine.commit(
    state,
    agent.identity,
    { add: add.map(({ keyPackage }) => fromBase64url(keyPackage)!), remove: remove.map(({ leaf }) => leaf) },
    Date.now(),
  );
  const welcome =
    made.welcome === undefined
      ? null
      : {
          message: toBase64url(made.welcome),
          ratchetTree: toBase64url(made.ratchetTree),
          devices: add.map(({ device }) => device),
        };
  const post = {
    epoch: Number(state.epoch),
    commit: toBase64url(made.commit),
    welcome,
    removed: remove.map(({ device }) => device),
  };
  return { post, next: made.next };
}
