/** What the console calls proved is proved; with any one thing changed it is not, and says what does not hold. */
import { beforeAll, expect, test } from 'vitest';
import { verifiedHead } from '../../src/console/proof/log-head.ts';
import { changeOneByte, proofWords, verifyEntry } from '../../src/console/proof/verify-entry.ts';
import { EVENTS, smallLog } from './small-log.ts';

let log: Awaited<ReturnType<typeof smallLog>>;
let other: typeof log;
beforeAll(async () => {
  [log, other] = [await smallLog(), await smallLog()];
});

const shownAt = (position: number) => ({ event: EVENTS[position]!, position });
const reasonOf = async (verdict: ReturnType<typeof verifyEntry>) => {
  const reached = await verdict;
  return reached.kind === 'refused' ? reached.reason : reached.kind;
};

test('every entry of a log is proved, and the words name its place, the log’s key and the witness', async () => {
  for (const position of EVENTS.keys()) {
    const verdict = await verifyEntry(shownAt(position), await log.evidenceAt(position), log.keys);
    expect(proofWords(verdict, log.keys)).toBe(
      `Proved: entry ${position} of the 7 in the log signed by acme.example/log, cosigned by acme.example/control.`,
    );
  }
});

test('without the witness’s line an entry is proved, and the words say that the witness is missing', async () => {
  const evidence = { ...(await log.evidenceAt(3)), checkpoint: log.uncosigned };
  const words = proofWords(await verifyEntry(shownAt(3), evidence, log.keys), log.keys);
  expect(words).toContain('which the witness has not cosigned yet');
});

test('a record that says something else than the page shows is not proof of what is shown', async () => {
  const evidence = await log.evidenceAt(4);
  const lie = { ...EVENTS[4]!, outcome: 'permanent' } as (typeof EVENTS)[number];
  expect(await reasonOf(verifyEntry({ event: lie, position: 4 }, evidence, log.keys))).toBe('shown');
  expect(await reasonOf(verifyEntry({ event: EVENTS[4]!, position: 3 }, evidence, log.keys))).toBe('shown');
});

test('one changed byte of any record fails, and the change is the one that is shown', async () => {
  for (const position of EVENTS.keys()) {
    const evidence = await log.evidenceAt(position);
    const { evidence: altered, before, after } = changeOneByte(evidence);
    expect([...altered.record].filter((letter, index) => letter !== evidence.record[index])).toHaveLength(1);
    expect([evidence.record.includes(before), altered.record.includes(after)]).toEqual([true, true]);
    const verdict = await verifyEntry(shownAt(position), altered, log.keys);
    expect(proofWords(verdict, log.keys)).toBe('Not proved: the record does not match its leaf in the log.');
  }
});

test('an altered salt, leaf, path, size or checkpoint, and a record that is no event, each fail by name', async () => {
  const evidence = await log.evidenceAt(2);
  const foreign = await other.evidenceAt(2);
  const failing = [
    [{ salt: foreign.leaf.slice(0, 43) }, 'leaf'],
    [{ leaf: (await log.evidenceAt(3)).leaf }, 'leaf'],
    [{ path: evidence.path.slice(1) }, 'inclusion'],
    [{ path: [...evidence.path].reverse() }, 'inclusion'],
    [{ size: evidence.size + 1 }, 'checkpoint'],
    [{ checkpoint: foreign.checkpoint }, 'checkpoint'],
    [{ record: '{"kind":"something.else"}' }, 'record'],
    [{ record: evidence.record.replace('{', '{ ') }, 'record'],
  ] as const;
  for (const [change, reason] of failing)
    expect(await reasonOf(verifyEntry(shownAt(2), { ...evidence, ...change }, log.keys))).toBe(reason);
});

test('evidence of a log with another key is refused, and so is its head', async () => {
  expect(await reasonOf(verifyEntry(shownAt(2), await log.evidenceAt(2), other.keys))).toBe('checkpoint');
  expect(await verifiedHead(log.checkpoint, log.keys)).toEqual({ size: 7, witnessedAt: 1_795_473_200_000 });
  expect(await verifiedHead(log.uncosigned, log.keys)).toEqual({ size: 7, witnessedAt: undefined });
  await expect(verifiedHead(log.checkpoint, other.keys)).rejects.toMatchObject({ code: 'ERR_CONSOLE_HEAD' });
});
