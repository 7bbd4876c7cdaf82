/**
 * From the JSON Schema of a request body: one value the schema takes, and every value that differs from it in one place
 * only, by a member nobody knows or by a wrong type.
 */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly pattern?: string;
  readonly format?: string;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

export type Components = Readonly<Record<string, JsonSchema>>;
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Texts in the forms our identifiers have; the first that fits a pattern is taken. */
const TEXTS = [
  'alice',
  'A'.repeat(43),
  'A'.repeat(22),
  `con_${'A'.repeat(22)}`,
  `dev_${'A'.repeat(22)}`,
  '0190b5f0-0000-7000-8000-000000000000',
  '+4915112345678',
  'acme.example',
  '2026-01-01T00:00:00Z',
  'A'.repeat(86),
  'https://acme.example/',
];

export function sampleOf(schema: JsonSchema, components: Components): Json {
  const found = resolved(schema, components);
  const choice = found.anyOf?.[0] ?? found.oneOf?.[0];
  if (choice !== undefined) return sampleOf(choice, components);
  if (found.const !== undefined) return found.const as Json;
  if (found.enum !== undefined) return found.enum[0] as Json;
  if (found.type === 'object') {
    const members = Object.entries(found.properties ?? {}).map(([name, each]) => [name, sampleOf(each, components)]);
    return Object.fromEntries(members) as Json;
  }
  if (found.type === 'array') return found.items === undefined ? [] : [sampleOf(found.items, components)];
  if (found.type === 'integer' || found.type === 'number') return Math.max(found.minimum ?? 0, 1);
  if (found.type === 'boolean') return true;
  if (found.type === 'null') return null;
  return textOf(found);
}

function textOf({ pattern = '', minLength = 0, format }: JsonSchema): string {
  const wanted = new RegExp(pattern, 'u');
  const fits = (text: string) =>
    wanted.test(text) && text.length >= minLength && (format !== 'date-time' || text.endsWith('Z'));
  const text = TEXTS.find(fits);
  if (text === undefined) throw new Error(`no sample for ${pattern}; add one to TEXTS`);
  return text;
}

function resolved(schema: JsonSchema, components: Components): JsonSchema {
  if (schema.$ref === undefined) return schema;
  const target = components[schema.$ref.replace('#/components/schemas/', '')];
  if (target === undefined) throw new Error(`${schema.$ref} leads nowhere`);
  return resolved(target, components);
}

export interface Variant {
  readonly where: string;
  readonly value: Json;
}

const STRANGER = 'surprise';

/** With one member more, at every object that is closed. */
export function withStrangers(schema: JsonSchema, components: Components): Variant[] {
  return changed(schema, components, (found, value) =>
    isObject(value) && found.additionalProperties === false ? { ...value, [STRANGER]: 1 } : undefined,
  );
}

/** With one value of another type, at every place. */
export function withWrongTypes(schema: JsonSchema, components: Components): Variant[] {
  return changed(schema, components, (_found, value) => (Array.isArray(value) || isObject(value) ? 7 : [{}]));
}

/** `change` is asked at every place; each answer makes one variant of the whole. */
function changed(
  schema: JsonSchema,
  components: Components,
  change: (schema: JsonSchema, value: Json) => Json | undefined,
  where = '',
): Variant[] {
  const found = resolved(schema, components);
  const choice = found.anyOf?.[0] ?? found.oneOf?.[0];
  if (choice !== undefined) return changed(choice, components, change, where);
  const value = sampleOf(found, components);
  const here = change(found, value);
  const variants: Variant[] = here === undefined ? [] : [{ where: where === '' ? '/' : where, value: here }];
  if (isObject(value)) {
    for (const [name, each] of Object.entries(found.properties ?? {}))
      for (const inner of changed(each, components, change, `${where}/${name}`))
        variants.push({ where: inner.where, value: { ...value, [name]: inner.value } });
  }
  if (Array.isArray(value) && found.items !== undefined) {
    for (const inner of changed(found.items, components, change, `${where}/0`))
      variants.push({ where: inner.where, value: [inner.value] });
  }
  return variants;
}

function isObject(value: Json): value is { [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
