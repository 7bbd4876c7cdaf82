/**
 * `npm run deps`: the dependency rules, checked on every import (types included) of the tree as it stands; then the same
 * check on a copy in which each rule is broken once on purpose, to prove that the check can fail.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { cruise, type IForbiddenRuleType, type IViolation } from 'dependency-cruiser';
import { MODULES, PACKAGES, WALLS } from './architecture.ts';
import { PLANTED } from './planted.ts';

const root = resolve(import.meta.dirname, '..');
const quote = (path: string) => path.replaceAll('.', '\\.');

function rules(): IForbiddenRuleType[] {
  const list: IForbiddenRuleType[] = [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'package-door',
      severity: 'error',
      from: { path: '^packages/([^/]+)/' },
      to: { path: '^packages/([^/]+)/test/', pathNot: '^packages/$1/' },
    },
  ];
  for (const [name, allowed] of Object.entries(PACKAGES)) {
    list.push({
      name: `package-${name}`,
      severity: 'error',
      from: { path: `^packages/${name}/src/` },
      to: { path: '^packages/', pathNot: [name, ...allowed].map((other) => `^packages/${other}/`) },
    });
  }
  for (const [name, modules] of Object.entries(MODULES)) {
    const folder = `^packages/${name}/src/modules/`;
    list.push({
      name: `${name}-module-door`,
      severity: 'error',
      from: { path: `${folder}([^/]+)/` },
      to: { path: `${folder}[^/]+/.+`, pathNot: [`${folder}$1/`, `${folder}[^/]+/index\\.ts$`] },
    });
    list.push({
      name: `${name}-app-only`,
      severity: 'error',
      from: { path: `^packages/${name}/src/(?!modules/|app\\.ts)` },
      to: { path: `${folder}[^/]+/(?!index\\.ts)` },
    });
    for (const [index, module] of modules.entries()) {
      const right = modules.slice(index + 1);
      if (right.length > 0)
        list.push({
          name: `${name}-order-${module}`,
          severity: 'error',
          from: { path: `${folder}${module}/` },
          to: { path: `${folder}(${right.join('|')})/` },
        });
    }
  }
  for (const wall of WALLS) {
    list.push({
      name: wall.name,
      comment: wall.why,
      severity: 'error',
      from: { path: `^${quote(wall.from)}$` },
      to: { path: wall.to.map((path) => `^${quote(path)}`), reachable: true },
    });
  }
  return list;
}

async function check(folder: string): Promise<{ modules: number; violations: readonly IViolation[] }> {
  const sources = Object.keys(PACKAGES)
    .map((name) => `packages/${name}/src`)
    .filter((path) => existsSync(join(folder, path)));
  const { output } = await cruise(
    sources,
    {
      baseDir: folder,
      ruleSet: { forbidden: rules() },
      validate: true,
      tsPreCompilationDeps: true,
      doNotFollow: { path: 'node_modules' },
      exclude: { path: '(^|/)(dist|test)/' },
    },
    {
      exportsFields: ['exports'],
      conditionNames: ['node', 'import', 'types', 'default'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.json'],
    },
  );
  if (typeof output === 'string') throw new TypeError('dependency-cruiser answered text where a result was asked for');
  return {
    modules: output.modules.filter((module) => module.source.startsWith('packages/')).length,
    violations: output.summary.violations,
  };
}

/** The sources in a temporary folder, workspace links pointing into it, each planted violation added. */
function plant(): string {
  const copy = mkdtempSync(join(tmpdir(), 'sealpost-planted-'));
  for (const name of Object.keys(PACKAGES)) {
    for (const part of ['src', 'package.json'])
      cpSync(join(root, 'packages', name, part), join(copy, 'packages', name, part), { recursive: true });
  }
  mkdirSync(join(copy, 'node_modules/@sealpost'), { recursive: true });
  for (const entry of readdirSync(join(root, 'node_modules'))) {
    if (entry !== '@sealpost') symlinkSync(join(root, 'node_modules', entry), join(copy, 'node_modules', entry));
  }
  for (const name of Object.keys(PACKAGES))
    symlinkSync(join(copy, 'packages', name), join(copy, 'node_modules/@sealpost', name));
  for (const { file, text } of PLANTED) {
    const path = join(copy, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${existsSync(path) ? readFileSync(path, 'utf8') : ''}\n${text}\n`);
  }
  return copy;
}

const { modules, violations } = await check(root);
for (const violation of violations) console.error(`${violation.rule.name}: ${violation.from} → ${violation.to}`);
if (modules < 50) console.error(`only ${modules} modules were seen: the check is blind`);

const copy = plant();
let missed: string[];
try {
  const broken = await check(copy);
  const caught = new Set(broken.violations.map((violation) => violation.rule.name));
  const planted = new Set(PLANTED.map(({ rule }) => rule));
  missed = [
    ...PLANTED.map(({ rule }) => rule).filter((rule) => !caught.has(rule)),
    ...WALLS.map((wall) => wall.name).filter((name) => !planted.has(name)),
  ];
} finally {
  rmSync(copy, { recursive: true, force: true });
}
for (const rule of missed) console.error(`planted violation of ${rule} was not caught, or none is planted`);
if (violations.length > 0 || modules < 50 || missed.length > 0) process.exit(1);
console.log(`dependency rules hold: ${modules} modules, ${PLANTED.length} planted violations all caught`);
