/** One changed byte anywhere in an export makes it fail, and inside an entry's line the failure names that entry. */
import { beforeAll, describe, expect, test } from 'vitest';
import { linesOf, UNREADABLE_LINE, verifyExport } from '../src/index.ts';
import { bytesOf, collect, fileOf, type SampleLog, sampleLog } from './sample-log.ts';

const SIZE = 12;
let log: SampleLog;
let file: Uint8Array;

beforeAll(async () => {
  log = await sampleLog(SIZE);
  file = fileOf(log.lines);
});

const verify = (bytes: Uint8Array) => verifyExport(linesOf([bytes]), { logKey: log.logKey });

/** For each byte of the file the position of the entry whose line (newline included) it is in. */
function entryAt(): (number | undefined)[] {
  return log.lines.flatMap((line, i) => {
    const position = i >= 1 && i <= SIZE ? i - 1 : undefined;
    return Array.from({ length: bytesOf(line).length + 1 }, () => position);
  });
}

describe('one changed byte', () => {
  test('is found wherever it is and whatever it becomes', { timeout: 60_000 }, async () => {
    expect(await verify(file)).toMatchObject({ kind: 'ok', size: SIZE });
    const entries = entryAt();
    expect(entries).toHaveLength(file.length);
    for (const [at, was] of file.entries()) {
      for (const now of new Set([was ^ 0x01, was ^ 0x80, 0x0a, 0x0d])) {
        if (now === was) continue;
        const verdict = await verify(file.with(at, now));
        if (verdict.kind === 'ok') expect.fail(`byte ${at}: ${was} became ${now} unseen`);
        const named = entries[at];
        if (named !== undefined && verdict.entry !== named) {
          expect.fail(`byte ${at} of entry ${named}: ${was} became ${now}, named ${verdict.entry} (${verdict.reason})`);
        }
      }
    }
  });

  test('is found when it is missing or added', { timeout: 60_000 }, async () => {
    for (let at = 0; at < file.length; at += 7) {
      const was = file[at]!;
      const missing = Uint8Array.from([...file.subarray(0, at), ...file.subarray(at + 1)]);
      const doubled = Uint8Array.from([...file.subarray(0, at), was, ...file.subarray(at)]);
      for (const changed of [missing, doubled]) {
        if ((await verify(changed)).kind === 'ok') expect.fail(`byte ${at}`);
      }
    }
  });

  test('is found in the signature of a witness nobody asked for', async () => {
    const text = new TextDecoder().decode(file);
    const at = text.lastIndexOf('control.example/w ') + 'control.example/w '.length + 30;
    const other = text[at] === 'A' ? 'B' : 'A';
    const changed = bytesOf(text.slice(0, at) + other + text.slice(at + 1));
    expect(await verify(changed)).toMatchObject({ kind: 'failed', code: 'ERR_TLOG_LINE' });
  });
});

describe('the lines of a file', () => {
  const read = (...chunks: Uint8Array[]) => collect(linesOf(chunks));

  test('are the same however the file is cut into chunks', async () => {
    for (const size of [1, 2, 3, 7, 100, 4096]) {
      const chunks = Array.from({ length: Math.ceil(file.length / size) }, (_, i) =>
        file.slice(i * size, (i + 1) * size),
      );
      expect(await read(...chunks)).toEqual(log.lines);
    }
  });

  test('end at newlines only and keep a byte order mark', async () => {
    expect(await read(bytesOf('\ufeffa\rb\u2028c\n\nd\n'))).toEqual(['\ufeffa\rb\u2028c', '', 'd']);
    expect(await read()).toEqual([]);
  });

  test('that are not UTF-8 or not ended are unreadable, alone', async () => {
    expect(await read(Uint8Array.from([0x61, 0x0a, 0xff, 0x0a, 0x62, 0x0a, 0x63]))).toEqual([
      'a',
      UNREADABLE_LINE,
      'b',
      UNREADABLE_LINE,
    ]);
  });

  test('that never end do not fill the memory', async () => {
    const chunk = new Uint8Array(1 << 20).fill(0x61);
    const endless = Array.from({ length: 40 }, () => chunk);
    expect(await read(...endless, bytesOf('\nb\n'))).toEqual([UNREADABLE_LINE, 'b']);
  });
});
