/**
 * How a dialogue with the relay ended. A reply of 4yz or 5yz is a refusal wherever it comes: the relay that gives one has not
 * taken the mail over (RFC 5321 sections 4.2.1 and 4.2.5). Only a dialogue that broke off after the last byte is ambiguous.
 */
import type { Outcome } from '@sealpost/protocol/carriage';
import { reasonOf } from '../single-effect.ts';
import type { RelayFailure } from './failure-schema.ts';
import type { Handing } from './relay.ts';

type Reply = NonNullable<RelayFailure['reply']>;

const RETRY_MS = { unsent: 5_000, deferred: 60_000 } as const;

/** What a 5yz means by what was asked (RFC 5321 section 4.2.3); a reply code not named here is `others`. */
const REFUSALS: Readonly<Record<Reply['asked'], { others: Refusal; codes: Readonly<Record<number, Refusal>> }>> = {
  session: { others: 'auth-broken', codes: {} },
  auth: { others: 'auth-broken', codes: {} },
  /** Who we are is refused, not this mail; 552 alone is about its size. */
  sender: { others: 'auth-broken', codes: { 552: 'permanent' } },
  /** 530: sign in first (RFC 4954 section 6). */
  recipient: { others: 'downgrade', codes: { 530: 'auth-broken' } },
  data: { others: 'permanent', codes: { 530: 'auth-broken' } },
  end: { others: 'permanent', codes: {} },
};
type Refusal = 'auth-broken' | 'permanent' | 'downgrade';

export function classifyHanding(handing: Extract<Handing, { kind: 'failed' }>): Outcome {
  const { connected, given, failure } = handing;
  if (failure.reply !== undefined) return refusalOf(failure.reply);
  // nodemailer knows the relay's limit (RFC 1870) and does not begin; or the relay offers no way to sign in.
  if (failure.code === 'EMESSAGE' && !given) return { kind: 'permanent', reason: 'larger than the relay takes' };
  if (failure.code === 'EAUTH') return { kind: 'auth-broken', reason: 'no way to sign in' };
  if (given) return { kind: 'ambiguous', reason: `no answer ${failure.code}` };
  const reason = `${connected ? 'before the mail' : 'connection'} ${failure.code}`;
  return { kind: 'retry-after', afterMs: RETRY_MS.unsent, reason };
}

function refusalOf({ asked, status, enhanced }: Reply): Outcome {
  const reason = reasonOf(status, enhanced);
  if (status < 500) return { kind: 'retry-after', afterMs: RETRY_MS.deferred, reason };
  // Some relays look at the recipient only once they have the mail: 5.1.x is about addresses (RFC 3463 section 3.2).
  if (asked === 'end' && enhanced?.startsWith('5.1.')) return { kind: 'downgrade', reason };
  const { others, codes } = REFUSALS[asked];
  return { kind: codes[status] ?? others, reason };
}
