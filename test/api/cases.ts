/** What is asked of one operation: everything that must be refused, place by place and at random, and what may be answered. */
import fc from 'fast-check';
import { BY_STRANGER, brokenOf, STRANGER } from './broken.ts';
import { nameOf, type Operation, type Parameter } from './description.ts';
import type { Wanted } from './judge.ts';
import type { Json, JsonSchema } from './schema.ts';
import { type Known, validOf } from './valid.ts';

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly type?: string;
  /** A length that is announced and never sent. */
  readonly announced?: number;
}

export interface Case {
  readonly operation: Operation;
  readonly role: string;
  readonly what: string;
  readonly request: Request;
  readonly wanted: Wanted;
  /** A word the answer must have, so that whoever asked finds the place. */
  readonly names?: string;
  /** It leads to no operation of the description. */
  readonly lost?: true;
}

export interface Plan {
  readonly seed: number;
  readonly known: Known;
  /** Who may ask. */
  readonly right: string;
  /** Who may not, and what they are answered. */
  readonly wrong: Readonly<Record<string, readonly number[]>>;
  /** Values drawn at random, broken and whole. */
  readonly draws: number;
}

const JSON_TYPE = 'application/json';
const NOT_JSON = [
  '{',
  '',
  '{"v":1',
  '[1,2',
  '"',
  '{"__proto__":{"a":1}}',
  '\0',
  '{"a":1}{',
  '\ufeff{}',
  '{"a":\u0001}',
];
const OTHER_TYPES = ['text/plain', 'application/xml', 'multipart/form-data; boundary=x', 'application/jose', ''];
const NO_SUCH_BODY = ['null', '[]', '7', '"text"', 'true'];
const BAD_TEXTS = ['..%2f..', '%00', "x';--", 'x'.repeat(200), '%F0%9F%90%A6', ' '];
const METHODS = ['DELETE', 'PATCH', 'OPTIONS', 'TRACE'];
const TOO_LARGE = 64_000_000;
/** Complete values from which the places are taken: enough to meet each branch of a choice. */
const COMPLETE = 6;

export function refusedCases(operation: Operation, plan: Plan): Case[] {
  return [
    ...byOthers(operation, plan),
    ...elsewhere(operation, plan),
    ...withBadParameters(operation, plan),
    ...(jsonOf(operation) === undefined ? [] : [...unreadable(operation, plan), ...broken(operation, plan)]),
  ];
}

/** Everything is in order with these but that what they name need not be there. */
export function wholeCases(operation: Operation, plan: Plan): Case[] {
  return drawn(operation, plan, plan.draws).map((request, number) => ({
    operation,
    role: plan.right,
    what: `whole, ${number}`,
    request,
    wanted: undefined,
  }));
}

function byOthers(operation: Operation, plan: Plan): Case[] {
  const requests = drawn(operation, plan, Math.ceil(plan.draws / 4));
  return Object.entries(plan.wrong).flatMap(([role, wanted]) =>
    requests.map((request) => ({ operation, role, what: 'whole, by somebody else', request, wanted })),
  );
}

function elsewhere(operation: Operation, plan: Plan): Case[] {
  const [request] = drawn(operation, plan, 1);
  if (request === undefined) return [];
  const path = request.path.split('?')[0] ?? '';
  const lost = { operation, role: plan.right, lost: true } as const;
  const bare = { method: request.method, path };
  return [
    ...[`${path}/nowhere`, `${path}%`, `/nowhere${path}`, `${path}%zz`].map((other) => ({
      ...lost,
      what: 'another address',
      request: { ...request, path: other },
      wanted: [400, 401, 404],
    })),
    ...METHODS.filter((method) => !isDescribed(operation, method)).map((method) => ({
      ...lost,
      what: method,
      request: { ...bare, method },
      // A browser may ask before it asks (Fetch, section 4.8): that is no error.
      wanted: method === 'OPTIONS' ? [204, 404] : [404],
    })),
  ];
}

/** Whether another operation of the description has this method at the same path. */
function isDescribed({ description, path }: Operation, method: string): boolean {
  return description.operations.some((other) => other.path === path && other.method === method);
}

function withBadParameters(operation: Operation, plan: Plan): Case[] {
  const one = { operation, role: plan.right };
  const [request] = drawn(operation, plan, 1);
  if (request === undefined) return [];
  const bad = operation.parameters.flatMap((parameter) =>
    BAD_TEXTS.filter((text) => isBad(operation, parameter, text)).map((text) => ({
      ...one,
      what: `${parameter.name} is ${text.slice(0, 20)}`,
      request: {
        ...request,
        path:
          parameter.in === 'path'
            ? operation.path.replace(
                `{${parameter.name}}`,
                encodeURI(decoded(text)) === text ? text : encodeURIComponent(decoded(text)),
              )
            : `${request.path.split('?')[0]}?${parameter.name}=${encodeURIComponent(decoded(text))}`,
      },
      wanted: [400, 404],
    })),
  );
  const queried = operation.parameters.some((parameter) => parameter.in === 'query');
  const strange = { ...request, path: `${request.path.split('?')[0]}?surprise=1` };
  return queried ? [...bad, { ...one, what: 'a parameter nobody knows', request: strange, wanted: [400] }] : bad;
}

function isBad({ description }: Operation, { schema }: Parameter, text: string): boolean {
  const value = decoded(text);
  return !description.accepts(schema, schema.type === 'integer' ? Number(value === ' ' ? 'x' : value) : value);
}

function unreadable(operation: Operation, plan: Plan): Case[] {
  const [request] = drawn(operation, plan, 1);
  if (request === undefined) return [];
  const changed = (what: string, change: Partial<Request>, status: number): Case => ({
    operation,
    role: plan.right,
    what,
    request: { ...request, ...change },
    wanted: [status],
  });
  return [
    ...NOT_JSON.map((body) => changed('no JSON', { body, type: JSON_TYPE }, 400)),
    ...NO_SUCH_BODY.map((body) => changed('JSON of another kind', { body, type: JSON_TYPE }, 400)),
    ...OTHER_TYPES.map((type) => changed(`sent as ${type}`, { type }, 415)),
    changed('larger than it takes', { body: '', type: JSON_TYPE, announced: TOO_LARGE }, 413),
  ];
}

function broken(operation: Operation, plan: Plan): Case[] {
  const schema = jsonOf(operation);
  if (schema === undefined) return [];
  const { description } = operation;
  const [request] = drawn(operation, plan, 1);
  if (request === undefined) return [];
  const sent = (value: Json, what: string): Case => ({
    operation,
    role: plan.right,
    what,
    request: { ...request, body: JSON.stringify(value), type: JSON_TYPE },
    wanted: [400, 413],
    ...(what.endsWith(BY_STRANGER) ? { names: STRANGER } : {}),
  });
  const places = new Map<string, Json>();
  const complete = fc.sample(validOf(schema, description.schemas, plan.known, '', true), {
    seed: plan.seed,
    numRuns: COMPLETE,
  });
  for (const value of complete)
    for (const { where, how, value: other } of brokenOf(schema, value, description))
      places.set(`${where}: ${how}`, other);
  const systematic = [...places].map(([what, value]) => sent(value, what));
  const random = sample(validOf(schema, description.schemas, plan.known), plan.seed, plan.draws).flatMap(
    (value, number) => {
      const all = brokenOf(schema, value, description);
      const one = all[(number * 7919) % all.length];
      return one === undefined ? [] : [sent(one.value, `${one.where}: ${one.how}, drawn`)];
    },
  );
  return [...systematic, ...random];
}

/** Requests the description takes. */
function drawn(operation: Operation, { seed, known }: Plan, count: number): Request[] {
  const { method, path, parameters, description } = operation;
  const drawnValue = (parameter: Parameter) => validOf(parameter.schema, description.schemas, known, parameter.name);
  const schema = jsonOf(operation);
  const arbitrary = fc.record({
    values: fc.record(Object.fromEntries(parameters.map((parameter) => [parameter.name, drawnValue(parameter)]))),
    asked: fc.subarray(parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name)),
    body: bodyOf(operation, known),
  });
  return sample(arbitrary, seed, count).map(({ values, asked, body }) => {
    const filled = Object.entries(values).reduce(
      (at, [name, value]) => at.replace(`{${name}}`, encodeURIComponent(String(value))),
      path,
    );
    const query = asked.map((name) => `${name}=${encodeURIComponent(String(values[name]))}`).join('&');
    const address = { method, path: query === '' ? filled : `${filled}?${query}` };
    const [type = JSON_TYPE] = Object.keys(operation.bodies);
    if (body === undefined) return address;
    return { ...address, type, body: schema === undefined ? String(body) : JSON.stringify(body) };
  });
}

function bodyOf(operation: Operation, known: Known): fc.Arbitrary<Json | undefined> {
  const schema = jsonOf(operation);
  if (schema !== undefined) return validOf(schema, operation.description.schemas, known);
  return Object.keys(operation.bodies).length === 0 ? fc.constant(undefined) : fc.string();
}

/** What is not JSON, or is JSON of any kind, has nothing that could be broken. */
function jsonOf({ bodies }: Operation): JsonSchema | undefined {
  const schema = bodies[JSON_TYPE];
  return schema === undefined || (schema.$ref === undefined && schema.type === undefined) ? undefined : schema;
}

function sample<T>(arbitrary: fc.Arbitrary<T>, seed: number, numRuns: number): T[] {
  return fc.sample(arbitrary, { seed, numRuns });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function titleOf({ operation, role, what }: Case): string {
  return `${nameOf(operation)} by ${role}: ${what}`;
}
