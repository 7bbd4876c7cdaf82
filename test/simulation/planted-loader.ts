/**
 * Loads the code under simulation with a planted bug in it: every module of delivery, routing, the dispatcher and the model
 * is loaded a second time under the bug's name, and the bug's text takes the place of the real one. Nothing in the tree
 * knows of it, and nothing is written.
 */
import { registerHooks } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { PLANTED_BUGS, type PlantedBug } from './planted.ts';
import type { Code } from './world.ts';

const ROOT = new URL('../../', import.meta.url);
const UNDER_TEST =
  /\/(?:packages\/gateway\/src\/(?:modules\/(?:delivery|routing)|dispatcher)|test\/simulation)\/[a-z-]+\.ts$/;

let hooked = false;

export async function loadPlanted(bug: PlantedBug): Promise<Code> {
  if (!hooked) hook();
  hooked = true;
  const found = new Set<string>();
  loading.set(bug.name, found);
  const code: Code = await import(`${new URL('code.ts', import.meta.url).href}?planted=${bug.name}`);
  const missing = bug.replacements.filter(({ file }) => !found.has(file));
  if (missing.length > 0) throw new Error(`${bug.name}: ${missing[0]?.file} was never loaded`);
  return code;
}

/** Files a bug has been put into, by its name. */
const loading = new Map<string, Set<string>>();

function hook(): void {
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      const planted = plantedIn(context.parentURL);
      const taken = planted !== undefined && specifier.startsWith('.') && UNDER_TEST.test(resolved.url);
      return taken ? { ...resolved, url: `${resolved.url}?planted=${planted}` } : resolved;
    },
    load(url, context, next) {
      const loaded = next(url, context);
      const planted = plantedIn(url);
      const bug = PLANTED_BUGS.find(({ name }) => name === planted);
      if (bug === undefined || loaded.source == null) return loaded;
      const source = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source);
      return { ...loaded, source: withBug(bug, fileURLToPath(url), source) };
    },
  });
}

function plantedIn(url: string | undefined): string | undefined {
  return url === undefined ? undefined : (new URL(url, pathToFileURL('/')).searchParams.get('planted') ?? undefined);
}

function withBug(bug: PlantedBug, path: string, source: string): string {
  let text = source;
  for (const replacement of bug.replacements) {
    if (fileURLToPath(new URL(replacement.file, ROOT)) !== path) continue;
    const parts = text.split(replacement.text);
    if (parts.length !== 2)
      throw new Error(`${bug.name}: its text is ${parts.length - 1} times in ${replacement.file}`);
    text = parts.join(replacement.by);
    loading.get(bug.name)?.add(replacement.file);
  }
  return text;
}
