/** What an answer must be, whatever was asked: documented, of the documented form, and an error only as a problem document. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Answer } from '../support/call.ts';
import type { Operation } from './description.ts';

/** HTTP status by error code, as docs/reference/errors.md has it. */
export type Codes = ReadonlyMap<string, number>;

export function readCodes(): Codes {
  const text = readFileSync(join(import.meta.dirname, '../../docs/reference/errors.md'), 'utf8');
  const rows = text.matchAll(/`(ERR_\w+)` \| [\w-]+ \((\d{3})\)/g);
  return new Map([...rows].map(([, code = '', status]) => [code, Number(status)]));
}

/** Statuses that answer the case; `undefined` where the description alone decides. */
export type Wanted = readonly number[] | undefined;

const PROBLEM = 'application/problem+json';
/** Words only a stack or a path of ours would bring. */
const INSIDES = /\bat \S+ \(|node_modules|\.ts:\d/;

/** Every way in which an answer is not what it must be; none for a good one. */
export function faultsOf(operation: Operation, wanted: Wanted, answer: Answer, codes: Codes): string[] {
  const { status, type, text } = answer;
  const faults: string[] = [];
  if (status >= 500) faults.push(`${status} is our fault`);
  if (wanted !== undefined && !wanted.includes(status)) faults.push(`answered ${status}, not ${wanted.join(' or ')}`);
  const documented = operation.answer(status);
  if (documented === undefined) return [...faults, `${status} is not documented`];
  const media = type.split(';')[0] ?? '';
  if (text !== '' && documented[media] === undefined) faults.push(`${media || 'no media type'} is not documented`);
  if (status >= 400) return [...faults, ...problemFaults(operation, answer, media, codes)];
  const schema = documented[media];
  if (schema !== undefined && media === 'application/json' && !operation.description.accepts(schema, parsed(text)))
    faults.push(`the body of ${status} is not the documented one`);
  return faults;
}

/** Of an answer to what the description does not name at all: an address or a method. */
export function faultsElsewhere(operation: Operation, wanted: Wanted, answer: Answer, codes: Codes): string[] {
  const { status, type } = answer;
  const unwanted = wanted?.includes(status) === false ? [`answered ${status}, not ${wanted.join(' or ')}`] : [];
  if (status < 400) return unwanted;
  return [...unwanted, ...problemFaults(operation, answer, type.split(';')[0] ?? '', codes)];
}

function problemFaults({ description }: Operation, { status, text }: Answer, media: string, codes: Codes): string[] {
  if (media !== PROBLEM) return [`the error is ${media || 'nothing'}, not a problem document`];
  const problem = parsed(text);
  const faults: string[] = [];
  if (!description.accepts({ $ref: '#/components/schemas/Problem' }, problem)) faults.push('no valid problem document');
  const { code = '', status: said, type } = (problem ?? {}) as { code?: string; status?: number; type?: string };
  if (said !== status) faults.push(`says ${said} in a ${status}`);
  if (codes.get(code) !== status) faults.push(`${code || 'no code'} is not a ${status} of the reference`);
  if (type !== `urn:sealpost:error:${code}`) faults.push(`type ${type} is not that of its code`);
  if (INSIDES.test(text)) faults.push('shows its insides');
  return faults;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
