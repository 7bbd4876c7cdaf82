/**
 * Configuration: one YAML file a deployable, read once, unknown keys fatal, errors with file, line and column. Secrets
 * appear only as paths to files. A schema's `.describe()` texts are the reference page.
 */
import { readFileSync } from 'node:fs';
import { type ErrorTable, errorsOf } from '@sealpost/protocol';
import { isMap, isNode, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import type { z } from 'zod';

export const CONFIG_ERRORS = {
  ERR_CONFIG_UNREADABLE: {
    kind: 'invalid',
    sentence: 'The configuration file cannot be read.',
    hint: 'Check the path and its permissions, or make one with `sealpost config init`.',
  },
  ERR_CONFIG_INVALID: {
    kind: 'invalid',
    sentence: 'The configuration is not valid.',
    hint: 'Correct the places named; `sealpost config check` reads the file again.',
  },
} as const satisfies ErrorTable;
const configError = errorsOf(CONFIG_ERRORS);

/** Reads and checks `path`. Throws SealpostError whose details name file:line:column and what belongs there. */
export function loadConfig<Schema extends z.ZodType>(schema: Schema, path: string): z.output<Schema> {
  return parseConfig(schema, readText(path), path);
}

export function parseConfig<Schema extends z.ZodType>(schema: Schema, text: string, path: string): z.output<Schema> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    throw configError('ERR_CONFIG_INVALID', {
      details: document.errors.map((error) => ({
        pointer: at(error.pos[0]),
        detail: error.code.toLowerCase().replaceAll('_', ' '),
      })),
    });
  }
  const aliases = aliasesOf(document);
  if (aliases.length > 0) {
    throw configError('ERR_CONFIG_INVALID', {
      details: aliases.map((offset) => ({ pointer: at(offset), detail: 'aliases are not taken' })),
    });
  }
  const parsed = schema.safeParse(document.toJS({ maxAliasCount: 0 }) ?? {});
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.flatMap((issue) => {
    const unknown = issue.code === 'unrecognized_keys' ? issue.keys : [];
    const nodes =
      unknown.length === 0
        ? [{ node: nearestNode(document, issue.path), message: issue.message }]
        : unknown.map((key) => ({
            node: keyNode(document, issue.path, key),
            message: `Unrecognized key: ${JSON.stringify(key)}`,
          }));
    return nodes.map(({ node, message }) => ({
      pointer: at((isNode(node) ? node.range : undefined)?.[0] ?? 0),
      detail: `/${issue.path.map(String).join('/')}: ${message}`.slice(0, 300),
    }));
  });
  throw configError('ERR_CONFIG_INVALID', { details });
}

/** Where the file refers to an anchor; a few nested ones can stand for gigabytes. */
function aliasesOf(document: ReturnType<typeof parseDocument>): number[] {
  const offsets: number[] = [];
  visit(document, { Alias: (_key, node) => void offsets.push(node.range?.[0] ?? 0) });
  return offsets;
}

/** The key itself, whose line an unknown member is reported at. */
function keyNode(document: ReturnType<typeof parseDocument>, path: readonly PropertyKey[], name: string): unknown {
  const map = path.length === 0 ? document.contents : document.getIn(path, true);
  if (!isMap(map)) return map;
  return map.items.find(({ key }) => isScalar(key) && key.value === name)?.key ?? map;
}

function nearestNode(document: ReturnType<typeof parseDocument>, path: readonly PropertyKey[]): unknown {
  for (let depth = path.length; depth >= 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true);
    if (node !== undefined) return node;
  }
  return document.contents;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw configError('ERR_CONFIG_UNREADABLE', {
      cause,
      details: [{ pointer: path, detail: (cause as NodeJS.ErrnoException).code ?? 'unreadable' }],
    });
  }
}
