/** An OpenAPI 3.1 description as a test reads it: its operations, and what it says of a request's body and of an answer. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { JsonSchema, Schemas } from './schema.ts';

export interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly required?: boolean;
  readonly schema: JsonSchema;
}

export interface Operation {
  readonly api: string;
  readonly method: string;
  /** With parameters in braces. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** Schemas by media type; empty when the operation takes no body. */
  readonly bodies: Readonly<Record<string, JsonSchema>>;
  readonly description: Description;
  /** Schema by media type of the answer with this status; `undefined` where the description says nothing of it. */
  answer(status: number): Readonly<Record<string, JsonSchema>> | undefined;
}

export interface Description {
  readonly schemas: Schemas;
  readonly operations: readonly Operation[];
  /** Whether a value is what the schema says. */
  accepts(schema: JsonSchema, value: unknown): boolean;
}

type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>;
interface Document {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly summary?: string;
            readonly parameters?: readonly Parameter[];
            readonly requestBody?: { readonly content: Content };
            readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
          }
        >
      >
    >
  >;
  readonly components?: { readonly schemas?: Schemas };
}

/** Throws for an operation without a summary: a reader of the description is owed one. */
export function readDescription(api: string, text: string): Description {
  const { paths, components = {} } = JSON.parse(text) as Document;
  const schemas = components.schemas ?? {};
  const accepts = validation(schemas);
  const operations: Operation[] = [];
  const description = { schemas, operations, accepts };
  for (const [path, methods] of Object.entries(paths))
    for (const [method, { summary, parameters = [], requestBody, responses }] of Object.entries(methods)) {
      if (summary === undefined) throw new Error(`${api} ${method} ${path} has no summary`);
      operations.push({
        api,
        method: method.toUpperCase(),
        path,
        parameters,
        bodies: schemasOf(requestBody?.content),
        description,
        answer(status) {
          const found = responses[String(status)] ?? (status >= 400 ? responses.default : undefined);
          return found === undefined ? undefined : schemasOf(found.content);
        },
      });
    }
  return description;
}

export function nameOf({ api, method, path }: Operation): string {
  return `${api} ${method} ${path}`;
}

function schemasOf(content: Content = {}): Record<string, JsonSchema> {
  return Object.fromEntries(Object.entries(content).map(([type, { schema }]) => [type, schema]));
}

function validation(schemas: Schemas): Description['accepts'] {
  const ajv = new Ajv2020({ strict: false, validateFormats: true });
  addFormats.default(ajv);
  ajv.addSchema({ $id: 'api', components: { schemas } });
  const compiled = new WeakMap<JsonSchema, ValidateFunction>();
  return (schema, value) => {
    const validate = compiled.get(schema) ?? ajv.compile(withFullReferences(schema));
    compiled.set(schema, validate);
    return validate(value);
  };
}

function withFullReferences(schema: JsonSchema): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"api#/')) as object;
}
