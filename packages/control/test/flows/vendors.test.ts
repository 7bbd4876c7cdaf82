/** Channels with several vendors, rollouts and quiet hours: what compiles to what, and what is refused where. */
import { describe, expect, it } from 'vitest';
import { compileBundle } from '../../src/modules/flows/compile.ts';

const options = { organisation: 'acme.example', version: 7, issued: 1_700_000_000_000, lifetime: 3_600_000 };

const AGENT = 'kind: Agent\nmetadata: { name: acme }\nspec: { displayName: Acme, limit: { count: 100, per: 1m } }';
const APP = 'kind: Channel\nmetadata: { name: app }\nspec: { adapter: app }';
const RCS =
  'kind: Channel\nmetadata: { name: rcs }\nspec: { vendors: [{ vendor: google, weight: 9 }, { vendor: twilio }] }';
const GOOGLE =
  'kind: Vendor\nmetadata: { name: google }\nspec: { adapter: rcs-google, expires: 2027-03-01T00:00:00Z, limit: { count: 300, per: 1m } }';
const TWILIO = 'kind: Vendor\nmetadata: { name: twilio }\nspec: { adapter: rcs-twilio }';
const FLOW = `kind: Flow
metadata: { name: reminders }
spec:
  purpose: Reminders
  agent: acme
  classification: internal
  floor: e2ee
  ladder:
    - { channel: app, use: carry }
    - { channel: rcs, use: notice, after: 30s }
  notice: { text: Something is waiting, url: 'https://inbox.acme.example/' }
  quiet: { from: '22:00', until: '07:00', zone: Europe/Berlin }
  ambiguous: at-least-once
  limit: { count: 5, per: 1h }
  expires: 4h`;
const ROLLOUT = 'kind: Rollout\nmetadata: { name: rcs-first }\nspec: { channel: rcs, percent: 10, flows: [reminders] }';

function compile(...objects: readonly string[]) {
  const text = objects.map((object) => `apiVersion: sealpost/v1\n${object}`).join('\n---\n');
  return compileBundle([{ file: 'all.yaml', text }], [], options);
}
const problems = (...objects: readonly string[]) => {
  const result = compile(...objects);
  return result.kind === 'failed' ? result.problems.map(({ pointer, detail }) => `${pointer} ${detail}`) : [];
};

describe('a channel with several vendors', () => {
  it('compiles to a step that names them all, their limits and ends in the bundle', () => {
    const result = compile(AGENT, APP, RCS, GOOGLE, TWILIO, FLOW, ROLLOUT);
    expect(result).toMatchObject({
      kind: 'ok',
      bundle: {
        agents: [{ name: 'acme', limit: { count: 100, per: 60_000 } }],
        vendors: [
          {
            name: 'google',
            adapter: 'rcs-google',
            expires: Date.parse('2027-03-01'),
            limit: { count: 300, per: 60_000 },
          },
          { name: 'twilio', adapter: 'rcs-twilio' },
        ],
        rollouts: [{ name: 'rcs-first', channel: 'rcs', flows: ['reminders'], percent: 10 }],
        flows: [
          {
            ambiguous: 'at-least-once',
            limit: { count: 5, per: 3_600_000 },
            quiet: { from: '22:00', until: '07:00', zone: 'Europe/Berlin' },
            ladder: [
              { channel: 'app', adapter: 'app' },
              {
                channel: 'rcs',
                adapter: 'rcs-google',
                vendors: [
                  { vendor: 'google', adapter: 'rcs-google', weight: 9 },
                  { vendor: 'twilio', adapter: 'rcs-twilio', weight: 1 },
                ],
              },
            ],
          },
        ],
      },
    });
  });

  it('is refused for one vendor below the floor, however little weight it has', () => {
    const sms = 'kind: Vendor\nmetadata: { name: twilio }\nspec: { adapter: sms-twilio }';
    const carried = FLOW.replace('floor: e2ee', 'floor: transport').replace(
      'channel: rcs, use: notice',
      'channel: rcs, use: carry',
    );
    expect(problems(AGENT, APP, RCS, GOOGLE, sms, carried)).toEqual([
      '/spec/ladder/1 below the floor: sms-twilio cannot carry content that needs transport',
    ]);
  });

  it.each([
    ['nobody declared', [GOOGLE], '/spec/vendors/1/vendor no Vendor of this name is declared'],
    [
      'people it cannot reach by the same address',
      [GOOGLE, 'kind: Vendor\nmetadata: { name: twilio }\nspec: { adapter: slack }'],
      '/spec/vendors the vendors of a channel must reach people by one kind of address',
    ],
  ])('is refused with a vendor of %s', (_name, vendors, problem) => {
    expect(problems(AGENT, APP, RCS, FLOW, ...vendors)).toContain(problem);
  });

  it('is refused when a vendor stands twice or none has a weight', () => {
    const twice = RCS.replace('{ vendor: twilio }', '{ vendor: google, weight: 1 }');
    const weightless = RCS.replace('weight: 9', 'weight: 0').replace('vendor: twilio', 'vendor: twilio, weight: 0');
    expect(problems(AGENT, APP, twice, GOOGLE, FLOW)).toContain('/spec/vendors/1/vendor this vendor stands twice');
    expect(problems(AGENT, APP, weightless, GOOGLE, TWILIO, FLOW)).toContain(
      '/spec/vendors no vendor has a weight above 0',
    );
  });
});

describe('what is refused beside it', () => {
  it.each([
    ['a rollout of an unknown channel', ROLLOUT.replace('channel: rcs', 'channel: fax'), '/spec/channel'],
    ['a rollout of an unknown flow', ROLLOUT.replace('[reminders]', '[nothing]'), '/spec/flows/0'],
    ['a rollout of more than everybody', ROLLOUT.replace('percent: 10', 'percent: 101'), '/spec/percent'],
    ['quiet hours in no time zone', FLOW.replace('Europe/Berlin', 'Europe/Nowhere'), '/spec/quiet/zone'],
    ['a split link, which is not built yet', FLOW.replace('use: notice', 'use: link'), '/spec/ladder/1/use'],
  ])('is %s', (_name, object, pointer) => {
    const rest = object.includes('kind: Flow') ? [] : [FLOW];
    expect(problems(AGENT, APP, RCS, GOOGLE, TWILIO, ...rest, object).join('\n')).toContain(pointer);
  });
});
