/**
 * Words by which people end and resume what a sender sends them: the opt-out keywords carriers and the CTIA Messaging
 * Principles (section 5.1.3) ask for, and the ones 47 CFR 64.1200(a)(10) names. The whole text must be the word: "stop the
 * server" is an answer to an alert.
 */
import type { InboundContent } from '@sealpost/protocol/carriage';

const OPT_OUT: ReadonlySet<string> = new Set([
  'STOP',
  'STOPALL',
  'UNSUBSCRIBE',
  'CANCEL',
  'END',
  'QUIT',
  'REVOKE',
  'OPT OUT',
  'OPTOUT',
]);
const OPT_IN: ReadonlySet<string> = new Set(['START', 'UNSTOP', 'OPT IN', 'OPTIN', 'SUBSCRIBE']);

/** A longer text is no word; looking for marks at its end would take a time that grows with the square of its length. */
const MAX_WORD = 100;

/** What a person's text means: a wish about being written to, or what it says. `undefined` for nothing at all. */
export function contentOfText(text: string): InboundContent | undefined {
  const whole = text.trim();
  if (whole === '') return undefined;
  if (whole.length > MAX_WORD) return { kind: 'text', text };
  const word = whole
    .replace(/[.!]+$/, '')
    .replaceAll(/[\s-]+/g, ' ')
    .toUpperCase();
  if (OPT_OUT.has(word)) return { kind: 'opt-out' };
  if (OPT_IN.has(word)) return { kind: 'opt-in' };
  return { kind: 'text', text };
}
