/** What the inbox says: fixed words for protection, a sentence for each code, a code taken from a link. */
import { PROTECTIONS } from '@sealpost/protocol';
import { describe, expect, it } from 'vitest';
import { NOTICE_WORDS, PROTECTION_WORDS } from '../../src/design/protection.ts';
import { codeInFragment } from '../../src/inbox/code-in-fragment.ts';
import { sizeInWords } from '../../src/inbox/size-in-words.ts';
import { wordsOf, wordsOfCode } from '../../src/inbox/words.ts';

describe('words for protection', () => {
  it.each(['none', 'transport'] as const)('of %s never call it encrypted, and name the provider', (protection) => {
    const { words, readers } = PROTECTION_WORDS[protection];
    expect(words).toMatch(/^Not encrypted for you: /);
    expect(`${words} ${readers}`.replace('Not encrypted', '')).not.toMatch(/encrypt/i);
    expect(words).toContain('the provider');
    expect(readers).toContain('provider');
  });

  it.each(PROTECTIONS)('of %s say who can read, and call nobody verified, safe or secure', (protection) => {
    const { words, readers } = PROTECTION_WORDS[protection];
    expect(readers).toMatch(/can read it/);
    expect(`${words} ${readers} ${NOTICE_WORDS}`).not.toMatch(/verified|safe|secure|\p{Extended_Pictographic}/iu);
  });
});

describe('words for trouble', () => {
  it.each([
    'ERR_SYNC_REVOKED',
    'ERR_SYNC_SIGNATURE',
    'ERR_SYNC_SUPERSEDED',
    'ERR_SYNC_CURSOR',
    'ERR_CLIENT_COMMITMENT',
  ])('say of %s what to do', (code) => {
    expect(wordsOfCode(code).hint).not.toBe(wordsOfCode('ERR_NEVER_HEARD_OF').hint);
    expect(wordsOfCode(code).code).toBe(code);
  });

  it('show nothing of an error that is not ours', () => {
    const words = wordsOf(new Error('secret path /home/alice'));
    expect(JSON.stringify(words)).not.toContain('alice');
    expect(words.code).toBe('ERR_CLIENT_STORE');
  });
});

describe('a code in a link', () => {
  it.each([
    ['#code=AAAA-BBBB-CCCC', 'AAAA-BBBB-CCCC'],
    ['#code=', undefined],
    ['', undefined],
    ['#console=X', undefined],
    [`#code=${'A'.repeat(65)}`, undefined],
  ])('%s is taken as %s', (hash, code) => {
    expect(codeInFragment(hash)).toBe(code);
  });
});

describe('a size', () => {
  it.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [999, '999 bytes'],
    [1000, '1.0 kB'],
    [9949, '9.9 kB'],
    [9960, '10 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [2_500_000_000, '2.5 GB'],
  ])('of %i bytes reads %s', (bytes, words) => {
    expect(sizeInWords(bytes)).toBe(words);
  });
});
