/** The sequencer: one tree whatever happens to the processes that build it, its head young, its proofs good. */
import { createHash } from 'node:crypto';
import { fromBase64url } from '@sealpost/protocol';
import {
  commitRecord,
  consistencyProof,
  cosignatureLine,
  leafHash,
  linesOf,
  openCheckpoint,
  parseLeafData,
  readerFromLeaves,
  verifyConsistency,
  verifyExport,
  verifyInclusion,
} from '@sealpost/tlog';
import { expect, test } from 'vitest';
import { entryNumber } from '../support/events.ts';
import { createLogBench, type LogBench } from '../support/gateway-log.ts';

const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest());

/** Every sequenced event with its position. */
const PLACES =
  '(SELECT r.lane, r.first_seq + n AS seq, r.position + n AS position FROM log_run r, generate_series(0, r.count - 1) AS n) p';

async function appendMany(bench: LogBench, from: number, count: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, at) => from + at);
  await bench.database.transaction((tx) => bench.log.append(tx, numbers.map(entryNumber)));
}

async function headOf({ log, organisation }: LogBench) {
  const opened = await openCheckpoint(log.checkpoint()!, { logKey: organisation.logKey });
  if (opened.kind === 'rejected') throw new Error(opened.code);
  return opened.checkpoint;
}

async function leavesOf({ database }: LogBench): Promise<Uint8Array[]> {
  const rows = await database.query<{ leaf_hash: Uint8Array }>(
    't-leaves',
    `SELECT e.leaf_hash FROM ${PLACES} JOIN lane_event e USING (lane, seq) ORDER BY p.position`,
  );
  return rows.map(({ leaf_hash }) => new Uint8Array(leaf_hash));
}

test('every event appended before settling is in the tree once, in the order of its lane', async () => {
  await using bench = await createLogBench();
  await appendMany(bench, 0, 700);
  await appendMany(bench, 700, 300);
  await bench.log.settle();
  const rows = await bench.database.query<{ lane: number; seq: number; position: number }>(
    't',
    `SELECT * FROM ${PLACES} ORDER BY position`,
  );
  expect(rows.map(({ position }) => position)).toEqual(rows.map((_, at) => at));
  expect(rows).toHaveLength(1000);
  const last = new Map<number, number>();
  for (const { lane, seq } of rows) {
    expect(seq).toBe((last.get(lane) ?? 0) + 1);
    last.set(lane, seq);
  }
  expect((await headOf(bench)).size).toBe(1000);
});

test('each event of a tree of many tiles has evidence that verifies against the signed head', async () => {
  await using bench = await createLogBench();
  await appendMany(bench, 0, 600);
  await bench.log.settle();
  for (const number of [0, 1, 255, 256, 599]) {
    const { laneKey, event } = entryNumber(number);
    const lane = bench.log.laneOf(laneKey);
    const found = (await bench.log.read(bench.database, lane, 0, 100)).find((one) =>
      JSON.stringify(one.event).includes(laneKey),
    );
    const evidence = await bench.log.evidence({ lane, sequence: found!.sequence });
    const opened = await openCheckpoint(evidence!.checkpoint, { logKey: bench.organisation.logKey });
    if (opened.kind === 'rejected') throw new Error(opened.code);
    const leaf = fromBase64url(evidence!.leaf)!;
    const proof = evidence!.path.map((hash) => fromBase64url(hash)!);
    const { position: index, size } = evidence!;
    expect(verifyInclusion({ leafHash: leafHash(leaf), index, size, proof, root: opened.checkpoint.root })).toBe(true);
    const parsed = parseLeafData(leaf);
    const commitment = commitRecord(fromBase64url(evidence!.salt)!, new TextEncoder().encode(evidence!.record));
    expect(parsed.kind === 'parsed' && parsed.leaf.commitment).toEqual(commitment);
    expect(JSON.parse(evidence!.record)).toEqual(event);
  }
});

test('an event has no evidence before a head covers it', async () => {
  await using bench = await createLogBench();
  await bench.log.settle();
  await appendMany(bench, 0, 1);
  const lane = bench.log.laneOf(entryNumber(0).laneKey);
  expect(await bench.log.evidence({ lane, sequence: 1 })).toBeUndefined();
  await bench.log.settle();
  expect(await bench.log.evidence({ lane, sequence: 1 })).toBeDefined();
});

test('two sequencers at work at once never fork the tree, and a later head is consistent with each earlier one', async () => {
  await using bench = await createLogBench();
  const other = await bench.node();
  const heads: { size: number; root: Uint8Array }[] = [];
  for (let round = 0; round < 6; round++) {
    const writing = [appendMany(bench, round * 100, 50), appendMany(bench, round * 100 + 50, 50)];
    // The lease is taken away mid-way, so that both believe in turn that it is theirs.
    const stealing = bench.database.query('t-steal', "UPDATE log_state SET owner = '', lease_until = 0");
    await Promise.all([...writing, bench.log.settle(), stealing, other.log.settle()]);
    await bench.database.query('t-steal', "UPDATE log_state SET owner = '', lease_until = 0");
    await (round % 2 === 0 ? bench.log : other.log).settle();
    await bench.log.settle();
  }
  await bench.database.query('t-steal', "UPDATE log_state SET owner = '', lease_until = 0");
  await bench.log.settle();
  await bench.log.settle();
  const leaves = await leavesOf(bench);
  expect(leaves).toHaveLength(600);
  const rows = await bench.database.query<{ size: number; root: Uint8Array }>(
    't-heads',
    'SELECT size, root FROM log_checkpoint WHERE size > 0 ORDER BY size',
  );
  heads.push(...rows);
  const last = heads.at(-1)!;
  expect(last.size).toBe(600);
  for (const { size, root } of heads.slice(0, -1)) {
    const proof = await consistencyProof(size, last.size, readerFromLeaves(leaves));
    expect(verifyConsistency({ first: size, firstRoot: root, second: last.size, secondRoot: last.root, proof })).toBe(
      true,
    );
  }
});

test('a sequencer that lost its lease writes nothing', async () => {
  await using bench = await createLogBench();
  await bench.log.settle();
  await bench.database.query(
    't-other',
    "UPDATE log_state SET owner = 'other', epoch = epoch + 1, lease_until = 9000000000000000",
  );
  await appendMany(bench, 0, 10);
  await bench.log.settle();
  expect(await leavesOf(bench)).toHaveLength(0);
  expect((await headOf(bench)).size).toBe(0);
});

test('after a stop another process goes on where the first one left', async () => {
  await using bench = await createLogBench();
  await appendMany(bench, 0, 300);
  await bench.log.start();
  await bench.log.settle();
  await bench.log.stop();
  const before = await leavesOf(bench);
  const next = await bench.node();
  await appendMany(bench, 300, 300);
  await next.log.settle();
  const after = await leavesOf(bench);
  expect(after).toHaveLength(600);
  expect(after.slice(0, 300)).toEqual(before);
});

test('a whole export verifies, and a changed byte in the database is found when it is written', async () => {
  await using bench = await createLogBench();
  await appendMany(bench, 0, 520);
  await bench.log.settle();
  const lines: string[] = [];
  for await (const line of bench.log.exportLines()) lines.push(`${line}\n`);
  const verdict = await verifyExport(linesOf([new TextEncoder().encode(lines.join(''))]), {
    logKey: bench.organisation.trust.gateway.log,
    sha256,
  });
  expect(verdict.kind).toBe('ok');
  await bench.database.query(
    't-damage',
    "UPDATE lane_event SET record = replace(record, 'urn:test', 'urn:tesx') WHERE lane = (SELECT lane FROM log_run WHERE position <= 99 ORDER BY position DESC LIMIT 1) AND seq = 1",
  );
  const again = async () => {
    for await (const _ of bench.log.exportLines());
  };
  await expect(again()).rejects.toThrow(expect.objectContaining({ code: 'ERR_TLOG_RECORD' }));
});

test('a hole in a lane stops sequencing instead of being papered over', async () => {
  await using bench = await createLogBench();
  await appendMany(bench, 0, 20);
  const lane = bench.log.laneOf(entryNumber(0).laneKey);
  await bench.database.transaction((tx) => bench.log.append(tx, [0, 0, 0].map(entryNumber)));
  for (const seq of [3, 2, 1]) {
    await bench.database.query('t-hole', 'DELETE FROM lane_event WHERE lane = $1 AND seq = $2', [lane, seq]);
    await expect(bench.log.settle()).rejects.toThrow(expect.objectContaining({ code: 'ERR_LOG_GAP' }));
  }
  expect(await leavesOf(bench)).toHaveLength(0);
});

test('the log is healthy for the promised minute after its last full head and not a moment longer', async () => {
  await using bench = await createLogBench();
  const { log, clock } = bench;
  expect(log.healthy(clock.now())).toBe(false);
  await log.settle();
  expect(log.healthy(clock.now())).toBe(true);
  clock.advance(61_000);
  expect(log.healthy(clock.now())).toBe(false);
  await log.settle();
  expect(log.healthy(clock.now())).toBe(true);
});

test('the witness cosigns the head once, and strangers, other texts and unknown heads are refused', async () => {
  await using bench = await createLogBench();
  const { log, organisation } = bench;
  await appendMany(bench, 0, 3);
  await log.settle();
  const note = log.checkpoint()!;
  await expect(log.cosign(note)).rejects.toThrow(expect.objectContaining({ code: 'ERR_LOG_COSIGNATURE' }));
  await expect(log.cosign(`${note}nonsense`)).rejects.toThrow(expect.objectContaining({ code: 'ERR_LOG_COSIGNATURE' }));
  const stranger = await cosignatureLine(
    note,
    { ...organisation.witnessSigner, sign: (bytes) => organisation.keys.submit.signer.sign(bytes) },
    5,
  );
  await expect(log.cosign(note + stranger)).rejects.toThrow(expect.objectContaining({ code: 'ERR_LOG_COSIGNATURE' }));
  const cosigned = note + (await cosignatureLine(note, organisation.witnessSigner, 5));
  await log.cosign(cosigned);
  await log.cosign(cosigned);
  expect(log.checkpoint()).toBe(cosigned);
  await bench.database.query('t-forget', 'DELETE FROM log_checkpoint');
  await expect(log.cosign(cosigned)).rejects.toThrow(expect.objectContaining({ code: 'ERR_LOG_CHECKPOINT_UNKNOWN' }));
});

test('evidence uses a head the witness signed while that is young, and the newest one otherwise', async () => {
  await using bench = await createLogBench();
  const { log, organisation, clock } = bench;
  await appendMany(bench, 0, 3);
  await log.settle();
  const cosigned = log.checkpoint()! + (await cosignatureLine(log.checkpoint()!, organisation.witnessSigner, 5));
  await log.cosign(cosigned);
  await appendMany(bench, 3, 3);
  await log.settle();
  const place = { lane: log.laneOf(entryNumber(0).laneKey), sequence: 1 };
  expect((await log.evidence(place))?.checkpoint).toBe(cosigned);
  clock.advance(301_000);
  expect((await log.evidence(place))?.checkpoint).toBe(log.checkpoint());
});

test('a reader that waits for the next event gets it as soon as it is sequenced', async () => {
  await using bench = await createLogBench();
  await bench.log.settle();
  const waiting = bench.log.feed(-1, 10, 30_000);
  await appendMany(bench, 0, 1);
  await bench.log.settle();
  expect(await waiting).toEqual([{ position: 0, event: entryNumber(0).event }]);
  expect(await bench.log.feed(0, 10, 0)).toEqual([]);
});

test('while the log runs, a hint is enough to have an event sequenced on another node’s behalf', async () => {
  await using bench = await createLogBench();
  const other = await bench.node();
  await bench.bus.start();
  await other.bus.start();
  await bench.log.start();
  const waiting = other.log.feed(-1, 10, 30_000);
  await other.database.transaction((tx) => other.log.append(tx, [entryNumber(7)]));
  other.bus.hint('lane');
  expect(await waiting).toHaveLength(1);
});
