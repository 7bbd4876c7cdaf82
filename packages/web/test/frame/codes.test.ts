/** The codes of the link: read once, erased from the address, handed to the column they are for and to no other. */
import { expect, it } from 'vitest';
import { readCodes, takeCodes } from '../../src/frame/codes.ts';
import { columnsOf, originsSchema } from '../../src/frame/columns.ts';

const ORIGINS = { inbox: 'http://127.0.0.1:4406', console: 'http://127.0.0.1:4407' };

it('are read from the fragment, each by its name', () => {
  expect(readCodes('#inbox=7FQ2-AAAA-BBBB&console=C0DE')).toEqual({ inbox: '7FQ2-AAAA-BBBB', console: 'C0DE' });
  expect(readCodes('#console=C0DE')).toEqual({ console: 'C0DE' });
  expect(readCodes('')).toEqual({});
});

it('are nothing else than codes: what could change the address they are put into is left out', () => {
  for (const bad of ['', 'a&b', '<script>', '../x', 'a b', 'x'.repeat(65)])
    expect(readCodes(`#inbox=${encodeURIComponent(bad)}`)).toEqual({});
});

it('leave the address at once, path and query stay', () => {
  const replaced: unknown[][] = [];
  const page = {
    location: { hash: '#inbox=A-1', pathname: '/', search: '?x=1' },
    history: { replaceState: (...all: unknown[]) => replaced.push(all) },
  };
  expect(takeCodes(page as unknown as Window)).toEqual({ inbox: 'A-1' });
  expect(replaced).toEqual([[null, '', '/?x=1']]);
});

it('go to their own column in its fragment, and to no other', () => {
  const columns = columnsOf('http://127.0.0.1:4404', ORIGINS, { inbox: 'A-1', console: 'B-2' });
  expect(columns.map(({ src }) => src)).toEqual([
    'http://127.0.0.1:4404/carrier/',
    'http://127.0.0.1:4406/#code=A-1',
    'http://127.0.0.1:4407/#code=B-2',
  ]);
  expect(columns.every(({ url }) => !url.includes('code'))).toBe(true);
});

it('are not needed: without them each column is opened as it is and asks for itself', () => {
  const columns = columnsOf('http://127.0.0.1:4404', ORIGINS, {});
  expect(columns.map(({ src, url }) => src === url)).toEqual([true, true, true]);
});

it('never go to what is no web address', () => {
  expect(originsSchema.safeParse({ ...ORIGINS, inbox: 'javascript:alert(1)' }).success).toBe(false);
});
