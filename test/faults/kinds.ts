/**
 * The fault matrix's one table: what can go wrong at a provider, and how a message whose only notice goes through it may
 * end by its flow's time when nobody opens it meanwhile (`message.ended`, reasons of docs/life-of-a-message.md).
 */
export type EndReason = 'reached-no-device' | 'notice-ambiguous' | 'notice-unconfirmed' | 'notice-delivered';

export interface FaultKind {
  readonly says: string;
  readonly ends: readonly EndReason[];
  /** Only where the provider reports deliveries. */
  readonly receipts?: true;
}

const NOT_TAKEN = ['reached-no-device'] as const;
/** Taken or not, nobody can say; a provider that ignores repeats may have said yes in the end. */
const UNSURE = ['notice-ambiguous', 'notice-unconfirmed'] as const;

export const FAULT_KINDS = {
  'rate-limited': { says: '429 with Retry-After, for ever', ends: NOT_TAKEN },
  // Some providers document that a 500 may have had its effect, some that it has not.
  failing: { says: '500', ends: [...NOT_TAKEN, 'notice-ambiguous'] },
  unavailable: { says: '503', ends: [...NOT_TAKEN, 'notice-ambiguous'] },
  refused: { says: 'nothing listens', ends: NOT_TAKEN },
  'expired-certificate': {
    says: 'TLS with a certificate that has expired and that nobody vouches for',
    ends: NOT_TAKEN,
  },
  unauthorized: { says: 'credentials are refused', ends: NOT_TAKEN },
  reset: { says: 'the connection breaks when the request is in', ends: UNSURE },
  'silent-before-effect': { says: 'no answer, nothing was done', ends: UNSURE },
  'silent-after-effect': { says: 'no answer, and the message was taken', ends: UNSURE },
  drip: { says: 'taken, and the answer comes a byte at a time', ends: UNSURE },
  malformed: { says: 'taken, and the answer is not in the published form', ends: UNSURE },
  oversized: { says: 'taken, and the answer does not end', ends: UNSURE },
  'receipt-twice': { says: 'the delivery is reported twice', ends: ['notice-delivered'], receipts: true },
  'receipt-early': {
    says: 'the delivery is reported before the call is answered',
    ends: ['notice-delivered'],
    receipts: true,
  },
  'receipt-unknown': {
    says: 'first the delivery of a message nobody sent is reported, then ours',
    ends: ['notice-delivered'],
    receipts: true,
  },
  'receipt-forged': {
    says: 'the delivery is reported with a wrong signature',
    ends: ['notice-unconfirmed'],
    receipts: true,
  },
} as const satisfies Readonly<Record<string, FaultKind>>;

export type FaultName = keyof typeof FAULT_KINDS;
export const FAULTS = Object.keys(FAULT_KINDS) as FaultName[];
