/** The canary's own eyes: what it could not find, it would call absent. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { formsOf } from '../canary/forms.ts';
import { lookAtFolder, lookAtMemory } from '../canary/places.ts';
import { createSearch } from '../canary/search.ts';

const STEM = 'q7x2k9mw4tz8';
const MARKERS = { subject: `${STEM}subject`, body: `${STEM}body`, bodies: `${STEM}bodies` };

/** Written by Node's own encoders, with neighbours, and not by the code that makes the patterns. */
const WRITTEN: Readonly<Record<string, (text: string) => Uint8Array>> = {
  'utf-8': (text) => Buffer.from(`before ${text} after`),
  JSON: (text) => Buffer.from(JSON.stringify({ 'quo"ted': `"\n${text}\u0007` })),
  percent: (text) => Buffer.from(encodeURIComponent(`ä/${text} &`)),
  'utf-16le': (text) => Buffer.from(`é${text}é`, 'utf16le'),
  'utf-16be': (text) => Buffer.from(`é${text}é`, 'utf16le').swap16(),
  hex: (text) => Buffer.from(Buffer.from(`-${text}-`).toString('hex')),
  HEX: (text) => Buffer.from(Buffer.from(`-${text}-`).toString('hex').toUpperCase()),
  ...Object.fromEntries(
    [0, 1, 2].flatMap((before) => [
      [`base64, ${before} before`, (text: string) => inBase64('base64', 'é+~'.slice(0, before), text)],
      [`base64url, ${before} before`, (text: string) => inBase64('base64url', '\u007f?>'.slice(0, before), text)],
      ...[0, 1, 2].map((outer) => [
        `base64url in base64url, ${before} and ${outer} before`,
        (text: string) =>
          inBase64('base64url', '{"a'.slice(0, outer), `${inBase64('base64url', 'xyz'.slice(0, before), text)}`),
      ]),
    ]),
  ),
};

test.each(Object.keys(WRITTEN))('a marker written as %s is found and named, and another text is not', (form) => {
  const write = WRITTEN[form]!;
  const search = createSearch(MARKERS);
  for (const [marker, text] of Object.entries(MARKERS)) {
    const found = search([Buffer.concat([randomBytes(1000), write(text), randomBytes(1000)])]);
    expect(
      found.map((hit) => hit.marker),
      form,
    ).toEqual([marker]);
  }
  expect(search([write('r8y3l0nx5ua9subject')])).toEqual([]);
});

test('a marker is found wherever the stream is cut into chunks, once and at its place', () => {
  const search = createSearch(MARKERS);
  const forms = formsOf(MARKERS.subject);
  fc.assert(
    fc.property(
      fc.constantFrom(...forms),
      fc.nat({ max: 400 }),
      fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 12 }),
      (form, before, cuts) => {
        const bytes = Buffer.concat([Buffer.alloc(before, 0x2e), form.bytes, Buffer.alloc(200, 0x2e)]);
        expect(search(cutInto(bytes, cuts))).toEqual([{ marker: 'subject', form: form.name, at: before }]);
      },
    ),
    { seed: 20261123, numRuns: 300 },
  );
});

test('a marker that was cut short after the beginning all share is found and said to be so', () => {
  expect(createSearch(MARKERS)([Buffer.from(`..${STEM}su..`)])).toEqual([
    { marker: 'cut short', form: 'utf-8', at: 2 },
  ]);
});

test('markers that share too little, or hold what an encoding would change, are refused', () => {
  expect(() => createSearch({ a: 'abc1234567890', b: 'abd1234567890' })).toThrow('share');
  expect(() => createSearch({ a: `${STEM}é` })).toThrow('letters and digits');
});

test('large files and every file of a folder are searched in bounded memory', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sealpost-canary-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'a/b'), { recursive: true });
  writeFileSync(join(folder, 'a/none'), 'nothing');
  const size = 200 << 20;
  const place = size - 7;
  const file = openSync(join(folder, 'a/b/large'), 'w');
  writeSync(file, Buffer.from(MARKERS.body), 0, undefined, place);
  // Across the border of two chunks.
  writeSync(file, Buffer.from(MARKERS.subject), 0, undefined, (8 << 20) - 5);
  closeSync(file);
  const before = process.memoryUsage().arrayBuffers;
  const looked = lookAtFolder(createSearch(MARKERS), folder);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 << 20);
  expect(looked.found.map(({ marker, at, place: where }) => ({ marker, at, where }))).toEqual([
    { marker: 'subject', at: (8 << 20) - 5, where: 'a/b/large' },
    { marker: 'body', at: place, where: 'a/b/large' },
  ]);
  expect(looked.bytes).toBe(place + MARKERS.body.length + 'nothing'.length);
});

test('a running process is searched through its byte arrays, its strings and its environment, and goes on afterwards', async () => {
  const program = `
    const stem = ${JSON.stringify([...STEM])}.join('');
    globalThis.kept = [new Uint8Array(Buffer.from(stem + 'subject')), Buffer.from(stem + 'bodies').toString('hex')];
    globalThis.wide = Buffer.from('ж' + stem + 'bodies', 'utf16le').toString('utf16le');
    process.stdin.on('data', (data) => process.stdout.write(data));
    process.stdout.write('ready')`;
  const child = spawn(process.execPath, ['-e', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { LEAK: MARKERS.body },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const looked = lookAtMemory(createSearch(MARKERS), 'child', child.pid!);
  const found = new Set(looked.found.map(({ marker, form }) => `${marker} ${form}`));
  expect([...found]).toEqual(expect.arrayContaining(['subject utf-8', 'bodies utf-16', 'bodies hex', 'body utf-8']));
  expect(looked.bytes).toBeGreaterThan(10 << 20);
  child.stdin.write('still here');
  const [echo] = await once(child.stdout, 'data');
  expect(String(echo)).toBe('still here');
});

function inBase64(encoding: 'base64' | 'base64url', before: string, text: Uint8Array | string): Uint8Array {
  const bytes = Buffer.concat([Buffer.from(before, 'latin1'), Buffer.from(text), Buffer.from('~after')]);
  return Buffer.from(bytes.toString(encoding));
}

function cutInto(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0, next = 0; at < bytes.length; next += 1) {
    const length = cuts[next % cuts.length]!;
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return chunks;
}
