/**
 * Names for policies: `file#id`, where the id is the policy's `@id` annotation or its number in the file, so that a
 * decision in the log leads to a line somebody wrote.
 */
import { policySetTextToParts, policyToJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { Bundle } from '@sealpost/protocol';

/** Policies by name. Files that do not parse are left out: they were refused before. */
export function annotatedPolicies(files: Bundle['policies']): Record<string, string> {
  const named: Record<string, string> = {};
  for (const file of files) {
    const parts = policySetTextToParts(file.text);
    if (parts.type === 'failure') continue;
    for (const [index, text] of parts.policies.entries()) {
      const id = `${file.name}#${annotationOf(text) ?? index}`;
      named[id in named ? `${id}-${index}` : id] = text;
    }
  }
  return named;
}

function annotationOf(text: string): string | undefined {
  const answer = policyToJson(text);
  return answer.type === 'success' ? (answer.json.annotations?.id ?? undefined) : undefined;
}
