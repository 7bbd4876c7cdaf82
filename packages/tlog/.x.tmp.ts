import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { logSigner } from './test/sample-log.ts';
import * as t from './src/index.ts';
const nodeSha = (b: Uint8Array) => hash('sha256', b, 'buffer') as Uint8Array;
const log = await logSigner(); const logKey = t.encodeVerifierKey(t.verifierKey(log.name, log.publicKey));
const bytes = readFileSync('/tmp/tlogw/log.jsonl'); const chunks: Uint8Array[] = []; for (let i = 0; i < bytes.length; i += 1 << 18) chunks.push(bytes.subarray(i, i + (1 << 18)));
for (let r = 0; r < 4; r++) for (const [n, s] of [['node', nodeSha], ['noble', t.portableSha256]] as const) { let c = process.cpuUsage(); let a = performance.now(); const v = await t.verifyExport(t.linesOf(chunks), { logKey, sha256: s }); c = process.cpuUsage(c); console.log(n, v.kind, 'us/entry cpu', (c.user + c.system) / 2e5, 'wall', (performance.now() - a) / 200);
  const x = new Uint8Array(170); a = performance.now(); for (let i = 0; i < 100000; i++) { x[0] = i; s(x); } console.log('  hash170', ((performance.now() - a) / 100).toFixed(2)); }
