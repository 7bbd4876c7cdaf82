import { hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { logSigner } from './test/sample-log.ts';
import * as t from './src/index.ts';
const nodeSha = (b: Uint8Array) => hash('sha256', b, 'buffer') as Uint8Array;
const log = await logSigner(); const logKey = t.encodeVerifierKey(t.verifierKey(log.name, log.publicKey));
const c0 = process.cpuUsage(); const a = performance.now();
const v = await t.verifyExport(t.linesOf(createReadStream('/tmp/tlogw/log.jsonl', { highWaterMark: 1 << 18 })), { logKey, ...(process.argv[2] === 'node' ? { sha256: nodeSha } : {}) });
const c = process.cpuUsage(c0); console.log(process.argv[2], v.kind, ((performance.now() - a) / 1000).toFixed(2), 's wall', c.user / 1e6, c.system / 1e6, 'rss', process.memoryUsage().rss / 1e6);
