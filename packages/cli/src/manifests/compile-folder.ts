/** A folder of manifests (`*.yaml`) and Cedar policies (`*.cedar`, in any subfolder) as one compiled bundle. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileBundle } from '@sealpost/control/manifests';
import { type Bundle, type ErrorTable, errorsOf, type Organisation, type Timestamp } from '@sealpost/protocol';

const MANIFEST_ERRORS = {
  ERR_MANIFESTS_FOLDER: {
    kind: 'invalid',
    sentence: 'There are no manifests in that folder.',
    hint: 'Name a folder with *.yaml files; policies stand beside them as *.cedar.',
  },
  ERR_MANIFESTS_INVALID: {
    kind: 'invalid',
    sentence: 'The manifests do not compile.',
    hint: 'Correct the places named and check again with `sealpost manifests check DIR`.',
  },
} as const satisfies ErrorTable;
const manifestError = errorsOf(MANIFEST_ERRORS);

export interface CompileOptions {
  readonly organisation: Organisation;
  readonly version: number;
  readonly issued: Timestamp;
  readonly lifetime: number;
}

/** Throws ERR_MANIFESTS_INVALID whose details name file:line:column. */
export async function compileFolder(folder: string, options: CompileOptions): Promise<Bundle> {
  const manifests = textsOf(folder, '.yaml');
  if (manifests.length === 0)
    throw manifestError('ERR_MANIFESTS_FOLDER', { details: [{ pointer: folder, detail: 'holds no *.yaml' }] });
  const result = await compileBundle(manifests, textsOf(folder, '.cedar'), options);
  if (result.kind === 'ok') return result.bundle;
  const details = result.problems.map(({ file, line, column, pointer, detail }) => ({
    pointer: `${join(folder, file)}:${line}:${column}`,
    detail: `${pointer} ${detail}`.trim().slice(0, 300),
  }));
  throw manifestError('ERR_MANIFESTS_INVALID', { details });
}

/** Named relative to the folder: the signed bundle says nothing of where it was compiled. */
function textsOf(folder: string, ending: string): { file: string; text: string }[] {
  let names: string[];
  try {
    names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch (cause) {
    throw manifestError('ERR_MANIFESTS_FOLDER', { cause, details: [{ pointer: folder, detail: 'cannot be read' }] });
  }
  return names
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => ({ file: name, text: readFileSync(join(folder, name), 'utf8') }));
}
