/** From a value a schema takes, every value that differs from it in one place and that the schema does not take. */
import { choicesOf, isObject, type Json, type JsonSchema, resolved, type Schemas } from './schema.ts';

export interface Broken {
  readonly where: string;
  readonly how: string;
  readonly value: Json;
}

interface Judge {
  readonly schemas: Schemas;
  accepts(schema: JsonSchema, value: unknown): boolean;
}

export const STRANGER = 'surprise';
export const BY_STRANGER = 'a member nobody knows';
/** Beyond this a text is refused for the size of the whole, which another case asks for. */
const LONGEST = 150_000;

export function brokenOf(schema: JsonSchema, value: Json, judge: Judge): Broken[] {
  return changed(schema, value, judge, '').filter((broken) => !judge.accepts(schema, broken.value));
}

function changed(schema: JsonSchema, value: Json, judge: Judge, where: string): Broken[] {
  const found = resolved(schema, judge.schemas);
  const choice = choicesOf(found).find((each) => judge.accepts(each, value));
  if (choice !== undefined) return changed(choice, value, judge, where);
  const here = brokenHere(found, value).map(([how, other]) => ({
    where: where === '' ? '/' : where,
    how,
    value: other,
  }));
  if (isObject(value)) return [...here, ...insideObject(found, value, judge, where)];
  if (Array.isArray(value) && value.length > 0) return [...here, ...insideArray(found, value, judge, where)];
  return here;
}

function brokenHere(found: JsonSchema, value: Json): [string, Json][] {
  const container = isObject(value) || Array.isArray(value);
  const type: [string, Json][] = [
    ['another type', container ? 7 : [{}]],
    ['null', null],
  ];
  if (isObject(value)) return [...type, ...brokenObject(found, value)];
  if (Array.isArray(value)) return [...type, ...brokenArray(found, value)];
  if (typeof value === 'string') return [...type, ...brokenText(found, value)];
  if (typeof value === 'number') return [...type, ...brokenNumber(found)];
  return [...type, ['a text', 'text']];
}

function brokenObject({ required = [], additionalProperties }: JsonSchema, value: { [name: string]: Json }) {
  const missing = required.map((name): [string, Json] => {
    const { [name]: _gone, ...rest } = value;
    return [`without ${name}`, rest];
  });
  const strange: [string, Json][] = additionalProperties === false ? [[BY_STRANGER, { ...value, [STRANGER]: 1 }]] : [];
  return [...missing, ...strange];
}

function brokenArray({ minItems = 0, maxItems }: JsonSchema, value: Json[]): [string, Json][] {
  const few: [string, Json][] = minItems > 0 ? [['too few', value.slice(0, minItems - 1)]] : [];
  const [item] = value;
  const many = maxItems === undefined || item === undefined ? [] : Array<Json>(maxItems + 1).fill(item);
  return many.length === 0 || JSON.stringify(many).length > LONGEST ? few : [...few, ['too many', many]];
}

function brokenText({ minLength = 0, maxLength, pattern, format, const: only, enum: some }: JsonSchema, value: string) {
  const broken: [string, Json][] = [['a number', 7]];
  if (minLength > 0) broken.push(['too short', '']);
  if (maxLength !== undefined && maxLength < LONGEST) broken.push(['too long', value.padEnd(maxLength + 1, 'A')]);
  if (pattern !== undefined || format !== undefined)
    broken.push(
      ['another form', ' é?'],
      ['NUL', `${value}\0`],
      ['a line more', `${value}\n`],
      ['much of it', value.repeat(300)],
    );
  if (only !== undefined || some !== undefined) broken.push(['another word', `${value}x`]);
  return broken;
}

function brokenNumber({ minimum, maximum }: JsonSchema): [string, Json][] {
  const broken: [string, Json][] = [
    ['as a text', '1'],
    ['a fraction', 1.5],
    ['beyond integers', 1e300],
  ];
  if (minimum !== undefined) broken.push(['too small', minimum - 1]);
  if (maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER) broken.push(['too large', maximum + 1]);
  return broken;
}

function insideObject(found: JsonSchema, value: { [name: string]: Json }, judge: Judge, where: string): Broken[] {
  const { properties = {}, additionalProperties } = found;
  return Object.entries(value).flatMap(([name, each]) => {
    const schema = properties[name] ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
    if (schema === undefined) return [];
    return changed(schema, each, judge, `${where}/${name}`).map((inner) => ({
      ...inner,
      value: { ...value, [name]: inner.value },
    }));
  });
}

function insideArray({ items }: JsonSchema, [first = null, ...rest]: Json[], judge: Judge, where: string): Broken[] {
  if (items === undefined) return [];
  return changed(items, first, judge, `${where}/0`).map((inner) => ({ ...inner, value: [inner.value, ...rest] }));
}
