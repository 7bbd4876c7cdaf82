/**
 * Strict validation of a bundle's Cedar policies, each file by itself so that a place can be named. What does not
 * validate is never loaded: Cedar would skip a policy that fails at run time, and a skipped `forbid` allows.
 */
import { type DetailedError, policySetTextToParts, validate } from '@cedar-policy/cedar-wasm/nodejs';
import type { Bundle } from '@sealpost/protocol';
import { CEDAR_SCHEMA } from './cedar-schema.ts';

export type PolicyFile = Bundle['policies'][number];

export interface PolicyProblem {
  readonly file: string;
  /** Byte offset in the file's text. */
  readonly offset: number;
  readonly detail: string;
}

export function checkPolicies(files: readonly PolicyFile[]): PolicyProblem[] {
  return files.flatMap(checkFile);
}

function checkFile(file: PolicyFile): PolicyProblem[] {
  const parts = policySetTextToParts(file.text);
  if (parts.type === 'failure') return parts.errors.map((error) => problem(file, error));
  if (parts.policy_templates.length > 0) {
    return [{ file: file.name, offset: 0, detail: 'templates are not used: write the policy out' }];
  }
  const answer = validate({
    validationSettings: { mode: 'strict' },
    schema: CEDAR_SCHEMA,
    policies: { staticPolicies: file.text },
  });
  if (answer.type === 'failure') return answer.errors.map((error) => problem(file, error));
  // A policy that can never apply is a warning to Cedar; to whoever relies on its `forbid` it is an error.
  const impossible = answer.validationWarnings.filter(({ error }) => /impossible|always false/i.test(error.message));
  return [...answer.validationErrors, ...impossible].map(({ error }) => problem(file, error));
}

function problem(file: PolicyFile, error: DetailedError): PolicyProblem {
  const detail = error.help === null ? error.message : `${error.message} (${error.help})`;
  return { file: file.name, offset: error.sourceLocations?.[0]?.start ?? 0, detail: detail.slice(0, 300) };
}
