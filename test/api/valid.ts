/** Values a schema takes, drawn by fast-check: small ones, hostile ones, and the names of things that are really there. */
import fc from 'fast-check';
import { choicesOf, type Json, type JsonSchema, resolved, type Schemas } from './schema.ts';

/** What is really there, by the name of the member or parameter that may name it. */
export type Known = Readonly<Record<string, readonly Json[]>>;

/** Where stringMatching cannot follow a pattern, the first of these that fits is taken. */
const TEXTS = ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00+02:00', '+4915112345678', 'https://acme.example/', 'alice'];
const HOSTILE = ['\0', '\ud800', '__proto__', '../../etc', "'; --", '\u202e', '%00', '\r\nx: y', '', 'ß'.repeat(40)];
/** Long enough for what a schema says about length to matter, short enough for thousands. */
const TEXT_LENGTH = 200;

/** `complete`: with every member there may be, lists and maps that are not empty. */
export function validOf(
  schema: JsonSchema,
  schemas: Schemas,
  known: Known,
  name = '',
  complete = false,
): fc.Arbitrary<Json> {
  const drawn = drawnFrom(resolved(schema, schemas), { schemas, known, complete }, name);
  const named = (known[name] ?? []).filter((value) => fits(resolved(schema, schemas), value));
  if (NEVER_DRAWN.has(name) && named.length > 0) return fc.constantFrom(...named);
  return named.length === 0
    ? drawn
    : fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...named) }, { weight: 1, arbitrary: drawn });
}

/** Every other value would only take its time. */
const NEVER_DRAWN: ReadonlySet<string> = new Set(['wait']);

interface Drawing {
  readonly schemas: Schemas;
  readonly known: Known;
  readonly complete: boolean;
}

function drawnFrom(found: JsonSchema, drawing: Drawing, name: string): fc.Arbitrary<Json> {
  const { schemas, known, complete } = drawing;
  const inner = (each: JsonSchema, member: string) => validOf(each, schemas, known, member, complete);
  const choices = choicesOf(found);
  if (choices.length > 0) return fc.oneof(...choices.map((each) => inner(each, name)));
  if (found.const !== undefined) return fc.constant(found.const as Json);
  if (found.enum !== undefined) return fc.constantFrom(...(found.enum as Json[]));
  switch (found.type) {
    case 'object':
      return objectOf(found, complete, inner);
    case 'array':
      return fc.array(inner(found.items ?? {}, name), {
        minLength: Math.max(found.minItems ?? 0, complete && found.maxItems !== 0 ? 1 : 0),
        maxLength: Math.min(found.maxItems ?? 3, Math.max(3, found.minItems ?? 0)),
      });
    case 'integer':
    case 'number':
      return integerOf(found);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'string':
      return textOf(found);
    default:
      return fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>;
  }
}

function objectOf(
  found: JsonSchema,
  complete: boolean,
  inner: (each: JsonSchema, member: string) => fc.Arbitrary<Json>,
): fc.Arbitrary<Json> {
  const { properties = {}, required = [], additionalProperties } = found;
  const members = Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, inner(each, name)]));
  const requiredKeys = complete ? Object.keys(members) : required.filter((name) => name in members);
  const declared = fc.record(members, { requiredKeys }) as fc.Arbitrary<Record<string, Json>>;
  if (typeof additionalProperties !== 'object') return declared;
  const sizes = { minKeys: complete ? 1 : 0, maxKeys: 3 };
  const free = fc.dictionary(fc.string({ maxLength: 20 }), inner(additionalProperties, ''), sizes);
  return fc.tuple(free, declared).map(([more, own]) => ({ ...more, ...own }));
}

function integerOf({ minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER }: JsonSchema) {
  return fc.oneof(
    fc.constantFrom(minimum, maximum, Math.min(maximum, Math.max(minimum, 0))),
    fc.maxSafeInteger().filter((value) => value >= minimum && value <= maximum),
    fc.integer({ min: Math.max(minimum, -1000), max: Math.min(maximum, 1000) }),
  );
}

function textOf(found: JsonSchema): fc.Arbitrary<string> {
  const { pattern, minLength = 0, maxLength = TEXT_LENGTH } = found;
  const fitting = (text: string) => fits(found, text);
  if (pattern !== undefined || found.format !== undefined) {
    const text = TEXTS.find(fitting);
    const matching = matchingOf(pattern)?.filter(fitting);
    if (matching !== undefined) return matching;
    if (text === undefined) throw new Error(`no text for ${pattern ?? found.format}; add one to TEXTS`);
    return fc.constant(text);
  }
  return fc.oneof(
    fc.string({ minLength, maxLength: Math.min(maxLength, TEXT_LENGTH), unit: 'binary' }).filter(fitting),
    fc.constantFrom(...[...HOSTILE, 'a'.repeat(Math.max(1, minLength))].filter(fitting)),
  );
}

function matchingOf(pattern: string | undefined): fc.Arbitrary<string> | undefined {
  if (pattern === undefined) return undefined;
  try {
    const matching = fc.stringMatching(new RegExp(pattern), { size: 'small' });
    fc.sample(matching, 1);
    return matching;
  } catch {
    return undefined;
  }
}

/** As far as patterns, lengths and the one format that is more than its pattern go. */
function fits({ type, pattern, format, minLength = 0, maxLength = Number.POSITIVE_INFINITY }: JsonSchema, value: Json) {
  if (type === 'integer') return Number.isInteger(value);
  if (typeof value !== 'string' || (type !== undefined && type !== 'string')) return typeof value === type;
  const length = [...value].length;
  const dated = format !== 'date-time' || !Number.isNaN(Date.parse(value));
  return new RegExp(pattern ?? '', 'u').test(value) && length >= minLength && value.length <= maxLength && dated;
}
