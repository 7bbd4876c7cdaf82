/** A certificate whose time is over, made by `openssl`. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  readonly key: Buffer;
  readonly cert: Buffer;
}

export function expiredCertificate(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'sealpost-expired-'));
  try {
    const run = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key'];
    run('req', '-new', ...key, '-subj', '/CN=127.0.0.1', '-out', 'request');
    // Its time was over a day before it began.
    run('x509', '-req', '-in', 'request', '-signkey', 'key', '-days', '-1', '-out', 'cert');
    return { key: readFileSync(join(folder, 'key')), cert: readFileSync(join(folder, 'cert')) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
