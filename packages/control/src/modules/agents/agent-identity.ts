/**
 * An agent's own identity: an ES256 key in the key store, made on first use, and a certificate of the device CA renewed
 * well before it ends. Two processes that start at once agree on one key by locking the agent's row.
 */
import type { MlsIdentity } from '@sealpost/crypto/mls';
import { agentUri } from '@sealpost/crypto/verify';
import type { Database, KeyStore, Surroundings } from '@sealpost/platform';
import type { AgentId, Timestamp, Trust } from '@sealpost/protocol';
import type { Enrollment } from '../enrollment/index.ts';

export interface AgentIdentity {
  readonly uri: string;
  readonly mls: MlsIdentity;
}

export interface AgentIdentityDeps {
  readonly database: Database;
  readonly keys: KeyStore;
  readonly enrollment: Pick<Enrollment, 'agentChain'>;
  readonly trust: Trust;
  readonly surroundings: Surroundings;
}

/** Certificates are issued for thirty days; devices verify the sender's at each message. */
export const RENEW_BEFORE = 7 * 86_400_000;

export function createAgentIdentities({ database, keys, enrollment, trust, surroundings }: AgentIdentityDeps) {
  const known = new Map<AgentId, { readonly identity: AgentIdentity; readonly notAfter: Timestamp }>();

  const signerOf = (agent: AgentId) =>
    database.transaction(async (tx) => {
      await tx.query('agent-add', 'INSERT INTO agent (agent) VALUES ($1) ON CONFLICT DO NOTHING', [agent]);
      await tx.query('agent-lock', 'SELECT agent FROM agent WHERE agent = $1 FOR UPDATE', [agent]);
      const name = `agent-${agent}`;
      return keys.hasSecret(name) ? keys.signer(name) : keys.createSigner(name, 'ES256');
    });

  return {
    async of(agent: AgentId): Promise<AgentIdentity> {
      const held = known.get(agent);
      if (held !== undefined && held.notAfter - surroundings.now() > RENEW_BEFORE) return held.identity;
      const signer = held?.identity.mls.signer ?? (await signerOf(agent));
      const { chain, notAfter } = await enrollment.agentChain(agent, signer.publicJwk);
      const identity = { uri: agentUri(trust.organisation, agent), mls: { chain, signer } };
      known.set(agent, { identity, notAfter });
      return identity;
    },
  };
}
