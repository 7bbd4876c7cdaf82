/** Inspection: what each detector finds and lets pass, what an action does, and that no answer repeats what was found. */
import type { InspectionRule } from '@sealpost/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inspect } from '../../src/modules/inspection/index.ts';

const rule = (detect: InspectionRule['detect'], action: InspectionRule['action'], more: Partial<InspectionRule> = {}) =>
  ({ id: `${detect}-${action}`, detect, action, ...more }) as InspectionRule;
const content = (body: string) => ({ subject: 'Disk full', body, facts: [{ name: 'host', value: 'db1' }] });
const blocks = (detect: InspectionRule['detect'], body: string, literal?: string) =>
  inspect(content(body), [rule(detect, 'block', literal === undefined ? {} : { literal })]).kind === 'blocked';
const redactedBody = (detect: InspectionRule['detect'], body: string, literal?: string) => {
  const result = inspect(content(body), [rule(detect, 'redact', literal === undefined ? {} : { literal })]);
  return result.kind === 'pass' ? result.content.body : undefined;
};

/** The digit that makes a number hold (Luhn), computed by trying. */
const completed = (digits: string) => {
  for (let check = 0; check < 10; check++) {
    const sum = [...digits, String(check)].reverse().reduce((total, letter, i) => {
      const value = Number(letter) * (i % 2 === 1 ? 2 : 1);
      return total + (value > 9 ? value - 9 : value);
    }, 0);
    if (sum % 10 === 0) return `${digits}${check}`;
  }
  return digits;
};
const cards = fc
  .tuple(fc.constantFrom('4', '51', '55', '2221', '2720'), fc.stringMatching(/^[0-9]{15}$/))
  .map(([prefix, rest]) => completed((prefix + rest).slice(0, 15)));
const words = fc.stringMatching(/^[a-zA-Z ]{0,40}$/);

describe('payment cards', () => {
  it('are found wherever they stand, however they are grouped', () => {
    fc.assert(
      fc.property(cards, words, words, fc.constantFrom('', ' ', '-', '\u00a0', '.'), (card, before, after, gap) => {
        const written = card.replace(/(.{4})(?=.)/g, `$1${gap}`);
        expect(redactedBody('payment-card', `${before} ${written} ${after}`)).toBe(`${before} [redacted] ${after}`);
      }),
    );
  });

  it('are found in full-width digits and with invisible characters between', () => {
    fc.assert(
      fc.property(cards, (card) => {
        const wide = card.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit)));
        expect(blocks('payment-card', wide)).toBe(true);
        expect(blocks('payment-card', [...card].join('\u200b'))).toBe(true);
      }),
    );
  });

  it('are not seen in numbers whose check digit does not hold', () => {
    fc.assert(
      fc.property(cards, (card) => {
        const wrong = `${card.slice(0, -1)}${(Number(card.slice(-1)) + 1) % 10}`;
        expect(blocks('payment-card', `order ${wrong} shipped`)).toBe(false);
      }),
    );
  });

  it.each([
    ['4111 1111 1111 1111'],
    ['378282246310005'],
    ['5555-5555-5555-4444'],
    ['6011111111111117'],
    ['3530111333300000'],
    ['on 2026-11-23 card 4111111111111111 was used'],
  ])('are found: %s', (text) => {
    expect(blocks('payment-card', text)).toBe(true);
  });

  it.each([
    ['1732390359000123'],
    ['call +49 151 1234 5678'],
    ['00000000000000000000'],
    ['411111111111111'],
    ['9999411111111111111111119999'],
  ])('are not seen in %s', (text) => {
    expect(blocks('payment-card', text)).toBe(false);
  });
});

describe('private keys', () => {
  it.each([
    ['RSA PRIVATE KEY'],
    ['PRIVATE KEY'],
    ['EC PRIVATE KEY'],
    ['OPENSSH PRIVATE KEY'],
    ['ENCRYPTED PRIVATE KEY'],
    ['PGP PRIVATE KEY BLOCK'],
  ])('of kind %s are taken out from BEGIN to END', (kind) => {
    const key = `-----BEGIN ${kind}-----\nMIIEvQIBADANBg\n-----END ${kind}-----`;
    expect(redactedBody('private-key', `see ${key} thanks ${key}!`)).toBe('see [redacted] thanks [redacted]!');
  });

  it('that are cut off are taken out to the end', () => {
    expect(redactedBody('private-key', 'x -----BEGIN PRIVATE KEY-----\nMIIEvQ')).toBe('x [redacted]');
  });

  it('are not seen in public keys and certificates', () => {
    expect(blocks('private-key', '-----BEGIN PUBLIC KEY-----\n-----BEGIN CERTIFICATE-----')).toBe(false);
  });
});

describe('cloud credentials', () => {
  it.each([
    [`AKIA${'Q'.repeat(16)}`],
    [`aws_secret_access_key = ${'a'.repeat(40)}`],
    [`AIza${'x'.repeat(35)}`],
    [`ghp_${'a1'.repeat(18)}`],
    [`AccountKey=${'a'.repeat(86)}==`],
    [`xoxb-${'1'.repeat(12)}-abc`],
    [`sk_live_${'a'.repeat(24)}`],
    [`sps_watchtower_${'A'.repeat(43)}`],
  ])('are found: %s', (secret) => {
    expect(redactedBody('cloud-credential', `key ${secret} end`)).not.toContain(secret.slice(-12));
  });

  it('are not seen in ordinary words', () => {
    fc.assert(fc.property(words, (text) => !blocks('cloud-credential', text)));
  });
});

describe('literal patterns', () => {
  it('are found without regard to case, width and invisible characters, wherever they stand', () => {
    fc.assert(
      fc.property(
        words,
        words,
        fc.constantFrom('Project Falcon', 'PROJECT FALCON', 'pro\u00adject falcon', 'ＰＲＯＪＥＣＴ falcon'),
        (before, after, spelling) => {
          expect(redactedBody('pattern', `${before}|${spelling}|${after}`, 'project falcon')).toBe(
            `${before}|[redacted]|${after}`,
          );
        },
      ),
    );
  });
});

describe('actions', () => {
  const secret = '4111111111111111';

  it('block wins over everything and names its rules only', () => {
    const rules = [
      rule('payment-card', 'redact'),
      rule('payment-card', 'block'),
      rule('payment-card', 'raise', { raiseTo: 'restricted' }),
    ];
    expect(inspect(content(secret), rules)).toEqual({ kind: 'blocked', rules: ['payment-card-block'] });
  });

  it('redact works on subject, names and values alike', () => {
    const result = inspect({ subject: `card ${secret}`, body: '', facts: [{ name: secret, value: `${secret}!` }] }, [
      rule('payment-card', 'redact'),
    ]);
    expect(result).toMatchObject({
      content: { subject: 'card [redacted]', facts: [{ name: '[redacted]', value: '[redacted]!' }] },
      redactions: ['payment-card-redact'],
    });
  });

  it('raise answers the highest classification asked for', () => {
    const raise = (raiseTo: 'internal' | 'restricted', id: string) => rule('payment-card', 'raise', { raiseTo, id });
    expect(inspect(content(secret), [raise('restricted', 'a'), raise('internal', 'b')])).toMatchObject({
      classification: 'restricted',
    });
    expect(inspect(content('nothing'), [raise('restricted', 'a')])).toEqual({
      kind: 'pass',
      content: content('nothing'),
      redactions: [],
    });
  });

  it('never make a field longer than its limit', () => {
    const subject = 'abc '.repeat(75);
    const result = inspect({ subject, body: '', facts: [] }, [rule('pattern', 'redact', { literal: 'abc' })]);
    expect(result.kind === 'pass' && result.content.subject.length).toBe(300);
  });

  it('keep what they did not find, and what else the content holds', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (subject, body) => {
        const given = { subject, body, facts: [], acknowledge: true };
        const result = inspect(given, [rule('private-key', 'redact')]);
        expect(result).toEqual({ kind: 'pass', content: given, redactions: [] });
      }),
    );
  });

  it('take time in proportion to the text, also for text made to be slow', () => {
    const slow = [
      '-'.repeat(100_000),
      '4 '.repeat(50_000),
      '-----BEGIN '.repeat(9000),
      'aws'.repeat(33_000),
      '1'.repeat(100_000),
    ];
    const rules = (['private-key', 'cloud-credential', 'payment-card'] as const).map((detect) => rule(detect, 'block'));
    for (const body of slow) inspect(content(body), rules);
  });
});
