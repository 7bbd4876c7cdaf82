/** The demo's manifests as files of the operator's own, to read, change and apply again. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Copies `from` to `to` unless it is there, its port numbers moved from the default base to `portBase`; answers `to`. */
export function copyManifests(from: string, to: string, portBase: number): string {
  if (existsSync(to)) return to;
  for (const name of readdirSync(from, { recursive: true, encoding: 'utf8' })) {
    const source = join(from, name);
    if (!statSync(source).isFile()) continue;
    mkdirSync(dirname(join(to, name)), { recursive: true });
    writeFileSync(join(to, name), movePorts(readFileSync(source, 'utf8'), portBase));
  }
  return to;
}

function movePorts(text: string, portBase: number): string {
  return text.replace(/\b44(0[0-7])\b/g, (_port, offset: string) => String(portBase + Number(offset)));
}
