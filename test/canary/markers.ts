/** What a run of the canary puts into messages: fresh random texts, one a kind, so that nothing else can hold them. */
import { randomInt } from 'node:crypto';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** Content: nobody but control, while it seals, and the devices may hold it. */
export const KINDS = [
  'subject',
  'body',
  'fact',
  'link',
  'attachment',
  /** Members of Alertmanager's webhook that no message is made of. */
  'unused',
  /** Of a request that was refused. */
  'refused',
] as const;

export type Markers = Readonly<Record<(typeof KINDS)[number], string>>;

export function createMarkers(): Markers {
  const stem = randomStem();
  const of = (kind: string) => `${stem}${kind}`;
  return {
    subject: of('subject'),
    body: of('body'),
    fact: of('fact'),
    link: of('link'),
    attachment: of('attachment'),
    unused: of('unused'),
    refused: of('refused'),
  };
}

/** 82 random bits: enough that no gigabyte holds it by chance. */
export function randomStem(): string {
  return Array.from({ length: 16 }, () => LETTERS.charAt(randomInt(LETTERS.length))).join('');
}

/** A German mobile number nobody was given by name; the digits are searched with and without the plus that way. */
export function randomPhone(): string {
  return `+4915${Array.from({ length: 11 }, () => randomInt(10)).join('')}`;
}
