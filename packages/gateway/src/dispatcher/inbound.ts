/**
 * What people send back: sealed to control's inbound key at once and stored so, under a name by which a vendor's repeat is
 * known. Without such a key in the trust file nothing can be kept that the gateway could not read, so nothing is.
 */
import { type InboundRecipient, sealInbound } from '@sealpost/crypto/seal';
import { sha256 } from '@sealpost/crypto/verify';
import type { Logger, Sql } from '@sealpost/platform';
import { canonicalBytes, type Organisation, type Timestamp, type VendorName } from '@sealpost/protocol';
import type { Inbound } from '@sealpost/protocol/carriage';
import { legibleInbound } from './inbound-schema.ts';

/**
 * One at a time, so that positions become visible in their order: control acknowledges up to a position, and one that
 * appeared below it afterwards would be gone unread. The lock goes with the statement.
 */
const ADD = `
WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtext('sealpost inbound')))
INSERT INTO inbound (vendor, name, received, key, encapsulated, ciphertext)
SELECT $1, $2, $3, $4, $5, $6 FROM turn ON CONFLICT DO NOTHING`;

export interface InboundDeps {
  readonly sql: Sql;
  readonly organisation: Organisation;
  /** Control's key; `undefined` in trust files of before there were inbound messages. */
  readonly recipient: InboundRecipient | undefined;
  readonly now: () => Timestamp;
  readonly logger: Logger;
}

export type StoreInbound = (vendor: VendorName, messages: readonly Inbound[]) => Promise<void>;

/** Durable when it resolves. What can never be kept is dropped and counted: the vendor would repeat it for days. */
export function createInboundStore({ sql, organisation, recipient, now, logger }: InboundDeps): StoreInbound {
  const seal = async (vendor: VendorName, message: Inbound) => {
    const inbound = legibleInbound(message);
    if (recipient === undefined || inbound === undefined) return undefined;
    const sealed = await sealInbound({ v: 1, vendor, inbound }, recipient, { organisation, vendor });
    return sealed && { ...sealed, name: sha256(canonicalBytes({ id: inbound.id, vendor })) };
  };
  return async (vendor, messages) => {
    let dropped = 0;
    for (const message of messages) {
      const sealed = await seal(vendor, message);
      if (sealed === undefined) {
        dropped += 1;
        continue;
      }
      const { name, key, encapsulated, ciphertext } = sealed;
      await sql.query('dispatch-inbound', ADD, [vendor, name, now(), key, encapsulated, ciphertext]);
    }
    if (dropped === 0) return;
    const reason = recipient === undefined ? 'no inbound key' : 'too long or not legible';
    logger.warn('inbound messages dropped', { vendor, count: dropped, reason });
  };
}
