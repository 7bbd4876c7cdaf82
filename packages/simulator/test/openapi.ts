/**
 * Checks HTTP exchanges against Google's published API, where the description is present: `google-rbm-v1.openapi.json` in
 * `$SEALPOST_SPECS`, by default `../shared/specs` beside the repository. Where it is absent tests skip and say so.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';

const FOLDER = process.env.SEALPOST_SPECS ?? resolve(import.meta.dirname, '../../../../shared/specs');
const FILE = join(FOLDER, 'google-rbm-v1.openapi.json');

export const SPEC_ABSENT = existsSync(FILE) ? undefined : `needs ${FILE}: set SEALPOST_SPECS`;

export interface SpecCheck {
  /** A fetch that also notes what in an exchange is not as published. */
  readonly fetch: typeof fetch;
  readonly violations: string[];
  /** Exchanges that were checked. */
  readonly checked: string[];
}

/** `ignoreAnswers` while a test makes the platform talk nonsense on purpose. */
export function createSpecCheck(ignoreAnswers: () => boolean = () => false): SpecCheck {
  const violations: string[] = [];
  const checked: string[] = [];
  const spec = SPEC_ABSENT === undefined ? JSON.parse(readFileSync(FILE, 'utf8')) : { paths: {} };
  const ajv = new Ajv({ strict: false, allErrors: true });
  formats.default(ajv);
  ajv.addSchema({ ...spec, $id: 'spec' });

  const check = (what: string, pointer: string, value: unknown): void => {
    const validate = ajv.getSchema(`spec#${pointer}`) ?? ajv.compile({ $ref: `spec#${pointer}` });
    if (!validate(value)) violations.push(`${what}: ${ajv.errorsText(validate.errors)}`);
  };

  const checkedFetch: typeof fetch = async (input, init) => {
    const url = new URL(String(input));
    const answer = await fetch(input, init);
    const method = (init?.method ?? 'GET').toLowerCase();
    const path = Object.keys(spec.paths).find(
      (name) => matches(name, url.pathname) && spec.paths[name][method] !== undefined,
    );
    if (path === undefined) {
      if (url.pathname.startsWith('/v1/')) violations.push(`${method} ${url.pathname}: not published`);
      return answer;
    }
    const operation = spec.paths[path][method];
    const at = `/paths/${pointerSegment(path)}/${method}`;
    const what = `${method} ${path}`;
    for (const [index, { name, in: where, required }] of operation.parameters.entries()) {
      const value = where === 'path' ? segment(path, url.pathname, name) : (url.searchParams.get(name) ?? undefined);
      if (value !== undefined) check(`${what} ${name}`, `${at}/parameters/${index}/schema`, value);
      else if (required) violations.push(`${what}: ${name} missing`);
    }
    for (const name of url.searchParams.keys())
      if (!operation.parameters.some((parameter: { name: string }) => parameter.name === name))
        violations.push(`${what}: ${name} unknown`);
    if (operation.requestBody !== undefined)
      check(`${what} request`, `${at}/requestBody/content/application~1json/schema`, JSON.parse(String(init?.body)));
    checked.push(`${what} ${answer.status}`);
    if (!ignoreAnswers() && operation.responses[answer.status] === undefined)
      violations.push(`${what}: ${answer.status} not published`);
    else if (!ignoreAnswers())
      check(
        `${what} ${answer.status}`,
        `${at}/responses/${answer.status}/content/application~1json/schema`,
        await answer.clone().json(),
      );
    return answer;
  };
  return { fetch: checkedFetch, violations, checked };
}

const pointerSegment = (name: string) => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'));

function matches(template: string, path: string): boolean {
  return new RegExp(`^${template.replace(/\{[^}]+\}/g, '[^/]+')}$`).test(path);
}

function segment(template: string, path: string, name: string): string | undefined {
  const index = template.split('/').indexOf(`{${name}}`);
  const raw = path.split('/')[index];
  return raw === undefined ? undefined : decodeURIComponent(raw);
}
