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

/** What a person's text means: a wish about being written to, or what it says. `undefined` for nothing at all. */
export function contentOfText(text: string): InboundContent | undefined {
  const word = text
    .trim()
    .replace(/[.!]+$/, '')
    .replaceAll(/[\s-]+/g, ' ')
    .toUpperCase();
  if (OPT_OUT.has(word)) return { kind: 'opt-out' };
  if (OPT_IN.has(word)) return { kind: 'opt-in' };
  return text.trim() === '' ? undefined : { kind: 'text', text };
}
