/** The accepted receipt: a JWS in which the gateway promises that the leaf will be in its log (DESIGN section 8). */
import { type Signer, signJws } from '@sealpost/crypto/signer';
import {
  ACCEPTED_RECEIPT_TYPE,
  type AcceptedReceipt,
  type EnvelopeId,
  type MessageId,
  toBase64url,
} from '@sealpost/protocol';
import { PROMISED_MS } from '../log/index.ts';
import type { StoredPlace } from './group-commit.ts';

export interface Promised {
  readonly envelope: EnvelopeId;
  readonly message: MessageId;
  readonly place: StoredPlace;
}

/** The same place always gives the same receipt: EdDSA is deterministic (RFC 8032), so a repeat answers the same bytes. */
export function signReceipt({ envelope, message, place }: Promised, log: string, signer: Signer): Promise<string> {
  const receipt: AcceptedReceipt = {
    v: 1,
    log,
    envelope,
    message,
    lane: place.lane,
    sequence: place.sequence,
    leaf: toBase64url(place.leafHash),
    accepted: place.at,
    includedBy: place.at + PROMISED_MS,
  };
  return signJws(ACCEPTED_RECEIPT_TYPE, receipt, signer);
}
