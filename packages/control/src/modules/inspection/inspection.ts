/**
 * Inspection: a flow's rules over what somebody wants to send. Pure, and it never answers what it found, only by which
 * rule: the answer may be logged, the content not. Blocking wins over everything, then redaction and raising add up.
 */
import { CLASSIFICATIONS, type Classification, type InspectionRule } from '@sealpost/protocol';
import { findCloudCredentials } from './cloud-credential.ts';
import { fold, type Range } from './folded-text.ts';
import { findLiteral } from './literal.ts';
import { findPaymentCards } from './payment-card.ts';
import { findPrivateKeys } from './private-key.ts';

/** What a person authored. */
export interface InspectedContent {
  readonly subject: string;
  readonly body: string;
  readonly facts: readonly { readonly name: string; readonly value: string }[];
}

export type Inspection<C extends InspectedContent> =
  | {
      readonly kind: 'pass';
      /** With what `redact` rules found taken out. */
      readonly content: C;
      /** Ids of the rules that took something out. */
      readonly redactions: readonly string[];
      /** The highest classification a `raise` rule asks for. */
      readonly classification?: Classification;
    }
  | { readonly kind: 'blocked'; readonly rules: readonly string[] };

const REPLACEMENT = '[redacted]';
/** Of protocol/content: a short find must not make a field too long. */
const LIMITS = { subject: 300, body: 100_000, name: 200, value: 2000 } as const;

export function inspect<C extends InspectedContent>(content: C, rules: readonly InspectionRule[]): Inspection<C> {
  const fields = fieldsOf(content);
  const matched = rules.filter((rule) => fields.some((field) => find(field, rule).length > 0));
  const blocking = matched.filter((rule) => rule.action === 'block');
  if (blocking.length > 0) return { kind: 'blocked', rules: blocking.map((rule) => rule.id) };
  const redacting = matched.filter((rule) => rule.action === 'redact');
  const classification = highest(matched.flatMap((rule) => (rule.action === 'raise' ? [rule.raiseTo] : [])));
  return {
    kind: 'pass',
    content: redacting.length === 0 ? content : redacted(content, redacting),
    redactions: redacting.map((rule) => rule.id),
    ...(classification === undefined ? {} : { classification }),
  };
}

function fieldsOf({ subject, body, facts }: InspectedContent): string[] {
  return [subject, body, ...facts.flatMap(({ name, value }) => [name, value])];
}

/** Where in the source `rule` finds something. */
function find(source: string, { detect, literal = '' }: InspectionRule): Range[] {
  const folded = fold(source, { lower: detect === 'pattern' });
  return search(folded.text, detect, literal).map(({ start, end }) => folded.sourceRange(start, end));
}

function search(text: string, detect: InspectionRule['detect'], literal: string): Range[] {
  switch (detect) {
    case 'private-key':
      return findPrivateKeys(text);
    case 'cloud-credential':
      return findCloudCredentials(text);
    case 'payment-card':
      return findPaymentCards(text);
    case 'pattern':
      return findLiteral(text, fold(literal, { lower: true }).text);
  }
}

function redacted<C extends InspectedContent>(content: C, rules: readonly InspectionRule[]): C {
  const clean = (text: string, limit: number) => {
    const ranges = rules.flatMap((rule) => find(text, rule));
    return ranges.length === 0 ? text : clipped(replaceRanges(text, ranges), limit);
  };
  return {
    ...content,
    subject: clean(content.subject, LIMITS.subject),
    body: clean(content.body, LIMITS.body),
    facts: content.facts.map((fact) => ({
      ...fact,
      name: clean(fact.name, LIMITS.name),
      value: clean(fact.value, LIMITS.value),
    })),
  };
}

function replaceRanges(text: string, ranges: readonly Range[]): string {
  let [kept, from] = ['', 0];
  for (const { start, end } of [...ranges].sort((a, b) => a.start - b.start)) {
    if (start >= from) kept += text.slice(from, start) + REPLACEMENT;
    from = Math.max(from, end);
  }
  return kept + text.slice(from);
}

/** Cuts at a whole character. */
function clipped(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const cut = text.slice(0, limit);
  return cut.isWellFormed() ? cut : cut.slice(0, -1);
}

function highest(raised: readonly (Classification | undefined)[]): Classification | undefined {
  return CLASSIFICATIONS.findLast((classification) => raised.includes(classification));
}
