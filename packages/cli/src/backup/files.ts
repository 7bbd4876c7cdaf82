/** The public files and the certificate of a zone, as far as they are there. */
import { existsSync } from 'node:fs';
import type { FileName } from './contents-schema.ts';
import type { Place } from './place.ts';

const NAMES = ['trust', 'root', 'certificate', 'certificate-key', 'certificate-ca'] as const;

export function filesOf({ files }: Place): [FileName, string][] {
  return NAMES.flatMap((name) => {
    const path = files[name];
    return path !== undefined && existsSync(path) ? [[name, path] satisfies [FileName, string]] : [];
  });
}
