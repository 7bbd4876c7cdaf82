/**
 * What a command_status means for an attempt (SMPP 3.4 section 5.1.3; waits as in Jasmin's defaults). Any status but 0
 * says that the message was not taken. A status not listed is permanent and named by its number, never guessed at.
 */
import type { Outcome } from '@sealpost/protocol/carriage';

type Meaning =
  | { readonly name: string; readonly kind: 'permanent' | 'auth-broken' }
  | { readonly name: string; readonly kind: 'retry-after'; readonly afterMs: number };

const retry = (name: string, seconds: number): Meaning => ({ name, kind: 'retry-after', afterMs: seconds * 1000 });
const permanent = (name: string): Meaning => ({ name, kind: 'permanent' });
const authBroken = (name: string): Meaning => ({ name, kind: 'auth-broken' });

const MEANINGS: ReadonlyMap<number, Meaning> = new Map([
  [0x04, retry('ESME_RINVBNDSTS', 5)],
  [0x05, retry('ESME_RALYBND', 5)],
  [0x08, retry('ESME_RSYSERR', 30)],
  [0x0a, permanent('ESME_RINVSRCADR')],
  [0x0b, permanent('ESME_RINVDSTADR')],
  [0x0d, authBroken('ESME_RBINDFAIL')],
  [0x0e, authBroken('ESME_RINVPASWD')],
  [0x0f, authBroken('ESME_RINVSYSID')],
  [0x14, retry('ESME_RMSGQFUL', 180)],
  [0x45, permanent('ESME_RSUBMITFAIL')],
  [0x58, retry('ESME_RTHROTTLED', 30)],
  [0x61, retry('ESME_RINVSCHED', 300)],
  [0x62, permanent('ESME_RINVEXPIRY')],
  [0x64, retry('ESME_RX_T_APPN', 30)],
  [0x65, permanent('ESME_RX_P_APPN')],
  [0x66, permanent('ESME_RX_R_APPN')],
  [0x100, permanent('ESME_RSERTYPUNAUTH')],
  [0x101, permanent('ESME_RPROHIBITED')],
]);

export type Refusal = Extract<Outcome, { kind: 'permanent' | 'auth-broken' | 'retry-after' }>;

export function refusalOf(status: number): Refusal {
  const meaning = MEANINGS.get(status) ?? permanent(`command_status 0x${status.toString(16).padStart(8, '0')}`);
  return meaning.kind === 'retry-after'
    ? { kind: 'retry-after', afterMs: meaning.afterMs, reason: meaning.name }
    : { kind: meaning.kind, reason: meaning.name };
}
