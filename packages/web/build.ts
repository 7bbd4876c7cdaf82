/**
 * Builds the pages: one folder an app with `index.html`, `main.js`, `main.css`, and `inputs.json`, the list of what went
 * into it, for the walls. esbuild does both the servers' bundles and these, so one tool tells what reached where.
 */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

/** App → the title of its page; the entry is src/<app>/main.tsx. */
export const PAGES = {
  inbox: 'Sealpost inbox',
  console: 'Sealpost console',
  carrier: 'What the carrier sees',
  frame: 'Sealpost, live',
} as const;
export type PageName = keyof typeof PAGES;

const HERE = import.meta.dirname;
const ROOT = resolve(HERE, '../..');
/** What changes every page without being part of one. */
const OWN = ['packages/web/build.ts', 'package-lock.json'];

/** What one app was built from: each file and its fingerprint (size and time of change). */
type Inputs = Readonly<Record<string, string>>;

export interface BuiltPage {
  readonly name: PageName;
  /** Paths from the repository's root. */
  readonly inputs: readonly string[];
}

/** Writes every app below `out`; one whose inputs did not change since is left as it is. */
export function buildPages(out: string): Promise<BuiltPage[]> {
  const names = Object.keys(PAGES) as PageName[];
  return Promise.all(names.map((name) => buildPage(name, join(out, name))));
}

async function buildPage(name: PageName, folder: string): Promise<BuiltPage> {
  const before = knownInputs(folder);
  if (before !== undefined && unchanged(before))
    return { name, inputs: Object.keys(before).filter((path) => !OWN.includes(path)) };
  mkdirSync(folder, { recursive: true });
  const { metafile } = await build({
    entryPoints: { main: join(HERE, 'src', name, 'main.tsx') },
    outdir: folder,
    absWorkingDir: ROOT,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    jsx: 'automatic',
    legalComments: 'linked',
    loader: { '.woff2': 'file', '.svg': 'dataurl' },
    define: { 'process.env.NODE_ENV': '"production"' },
    metafile: true,
    logLevel: 'error',
  });
  const inputs = Object.keys(metafile.inputs).filter((path) => existsSync(join(ROOT, path)));
  const watched = [...inputs, ...OWN];
  writeFileSync(join(folder, 'index.html'), pageOf(PAGES[name]));
  const prints = Object.fromEntries(watched.map((path) => [path, fingerprint(path)]));
  writeFileSync(join(folder, 'inputs.json'), `${JSON.stringify(prints, null, 1)}\n`);
  return { name, inputs };
}

/** `{{nonce}}` is filled in with each answer, for the styles the component library adds as it runs. */
function pageOf(title: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="csp-nonce" content="{{nonce}}">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="main.css">
<script type="module" src="main.js"></script>
</head>
<body><div id="root"></div></body>
</html>
`;
}

function knownInputs(folder: string): Inputs | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'inputs.json'), 'utf8')) as Inputs;
  } catch {
    return undefined;
  }
}

function unchanged(inputs: Inputs): boolean {
  return (
    OWN.every((path) => path in inputs) && Object.entries(inputs).every(([path, print]) => print === fingerprint(path))
  );
}

function fingerprint(path: string): string {
  try {
    const { size, mtimeMs } = statSync(join(ROOT, path));
    return `${size} ${mtimeMs}`;
  } catch {
    return '';
  }
}
