/**
 * A whole export: written, verified, searched; and what an exporter who rewrites checksums still cannot change.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type ExportEntry,
  encodeVerifierKey,
  findEntry,
  leafData,
  leafHash,
  parseLeafData,
  portableSha256,
  type Sha256,
  verifierKey,
  verifyExport,
  verifyInclusion,
  verifyReceiptInclusion,
  writeExport,
} from '../src/index.ts';
import { collect, type SampleLog, sampleEntry, sampleLog, signerFrom, toHex } from './sample-log.ts';

type Fields = Record<string, unknown>;
let log: SampleLog;

beforeAll(async () => {
  log = await sampleLog(600);
});

/** The lines with some members of one line replaced, in canonical form again. */
function rewrite(lines: readonly string[], at: number, change: (fields: Fields) => Fields): string[] {
  const fields = Object.entries(change(JSON.parse(lines[at]!) as Fields)).filter(([, value]) => value !== undefined);
  fields.sort(([a], [b]) => (a < b ? -1 : 1));
  return lines.with(at, JSON.stringify(Object.fromEntries(fields)));
}

/** Line index of an entry: a header before it and a block line after every 256. */
const lineOf = (position: number) => 1 + position + Math.floor(position / 256);

describe('an export', () => {
  test('verifies at every size around a block', async () => {
    for (const size of [0, 1, 2, 255, 256, 257, 512, 513]) {
      const { lines, logKey, checkpoint } = await sampleLog(size);
      expect(lines).toHaveLength(2 + size + Math.ceil(size / 256));
      expect(await verifyExport(lines, { logKey })).toMatchObject({ kind: 'ok', size, checkpoint, cosignedBy: [] });
    }
  });

  test('tells root, witnesses and the number of erased records', async () => {
    const verdict = await verifyExport(log.lines, { logKey: log.logKey, witnessKeys: [log.witnessKey] });
    expect(verdict).toMatchObject({
      kind: 'ok',
      origin: 'log.example/shard-0',
      erased: 120,
      cosignedBy: [{ name: 'control.example/w', time: 1_790_000_100 }],
    });
    expect(verdict.kind === 'ok' && toHex(verdict.root)).toBe(
      'fa1ad9de656b0e8b73e985871e2cd4be710b0745b257c809721c9d8fb4badcd9',
    );
  });

  test('is verified with the hash function that was passed in', async () => {
    let calls = 0;
    const counted: Sha256 = (bytes) => {
      calls += 1;
      return portableSha256(bytes);
    };
    expect(await verifyExport(log.lines, { logKey: log.logKey, sha256: counted })).toMatchObject({ kind: 'ok' });
    // Per entry: leaf and about one node; the record too where it is not erased.
    expect(calls).toBeGreaterThan(2 * 600 + 480 - 10);
  });

  test('of another log is refused at its first line', async () => {
    const other = await signerFrom('log.example/shard-0', new Uint8Array(32).fill(9));
    const logKey = encodeVerifierKey(verifierKey(other.name, other.publicKey));
    const verdict = await verifyExport(log.lines, { logKey });
    expect(verdict).toMatchObject({ kind: 'failed', code: 'ERR_TLOG_HEADER', line: 1 });
    const relabelled = (await sampleLog(3)).lines.with(0, (await sampleLog(4)).lines[0]!);
    expect(await verifyExport(relabelled, { logKey: log.logKey })).toMatchObject({ kind: 'failed' });
  });

  test('is not verified with a key string that is none, or that is of another type', async () => {
    await expect(verifyExport(log.lines, { logKey: 'nonsense' })).rejects.toThrow(/verifier key/);
    await expect(verifyExport(log.lines, { logKey: log.witnessKey })).rejects.toThrow(/verifier key/);
    await expect(verifyExport(log.lines, { logKey: log.logKey, witnessKeys: [log.logKey] })).rejects.toThrow(/key/);
  });

  test('fails when it ends early, and names the entry that is missing', async () => {
    for (const length of [0, 1, 2, 100, 256, 257, 258, 259, 514, 515, 602, 603, 604]) {
      const verdict = await verifyExport(log.lines.slice(0, length), { logKey: log.logKey });
      if (verdict.kind !== 'failed' || verdict.code !== 'ERR_TLOG_END') expect.fail(`${length} lines`);
    }
    const cut = await verifyExport(log.lines.slice(0, lineOf(300)), { logKey: log.logKey });
    expect(cut).toMatchObject({ entry: 300, line: lineOf(300) + 1 });
    expect(await verifyExport([...log.lines, ''], { logKey: log.logKey })).toMatchObject({ code: 'ERR_TLOG_END' });
  });

  test('fails when an entry is left out, doubled or moved', async () => {
    const at = lineOf(40);
    const swapped = log.lines.with(at, log.lines[at + 1]!).with(at + 1, log.lines[at]!);
    for (const lines of [log.lines.toSpliced(at, 1), log.lines.toSpliced(at, 0, log.lines[at - 1]!), swapped]) {
      expect(await verifyExport(lines, { logKey: log.logKey })).toMatchObject({ code: 'ERR_TLOG_POSITION', entry: 40 });
    }
  });
});

describe('an exporter who rewrites checksums', () => {
  test('cannot change a record or its salt', async () => {
    const lines = rewrite(log.lines, lineOf(41), (fields) => ({ ...fields, record: '{"to":"mallory"}' }));
    expect(await verifyExport(lines, { logKey: log.logKey })).toMatchObject({ code: 'ERR_TLOG_RECORD', entry: 41 });
  });

  test('cannot change the leaf of an erased entry: the block is named, or else the root fails', async () => {
    const parsed = parseLeafData(log.entries[302]!.leaf);
    if (parsed.kind === 'malformed') expect.fail(parsed.reason);
    const leaf = leafData({ ...parsed.leaf, kind: 'receipt/failed' });
    const lines = rewrite(log.lines, lineOf(302), (fields) => ({
      ...fields,
      leaf: btoa(String.fromCharCode(...leaf)),
      leafHash: btoa(String.fromCharCode(...leafHash(leaf))),
    }));
    const verdict = await verifyExport(lines, { logKey: log.logKey });
    expect(verdict).toMatchObject({ code: 'ERR_TLOG_BLOCK', block: { index: 1, first: 256, last: 511 } });

    const change = (entry: ExportEntry) => (entry.position === 302 ? { ...entry, leaf } : entry);
    const forged = (await sampleLog(600, change)).lines.with(-1, log.lines.at(-1)!);
    expect(await verifyExport(forged, { logKey: log.logKey })).toMatchObject({ code: 'ERR_TLOG_ROOT' });
  });

  test('cannot swap a lone surrogate for the replacement character it would be hashed as', async () => {
    const lines = rewrite(log.lines, lineOf(3), (fields) => ({ ...fields, record: '{"a":"\ud800"}' }));
    expect(await verifyExport(lines, { logKey: log.logKey })).toMatchObject({ code: 'ERR_TLOG_LINE', entry: 3 });
  });

  test('cannot add a member to a line', async () => {
    for (const at of [0, lineOf(5), lineOf(255) + 1, log.lines.length - 1]) {
      const lines = rewrite(log.lines, at, (fields) => ({ ...fields, zebra: 1 }));
      expect(await verifyExport(lines, { logKey: log.logKey })).toMatchObject({ kind: 'failed', line: at + 1 });
    }
  });

  test('can drop a record only openly: it then counts as erased', async () => {
    const openly = rewrite(log.lines, lineOf(0), ({ salt: _, record: __, ...fields }) => ({ ...fields, erased: true }));
    expect(await verifyExport(openly, { logKey: log.logKey })).toMatchObject({ kind: 'ok', erased: 121 });
    const silently = rewrite(log.lines, lineOf(0), ({ salt: _, record: __, ...fields }) => fields);
    expect(await verifyExport(silently, { logKey: log.logKey })).toMatchObject({ code: 'ERR_TLOG_LINE', entry: 0 });
  });
});

describe('writing', () => {
  const sourceOf = (entries: readonly ExportEntry[]) => ({ logKey: log.logKey, checkpoint: log.checkpoint, entries });

  test('stops at an entry that is missing, out of order or beyond the checkpoint', async () => {
    const more = [...log.entries, sampleEntry(600)];
    for (const entries of [log.entries.slice(0, -1), log.entries.toSpliced(3, 1), more]) {
      await expect(collect(writeExport(sourceOf(entries)))).rejects.toMatchObject({
        code: 'ERR_TLOG_POSITION',
      });
    }
  });

  test('stops at a record that does not open its leaf and at a leaf that is none', async () => {
    const [first, second] = [log.entries[0]!, log.entries[1]!];
    const record = log.entries.with(0, { ...first, opening: second.opening! });
    await expect(collect(writeExport(sourceOf(record)))).rejects.toMatchObject({ code: 'ERR_TLOG_RECORD' });
    const leaf = log.entries.with(0, { ...first, leaf: Uint8Array.of(1) });
    await expect(collect(writeExport(sourceOf(leaf)))).rejects.toMatchObject({ code: 'ERR_TLOG_LEAF' });
  });

  test('stops before the end line when the leaves are not those of the checkpoint', async () => {
    const entries = log.entries.with(2, { ...log.entries[2]!, leaf: log.entries[7]!.leaf });
    await expect(collect(writeExport(sourceOf(entries)))).rejects.toMatchObject({ code: 'ERR_TLOG_ROOT' });
  });
});

describe('a search', () => {
  test('gives a proof for every entry of logs of several sizes', async () => {
    for (const size of [1, 2, 7, 64, 100]) {
      const { lines, logKey, leafHashes } = await sampleLog(size);
      for (const [index, hash] of leafHashes.entries()) {
        const verdict = await verifyReceiptInclusion(lines, hash, { logKey });
        if (verdict.kind !== 'found') expect.fail(`${index} of ${size}: ${verdict.kind}`);
        const { proof, export: checked } = verdict;
        expect(verdict.entry.position).toBe(index);
        expect(verifyInclusion({ leafHash: hash, index, size, proof, root: checked.root })).toBe(true);
      }
    }
  });

  test('finds by what a record says', async () => {
    const verdict = await findEntry(log.lines, ({ record }) => record?.includes('device-411"') ?? false, log);
    expect(verdict).toMatchObject({
      kind: 'found',
      entry: { position: 411, lane: 0, leaf: { kind: 'receipt/delivered' } },
    });
  });

  test('says absent only of an export that is right', async () => {
    const absent = new Uint8Array(32);
    expect(await verifyReceiptInclusion(log.lines, absent, log)).toMatchObject({
      kind: 'absent',
      export: { size: 600 },
    });
    const cut = log.lines.slice(0, -1);
    expect(await verifyReceiptInclusion(cut, absent, log)).toMatchObject({ kind: 'failed', code: 'ERR_TLOG_END' });
  });
});
