import { hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import * as t from './src/index.ts';
import { logSigner } from './test/sample-log.ts';
const N = Number(process.argv[2] ?? 1_000_000);
const nodeSha = (b: Uint8Array) => hash('sha256', b, 'buffer') as Uint8Array;
const rec = (i: number) => `{"attempt":${i},"channel":"rcs","device":"dev-${i}","message":"msg-01J${i}","note":"${'x'.repeat(200)}","outcome":"delivered"}`;
const salt = (i: number) => { const s = new Uint8Array(32); new DataView(s.buffer).setUint32(0, i); return s; };
const enc = new TextEncoder();
const entry = (i: number) => { const record = rec(i), s = salt(i); const leaf = t.leafData({ kind: 'receipt/delivered', time: 1790000000000 + i, commitment: t.commitRecord(s, enc.encode(record), nodeSha) }); return { position: i, lane: i % 64, seq: Math.floor(i / 64), leaf, opening: { salt: s, record } }; };
let f = t.emptyFrontier; for (let i = 0; i < N; i++) f = t.appendLeaf(f, t.leafHash(entry(i).leaf, nodeSha), nodeSha);
const log = await logSigner(); const logKey = t.encodeVerifierKey(t.verifierKey(log.name, log.publicKey));
const checkpoint = await t.signNote(t.encodeCheckpoint({ origin: log.name, size: N, root: t.frontierRoot(f) }), log);
const out = createWriteStream('/tmp/tlogw/log.jsonl'); let a = performance.now(); let buf = '';
for await (const line of t.writeExport({ logKey, checkpoint, entries: (function* () { for (let i = 0; i < N; i++) yield entry(i); })() }, nodeSha)) { buf += line + '\n'; if (buf.length > 1 << 20) { if (!out.write(buf)) await once(out, 'drain'); buf = ''; } }
out.end(buf); await once(out, 'finish'); console.log('write s', ((performance.now() - a) / 1000).toFixed(2));
