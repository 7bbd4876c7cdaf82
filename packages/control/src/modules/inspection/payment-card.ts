/**
 * Payment card numbers: 13 to 19 digits (ISO/IEC 7812-1), written together or in groups, whose first digits are a card
 * issuer's and whose check digit holds (Luhn). Longer runs of digits are something else.
 */
import type { Range } from './folded-text.ts';

/** Digits with at most one space, dot or hyphen between them; after a plus sign they are a telephone number. */
const RUN = /(?<![0-9+])[0-9](?:[ .-]?[0-9]){12,}(?![0-9])/g;
const LONGEST = 19;

/** Which lengths which prefixes have: Visa, Mastercard, American Express, Diners, Discover, JCB, UnionPay, Maestro. */
const ISSUERS: readonly { readonly prefix: RegExp; readonly lengths: readonly number[] }[] = [
  { prefix: /^4/, lengths: [13, 16, 19] },
  { prefix: /^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, lengths: [16] },
  { prefix: /^3[47]/, lengths: [15] },
  { prefix: /^3(?:0[0-5]|095|[689])/, lengths: [14, 16, 17, 18, 19] },
  { prefix: /^(?:6011|64[4-9]|65)/, lengths: [16, 17, 18, 19] },
  { prefix: /^35(?:2[89]|[3-8])/, lengths: [16, 17, 18, 19] },
  { prefix: /^62/, lengths: [16, 17, 18, 19] },
  { prefix: /^(?:50|5[6-9]|6[0-9])/, lengths: [13, 14, 15, 16, 17, 18, 19] },
];

export function findPaymentCards(text: string): Range[] {
  return [...text.matchAll(RUN)].flatMap((match) => cardsIn(match[0], match.index));
}

/** A card may stand beside other groups of digits, for example a date: each start at a group is tried. */
function cardsIn(run: string, offset: number): Range[] {
  const places = [...run].flatMap((letter, place) => (letter >= '0' && letter <= '9' ? [place] : []));
  const digits = places.map((place) => run.charAt(place)).join('');
  const startsGroup = (index: number) => index === 0 || (places[index] ?? 0) - (places[index - 1] ?? 0) > 1;
  const endsGroup = (index: number) => index === digits.length - 1 || startsGroup(index + 1);
  const found: Range[] = [];
  for (let start = 0; start < digits.length; start++) {
    if (!startsGroup(start)) continue;
    for (let length = LONGEST; length >= 13; length--) {
      const last = start + length - 1;
      if (last >= digits.length || !endsGroup(last)) continue;
      if (!isCard(digits.slice(start, last + 1))) continue;
      found.push({ start: offset + (places[start] ?? 0), end: offset + (places[last] ?? 0) + 1 });
      start = last;
      break;
    }
  }
  return found;
}

function isCard(digits: string): boolean {
  const issued = ISSUERS.some(({ prefix, lengths }) => lengths.includes(digits.length) && prefix.test(digits));
  return issued && luhnHolds(digits);
}

/** ISO/IEC 7812-1 annex B: from the right, each second digit doubled. */
export function luhnHolds(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits.charAt(digits.length - 1 - i));
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
