/** Evidence for one entry: it holds as the log gave it, and with any one thing changed it does not. */
import { expect, test } from 'vitest';
import {
  appendSignature,
  commitRecord,
  cosignatureLine,
  encodeCheckpoint,
  inclusionProof,
  leafData,
  leafHash,
  parseVerifierKey,
  readerFromLeaves,
  rootOf,
  signNote,
  type VerifierKey,
  verifyEvidence,
} from '../src/index.ts';
import { base64, bytesOf, logSigner, sampleLog, signerFrom, witnessSigner } from './sample-log.ts';

const SIZE = 13;
const AT = 6;
const record = '{"at":1790000000006,"kind":"receipt.device"}';
const event = { kind: 'receipt.device', at: 1_790_000_000_006 };
const salt = Uint8Array.from({ length: 32 }, (_, i) => i);

function url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

function keyOf(text: string): VerifierKey {
  const parsed = parseVerifierKey(text);
  if (parsed.kind !== 'parsed') throw new Error(parsed.reason);
  return parsed.key;
}

async function evidenceOf() {
  const { entries, logKey, witnessKey } = await sampleLog(SIZE);
  const leaf = leafData({ kind: event.kind, time: event.at, commitment: commitRecord(salt, bytesOf(record)) });
  const hashes = entries.map((entry, i) => leafHash(i === AT ? leaf : entry.leaf));
  const path = await inclusionProof(AT, SIZE, readerFromLeaves(hashes));
  const log = await logSigner();
  const note = await signNote(encodeCheckpoint({ origin: log.name, size: SIZE, root: rootOf(hashes) }), log);
  const checkpoint = appendSignature(note, await cosignatureLine(note, await witnessSigner(), 1_790_000_100));
  const keys = { logKey: keyOf(logKey), witnessKeys: [keyOf(witnessKey)] };
  const evidence = {
    record,
    salt: url(salt),
    leaf: url(leaf),
    position: AT,
    size: SIZE,
    path: path.map(url),
    checkpoint,
  };
  return { evidence, keys, note };
}

const flipped = (text: string, at: number) =>
  `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;

test('an entry is proved by its record, salt, leaf, path and checkpoint, and the witness that cosigned is named', async () => {
  const { evidence, keys } = await evidenceOf();
  const verdict = await verifyEvidence(evidence, event, keys);
  expect(verdict).toMatchObject({ kind: 'proved', position: AT, cosignedBy: [{ time: 1_790_000_100 }] });
});

test('a checkpoint without the witness’s line proves the entry all the same, and names no witness', async () => {
  const { evidence, keys, note } = await evidenceOf();
  expect(await verifyEvidence({ ...evidence, checkpoint: note }, event, keys)).toMatchObject({
    kind: 'proved',
    cosignedBy: [],
  });
});

test.each([
  ['a record with one byte changed', { record: record.replace('device', 'devicf') }, 'leaf'],
  ['another salt', { salt: url(salt.map((byte) => byte ^ 1)) }, 'leaf'],
  ['a salt cut short', { salt: url(salt.slice(1)) }, 'leaf'],
  ['a salt that is no base64url', { salt: '+'.repeat(43) }, 'leaf'],
  ['a leaf that is not one', { leaf: 'AAAA' }, 'leaf'],
  ['another position', { position: AT + 1 }, 'inclusion'],
  ['a position outside the tree', { position: SIZE }, 'inclusion'],
  ['a size that is not the checkpoint’s', { size: SIZE + 1 }, 'checkpoint'],
  ['no path', { path: [] }, 'inclusion'],
  ['a path of something else', { path: ['!', '', 'AAAA'] }, 'inclusion'],
  ['no checkpoint', { checkpoint: '' }, 'checkpoint'],
] as const)('%s is refused', async (_what, change, reason) => {
  const { evidence, keys } = await evidenceOf();
  expect(await verifyEvidence({ ...evidence, ...change }, event, keys)).toEqual({ kind: 'refused', reason });
});

test('each hash of the path counts', async () => {
  const { evidence, keys } = await evidenceOf();
  for (const at of evidence.path.keys()) {
    const path = evidence.path.map((hash, index) => (index === at ? flipped(hash, 3) : hash));
    expect(await verifyEvidence({ ...evidence, path }, event, keys)).toEqual({ kind: 'refused', reason: 'inclusion' });
  }
});

test('a leaf that says another kind or another time than its record is refused', async () => {
  const { evidence, keys } = await evidenceOf();
  for (const other of [
    { ...event, kind: 'message.ended' },
    { ...event, at: event.at + 1 },
  ])
    expect(await verifyEvidence(evidence, other, keys)).toEqual({ kind: 'refused', reason: 'leaf' });
});

test('a checkpoint of another log, and one whose witness’s signature is wrong, are refused', async () => {
  const { evidence, keys, note } = await evidenceOf();
  const stranger = await signerFrom(keys.logKey.name, new Uint8Array(32).fill(9));
  const other = { ...keys.logKey, publicKey: stranger.publicKey };
  const refused = { kind: 'refused', reason: 'checkpoint' };
  expect(await verifyEvidence(evidence, event, { ...keys, logKey: other })).toEqual(refused);
  const line = await cosignatureLine(note, await witnessSigner(), 1_790_000_100);
  const broken = base64(line.trim().split(' ').at(-1) ?? '').map((byte, i) => (i > 20 ? byte ^ 1 : byte));
  const wrong = line.replace(/\S+\n$/, `${btoa(String.fromCharCode(...broken))}\n`);
  const checkpoint = appendSignature(note, wrong);
  expect(await verifyEvidence({ ...evidence, checkpoint }, event, keys)).toEqual(refused);
});
