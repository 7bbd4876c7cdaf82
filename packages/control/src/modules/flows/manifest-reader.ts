/**
 * Reads manifest texts: YAML (several documents a file allowed), each checked against its kind's schema, every problem
 * with file, line and column of the node it is about. Unknown keys are problems, aliases are refused.
 */
import { type Manifest, manifestSchema } from '@sealpost/protocol';
import { type Document, isMap, isNode, LineCounter, parseAllDocuments } from 'yaml';

export interface ManifestProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** JSON pointer (RFC 6901) inside the document; empty for the whole. */
  readonly pointer: string;
  readonly detail: string;
}

export interface ManifestText {
  readonly file: string;
  readonly text: string;
}

export interface ReadManifest {
  readonly manifest: Manifest;
  /** A problem at the node nearest to `path`. */
  problem(path: readonly PropertyKey[], detail: string): ManifestProblem;
}

export function readManifests(texts: readonly ManifestText[]): {
  readonly manifests: readonly ReadManifest[];
  readonly problems: readonly ManifestProblem[];
} {
  const manifests: ReadManifest[] = [];
  const problems: ManifestProblem[] = [];
  for (const { file, text } of texts) {
    const lines = new LineCounter();
    for (const document of documentsOf(text, lines)) {
      const problemAt = problemMaker(file, document, lines);
      if (document.errors.length > 0)
        problems.push(...document.errors.map((error) => syntaxProblem(file, lines, error)));
      else if (document.contents !== null) readOne(document, problemAt, manifests, problems);
    }
  }
  return { manifests, problems };
}

function documentsOf(text: string, lines: LineCounter): readonly Document.Parsed[] {
  const documents = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true });
  return 'empty' in documents ? [] : documents;
}

function readOne(
  document: Document.Parsed,
  problem: ReadManifest['problem'],
  manifests: ReadManifest[],
  problems: ManifestProblem[],
): void {
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 0 });
  } catch {
    problems.push(problem([], 'aliases are not allowed: write the value out'));
    return;
  }
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) {
    manifests.push({ manifest: parsed.data, problem });
    return;
  }
  for (const issue of parsed.error.issues) {
    const keys = issue.code === 'unrecognized_keys' ? issue.keys : [];
    if (keys.length === 0) problems.push(problem(issue.path, issue.message));
    for (const key of keys) problems.push(problem([...issue.path, key], `unknown key: ${key}`));
  }
}

function problemMaker(file: string, document: Document.Parsed, lines: LineCounter): ReadManifest['problem'] {
  return (path, detail) => {
    const { line, col } = lines.linePos(offsetOf(document, path, detail.startsWith('unknown key')));
    const pointer = path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
    return { file, line, column: col, pointer, detail: detail.slice(0, 300) };
  };
}

/** The key itself when its value is no part of the manifest, else the nearest node. */
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[], ofKey: boolean): number {
  const parent: unknown = ofKey ? document.getIn(path.slice(0, -1), true) : undefined;
  for (const pair of isMap(parent) ? parent.items : []) {
    if (isNode(pair.key) && pair.key.toString() === path.at(-1) && hasRange(pair.key)) return pair.key.range[0];
  }
  for (let depth = path.length; depth > 0; depth--) {
    const node: unknown = document.getIn(path.slice(0, depth), true);
    if (hasRange(node)) return node.range[0];
  }
  return document.contents?.range[0] ?? document.range[0];
}

function hasRange(node: unknown): node is { readonly range: readonly [number, number, number] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range);
}

function syntaxProblem(
  file: string,
  lines: LineCounter,
  error: { readonly pos: readonly [number, number]; readonly code: string },
): ManifestProblem {
  const { line, col } = lines.linePos(error.pos[0]);
  return { file, line, column: col, pointer: '', detail: error.code.toLowerCase().replaceAll('_', ' ') };
}
