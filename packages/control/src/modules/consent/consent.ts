/**
 * Suppressed addresses, by HMAC-SHA-256 under the storage key: a stolen table tells nobody's number, and one key a purpose
 * keeps these hashes from being compared with others.
 */
import { createHmac } from 'node:crypto';
import type { Sql, Surroundings } from '@sealpost/platform';
import { type AddressKind, canonicalBytes, toBase64url } from '@sealpost/protocol';

export interface Address {
  readonly kind: AddressKind;
  readonly address: string;
}

/** No agent has this name. It stands for whoever speaks through a vendor no running flow names: a STOP is never lost. */
const EVERY_AGENT = '*';

export interface Consent {
  /** Whether an agent may no longer write to an address over carriers. */
  suppressed(address: Address, agent: string): Promise<boolean>;
  /** `agents`: those who speak through the vendor it was said to; none known means all. */
  suppress(tx: Sql, address: Address, agents: readonly string[]): Promise<void>;
  lift(tx: Sql, address: Address, agents: readonly string[]): Promise<void>;
  /** What stands for an address in events where nobody registered has it: the same for the same address. */
  pseudonym(address: Address): string;
}

export interface ConsentDeps {
  readonly sql: Sql;
  /** 32 bytes. */
  readonly storageKey: Uint8Array;
  readonly surroundings: Pick<Surroundings, 'now'>;
}

export function createConsent({ sql, storageKey, surroundings }: ConsentDeps): Consent {
  const hashOf = (purpose: string, { kind, address }: Address) =>
    new Uint8Array(createHmac('sha256', storageKey).update(canonicalBytes({ purpose, kind, address })).digest());
  const nameOf = (address: Address) => hashOf('sealpost/control/suppression/v1', plain(address));
  return {
    async suppressed(address, agent) {
      const text = 'SELECT 1 AS found FROM suppression WHERE address = $1 AND agent = ANY ($2::text[]) LIMIT 1';
      return (await sql.query('suppression-of', text, [nameOf(address), [agent, EVERY_AGENT]])).length === 1;
    },
    async suppress(tx, address, agents) {
      await tx.query(
        'suppression-add',
        `INSERT INTO suppression (address, agent, since) SELECT $1, agent, $3 FROM unnest($2::text[]) AS agent
         ON CONFLICT DO NOTHING`,
        [nameOf(address), agents.length === 0 ? [EVERY_AGENT] : agents, surroundings.now()],
      );
    },
    async lift(tx, address, agents) {
      const text = 'DELETE FROM suppression WHERE address = $1 AND agent = ANY ($2::text[])';
      await tx.query('suppression-lift', text, [nameOf(address), [...agents, EVERY_AGENT]]);
    },
    pseudonym: (address) => toBase64url(hashOf('sealpost/control/pseudonym/v1', plain(address)).subarray(0, 16)),
  };
}

/** Vendors spell one telephone number with and without its plus; letters of an e-mail address may differ in case. */
function plain({ kind, address }: Address): Address {
  if (kind === 'phone') return { kind, address: `+${address.replaceAll(/\D/g, '')}` };
  return { kind, address: kind === 'email' ? address.toLowerCase() : address };
}
