/** The compiler: the demo's manifests compile, and each mistake is named with file, line and column. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileBundle } from '../../src/modules/flows/compile.ts';
import { MANIFESTS } from '../support/control.ts';

const options = { organisation: 'acme.example', version: 7, issued: 1_700_000_000_000, lifetime: 3_600_000 };
const compile = (text: string, cedar = '') =>
  compileBundle([{ file: 'flows/a.yaml', text }], cedar === '' ? [] : [{ file: 'p.cedar', text: cedar }], options);
const problemsOf = (text: string, cedar = '') => {
  const result = compile(text, cedar);
  return result.kind === 'failed' ? result.problems : [];
};
const demo = new URL('../../../../manifests/demo/', import.meta.url);
const read = (file: string) => ({ file, text: readFileSync(new URL(file, demo), 'utf8') });

describe('the demo', () => {
  const manifests = readdirSync(demo)
    .filter((file) => file.endsWith('.yaml'))
    .map(read);
  const policies = readdirSync(new URL('policies/', demo)).map((file) => read(`policies/${file}`));
  const result = compileBundle(manifests, policies, options);

  it('compiles to a bundle with resolved references and durations in milliseconds', () => {
    expect(result).toMatchObject({ kind: 'ok', bundle: { version: 7, expires: options.issued + options.lifetime } });
    const [flow] = result.kind === 'ok' ? result.bundle.flows : [];
    expect(flow).toMatchObject({
      name: 'incident-alerts',
      agent: 'acme-incidents',
      classification: 'confidential',
      floor: 'e2ee',
      expires: 14_400_000,
    });
    expect(flow?.ladder).toEqual([
      { channel: 'app', adapter: 'app', use: 'carry', after: 0 },
      { channel: 'rcs-main', adapter: 'rcs-google', use: 'notice', after: 2000 },
      { channel: 'sms-main', adapter: 'sms-smpp', use: 'notice', after: 4000 },
    ]);
    expect(flow?.links).toMatchObject({
      annotations: ['dashboard_image'],
      hosts: [{ host: '127.0.0.1', private: true }],
      types: ['image/png'],
    });
    expect(flow?.inspection.length).toBeGreaterThan(2);
  });
});

describe('a problem names file, line and column', () => {
  it.each([
    ['of a syntax error', 'kind: [Flow\n', 'flows/a.yaml:2:1', /./],
    [
      'of an unknown key',
      MANIFESTS.replace('purpose: Incidents', 'purpose: Incidents\n  colour: red'),
      'flows/a.yaml:17:3',
      /unknown key: colour/,
    ],
    [
      'of a value of the wrong kind',
      MANIFESTS.replace('expires: 4h', 'expires: 4 hours'),
      'flows/a.yaml:21:12',
      /whole number/,
    ],
    [
      'of an agent nobody declared',
      MANIFESTS.replace('agent: acme-incidents', 'agent: nobody'),
      'flows/a.yaml:17:10',
      /no Agent/,
    ],
    [
      'of a channel nobody declared',
      MANIFESTS.replace('channel: app,', 'channel: fax,'),
      'flows/a.yaml:20:23',
      /no Channel/,
    ],
    [
      'of a step below the floor',
      MANIFESTS.replace('adapter: app', 'adapter: sms-smpp'),
      'flows/a.yaml:20:12',
      /below the floor/,
    ],
    [
      'of a name declared twice',
      `${MANIFESTS}---\napiVersion: sealpost/v1\nkind: Channel\nmetadata: { name: app }\nspec: { adapter: app }\n`,
      'flows/a.yaml:25:19',
      /declared twice/,
    ],
    ['of a key written twice', 'kind: Flow\nkind: Flow\n', 'flows/a.yaml:2:1', /duplicate/],
    [
      'of a notice without text',
      MANIFESTS.replace('use: carry }', 'use: carry }, { channel: app, use: notice }'),
      'flows/a.yaml:20',
      /notice/,
    ],
  ])('%s', (_what, text, place, detail) => {
    const places = problemsOf(text).map((problem) => [
      `${problem.file}:${problem.line}:${problem.column}`,
      problem.detail,
    ]);
    expect(places.some(([at, what]) => at?.startsWith(place) && detail.test(what ?? ''))).toBe(true);
  });

  it('of a policy that does not validate, also after letters of several bytes', () => {
    const cedar = '// für später\npermit (principal, action, resource)\nwhen { context.nothing };\n';
    expect(problemsOf(MANIFESTS, cedar)[0]).toMatchObject({ file: 'p.cedar', line: 3, column: 8 });
  });

  it('of a policy that does not parse', () => {
    expect(problemsOf(MANIFESTS, 'permit (principal, action')[0]).toMatchObject({
      file: 'p.cedar',
      line: 1,
      column: 26,
    });
  });
});

describe('the compiler', () => {
  it('refuses aliases, which would make a small file a large one', () => {
    expect(problemsOf('a: &a [1]\nb: *a\n').map(({ detail }) => detail)).toEqual([expect.stringMatching(/aliases/)]);
  });

  it('refuses manifests without any flow', () => {
    expect(problemsOf('')[0]?.detail).toMatch(/no Flow/);
  });

  it('refuses a pattern rule without its literal and a raise without its class', () => {
    const inspection = (rule: string) =>
      `${MANIFESTS}---\napiVersion: sealpost/v1\nkind: Inspection\nmetadata: { name: x }\nspec:\n  rules:\n    - ${rule}\n`;
    expect(problemsOf(inspection('{ id: a, detect: pattern, action: block }'))[0]?.detail).toMatch(/literal/);
    expect(problemsOf(inspection('{ id: a, detect: payment-card, action: raise }'))[0]?.detail).toMatch(/raiseTo/);
  });

  it('refuses a ladder whose last step comes after the message has expired', () => {
    expect(problemsOf(MANIFESTS.replace('use: carry }', 'use: carry, after: 5h }'))[0]?.detail).toMatch(/expired/);
  });
});
