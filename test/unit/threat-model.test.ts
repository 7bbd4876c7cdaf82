/** The threat model names tests; this one asks whether they are there. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { REPOSITORY } from '../support/program.ts';

const PAGE = readFileSync(join(REPOSITORY, 'docs/security/threat-model.md'), 'utf8');

/** Cells of the tables under the six letters; the other tables name no tests. */
function rows(page: string): string[][] {
  return page
    .split(/^## /m)
    .filter((section) => /^[STRIDE] – /.test(section))
    .flatMap((section) => section.split('\n').filter((line) => line.startsWith('| ')))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
    .filter(([first]) => first !== 'threat');
}

/** What is wrong with the last cell of a row, in words. */
function faults(shown: string): string[] {
  const named = [...shown.matchAll(/`([^`\s]+)`(?: › "([^"]+)")?/g)].map(([, path = '', title]) => ({ path, title }));
  if (named.length === 0) return shown.includes('not yet') ? [] : ['names no test and does not say "not yet"'];
  return named.flatMap(({ path, title }) => {
    if (!existsSync(join(REPOSITORY, path))) return [`${path} is not there`];
    if (title === undefined) return [];
    return readFileSync(join(REPOSITORY, path), 'utf8').includes(title) ? [] : [`${path} has no test "${title}"`];
  });
}

test('each threat names a test that is there, or says "not yet"', () => {
  const all = rows(PAGE);
  expect(all.length).toBeGreaterThan(40);
  expect(all.flatMap((cells) => faults(cells.at(-1) ?? '').map((fault) => `${cells[0]}: ${fault}`))).toEqual([]);
});

test('a row without a test, with a missing file and with a wrong title is each noticed', () => {
  expect(faults('–')).toHaveLength(1);
  expect(faults('`test/unit/nowhere.test.ts`')).toEqual(['test/unit/nowhere.test.ts is not there']);
  expect(faults('`test/unit/threat-model.test.ts` › "what nobody tests"'.replace('nobody', 'no one'))).toHaveLength(1);
});
