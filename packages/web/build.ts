/**
 * Builds the pages: one folder an app with `index.html`, `main.js`, `main.css`, and `inputs.json`, the list of what went
 * into it, for the walls. esbuild does both the servers' bundles and these, so one tool tells what reached where.
 */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build, type Metafile } from 'esbuild';

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

/** Writes every app below `out`, in one run of the bundler, which reads what they share once; none when nothing changed. */
export async function buildPages(out: string): Promise<BuiltPage[]> {
  const names = Object.keys(PAGES) as PageName[];
  const before = names.map((name) => [name, knownInputs(join(out, name))] as const);
  if (before.every(([, inputs]) => inputs !== undefined && unchanged(inputs)))
    return before.map(([name, inputs]) => ({
      name,
      inputs: Object.keys(inputs ?? {}).filter((path) => !OWN.includes(path)),
    }));
  const { metafile } = await build({
    entryPoints: Object.fromEntries(names.map((name) => [`${name}/main`, join(HERE, 'src', name, 'main.tsx')])),
    outdir: out,
    absWorkingDir: ROOT,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    jsx: 'automatic',
    legalComments: 'linked',
    define: { 'process.env.NODE_ENV': '"production"' },
    metafile: true,
    logLevel: 'error',
  });
  return names.map((name) => {
    const folder = join(out, name);
    const inputs = inputsOf(name, metafile);
    writeFileSync(join(folder, 'index.html'), pageOf(PAGES[name]));
    const prints = Object.fromEntries([...inputs, ...OWN].map((path) => [path, fingerprint(path)]));
    writeFileSync(join(folder, 'inputs.json'), `${JSON.stringify(prints, null, 1)}\n`);
    return { name, inputs };
  });
}

/** Everything one page imports, whether it left something in the output or not: both walls and changes are about imports. */
function inputsOf(name: PageName, { inputs }: Metafile): string[] {
  const reached = new Set([`packages/web/src/${name}/main.tsx`]);
  for (const path of reached) for (const imported of inputs[path]?.imports ?? []) reached.add(imported.path);
  return [...reached].filter((path) => existsSync(join(ROOT, path)));
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
