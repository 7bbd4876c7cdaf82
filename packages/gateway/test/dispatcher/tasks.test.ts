/** What keeps a try from being made, what is asked about one that was, and what a dispatcher may conclude. */
import { PROTECTIONS, type Use } from '@sealpost/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LEASE_MS } from '../../src/dispatcher/claims.ts';
import { ADDRESS, createDesk, type Desk, PAYLOADS } from './desk.ts';

const RETRY = { kind: 'retry-after', afterMs: 0, reason: '503' } as const;

describe('a task of the dispatcher', () => {
  let desk: Desk;
  beforeEach(async () => {
    desk = await createDesk();
  });
  afterEach(() => desk[Symbol.asyncDispose]());

  const close = (vendor: string) =>
    desk.database.query('t-close', "INSERT INTO vendor_closed (vendor, by, at) VALUES ($1, 'operator', 0)", [vendor]);
  const health = () => desk.database.query('t-health', 'SELECT vendor, failures, opened FROM vendor_health');

  test('sends content only where the vendor’s adapter protects it as well as the floor demands', async () => {
    const one = desk.vendor('one', 'rcs-google');
    const row = { adapter: 'rcs-google' } as const;
    const sent = async (use: Use, floor: (typeof PROTECTIONS)[number]) =>
      (await desk.reportOf({ ...row, use, floor })).kind;
    const kinds: string[] = [];
    for (const floor of PROTECTIONS) kinds.push(await sent('carry', floor));
    expect(kinds).toEqual(['accepted', 'accepted', 'permanent', 'permanent', 'permanent']);
    expect(one.sent).toHaveLength(2);
    expect([await sent('link', 'split'), await sent('link', 'e2ee')]).toEqual(['accepted', 'permanent']);
    expect(await sent('notice', 'e2ee')).toBe('accepted');
    expect(await desk.reportOf({ ...row, use: 'carry', floor: 'e2ee' })).toMatchObject({
      reason: 'ERR_ROUTING_BELOW_FLOOR',
    });
  });

  test('never sends a payload of another kind than the step’s use: content sealed as a notice stays here', async () => {
    const one = desk.vendor('one');
    for (const use of ['notice', 'link', 'carry'] as const)
      for (const [kind, payload] of Object.entries(PAYLOADS)) {
        const report = await desk.reportOf({ use, payload, floor: 'none' });
        expect(report.kind, `${kind} as ${use}`).toBe(kind === use ? 'accepted' : 'permanent');
      }
    expect(one.sent).toHaveLength(3);
  });

  test('is refused by a vendor that is configured with another adapter than the bundle names, or not at all', async () => {
    const one = desk.vendor('one', 'sms-smpp');
    expect(await desk.reportOf({ adapter: 'rcs-google' })).toEqual({
      kind: 'permanent',
      reason: 'vendor-has-other-adapter',
    });
    expect(await desk.reportOf({ vendor: 'two' })).toEqual({ kind: 'permanent', reason: 'vendor-not-configured' });
    expect(one.sent).toEqual([]);
  });

  test('is not sent to a closed vendor, and routing may choose again', async () => {
    const one = desk.vendor('one', 'sms-smpp', { lookup: true, tasks: true });
    await close('one');
    expect(await desk.reportOf({})).toMatchObject({ kind: 'retry-after', reason: 'vendor-closed' });
    expect(await desk.reportOf({ task: 'query' })).toEqual({ kind: 'ambiguous', reason: 'vendor-closed' });
    expect(await desk.reportOf({ task: 'revoke' })).toMatchObject({ result: { kind: 'unknown' } });
    expect([one.sent, one.asked]).toEqual([[], []]);
  });

  test('is not sent when the vendor is closed while it was being looked up', async () => {
    const one = desk.vendor('one', 'sms-smpp', { lookup: true });
    const { lookup } = one.adapter;
    Object.assign(one.adapter, {
      async lookup(address: string) {
        await close('one');
        return lookup?.(address);
      },
    });
    expect(await desk.reportOf({})).toMatchObject({ kind: 'retry-after', reason: 'vendor-closed' });
    expect(one.sent).toEqual([]);
  });

  test('whose limits cannot be read is not sent', async () => {
    const one = desk.vendor('one');
    expect(await desk.reportOf({ limits: [{ key: 'vendor:one', count: 0, per: 1 }] })).toMatchObject({
      reason: 'unreadable-attempt',
    });
    expect(one.sent).toEqual([]);
  });

  describe('about a try that may have been taken', () => {
    test('asks the provider by both names and reports what it says', async () => {
      const one = desk.vendor('one', 'sms-smpp', { tasks: true });
      one.became = ({ providerMessageId }) => ({ kind: 'accepted', providerMessageId: providerMessageId ?? '?' });
      const id = await desk.put({ task: 'query', providerId: '0a1b' });
      expect(await desk.work()).toEqual([{ id, report: { kind: 'accepted', providerMessageId: '0a1b' } }]);
      expect(one.asked).toEqual([{ id, address: ADDRESS, providerMessageId: '0a1b' }]);
      expect(one.sent).toEqual([]);
    });

    test('stays ambiguous, and is never called untaken, when it cannot be asked', async () => {
      const one = desk.vendor('one');
      expect(await desk.reportOf({ task: 'query' })).toEqual({ kind: 'ambiguous', reason: 'cannot-be-asked' });
      expect(await desk.reportOf({ task: 'query', vendor: 'gone' })).toMatchObject({ kind: 'ambiguous' });
      await desk.put({ task: 'query' });
      await desk.database.query('t-break', "UPDATE attempt SET part = '{' WHERE NOT done");
      expect((await desk.work())[0]?.report).toEqual({ kind: 'ambiguous', reason: 'unreadable-attempt' });
      expect(one.sent).toEqual([]);
    });

    test('takes it back and reports how that went', async () => {
      const one = desk.vendor('one', 'sms-smpp', { tasks: true });
      expect(await desk.reportOf({ task: 'revoke', providerId: 'x' })).toEqual({
        kind: 'taken-back',
        result: { kind: 'revoked' },
      });
      one.takenBack = () => {
        throw new Error('broken');
      };
      expect(await desk.reportOf({ task: 'revoke' })).toEqual({
        kind: 'taken-back',
        result: { kind: 'unknown', reason: 'adapter-failed' },
      });
      expect(desk.failures).toEqual(['adapter']);
    });

    /** Two dispatchers: the first was lost while it sent. */
    const interrupted = async () => {
      const id = await desk.put({});
      await desk.database.query('t-lost', "UPDATE attempt SET lease_owner = 'lost' WHERE id = $1", [id]);
      desk.clock.advance(LEASE_MS);
      return (await desk.work()).find((each) => each.id === id)?.report;
    };

    test('by a dispatcher that was lost is not called untaken because the repeat was not taken', async () => {
      const one = desk.vendor('one', 'sms-smpp', { idempotent: true });
      const lost = { kind: 'ambiguous', reason: 'interrupted' };
      for (const answer of [RETRY, { kind: 'auth-broken', reason: '401' } as const]) {
        one.answer = () => answer;
        expect(await interrupted(), answer.kind).toEqual(lost);
      }
      await close('one');
      expect(await interrupted()).toEqual(lost);
      expect(one.sent).toHaveLength(2);
    });

    test('by a dispatcher that was lost is repeated where the provider knows repeats, and nowhere else', async () => {
      const one = desk.vendor('one', 'sms-smpp', { idempotent: true });
      expect(await interrupted()).toMatchObject({ kind: 'accepted' });
      const plain = desk.vendor('one');
      expect(await interrupted()).toEqual({ kind: 'ambiguous', reason: 'interrupted' });
      expect([one.sent.length, plain.sent.length]).toEqual([1, 0]);
    });
  });

  describe('with a person the vendor may not reach', () => {
    test('is looked up once and then believed: a day where it reaches them, an hour where it does not', async () => {
      const one = desk.vendor('one', 'sms-smpp', { lookup: true });
      await desk.reportOf({});
      desk.clock.advance(23 * 3_600_000);
      await desk.reportOf({});
      expect([one.sent.length, one.asked.length]).toEqual([2, 1]);
      one.reach = () => ({ kind: 'unreachable', reason: 'no-rcs' });
      expect(await desk.reportOf({ recipient: 'bob' })).toEqual({ kind: 'downgrade', reason: 'no-capability' });
      expect(await desk.reportOf({ recipient: 'bob' })).toEqual({ kind: 'downgrade', reason: 'no-capability' });
      expect([one.sent.length, one.asked.length]).toEqual([2, 2]);
      desk.clock.advance(3_600_001);
      one.reach = () => ({ kind: 'reachable', features: ['revoke'] });
      expect(await desk.reportOf({ recipient: 'bob' })).toMatchObject({ kind: 'accepted' });
    });

    test('says so when what was there before is gone', async () => {
      const one = desk.vendor('one', 'sms-smpp', { lookup: true });
      await desk.reportOf({});
      desk.clock.advance(25 * 3_600_000);
      one.reach = () => ({ kind: 'unreachable', reason: 'no-rcs' });
      expect(await desk.reportOf({})).toEqual({ kind: 'downgrade', reason: 'capability-lost' });
      expect(await desk.reportOf({})).toEqual({ kind: 'downgrade', reason: 'no-capability' });
    });

    test('is sent when nobody can say, and asked about again the next time', async () => {
      const one = desk.vendor('one', 'sms-smpp', { lookup: true });
      one.reach = () => ({ kind: 'unknown', reason: 'timeout' });
      expect(await desk.reportOf({})).toMatchObject({ kind: 'accepted' });
      one.reach = () => {
        throw new Error('broken');
      };
      expect(await desk.reportOf({})).toMatchObject({ kind: 'accepted' });
      expect([one.asked.length, desk.failures]).toEqual([2, ['adapter']]);
    });

    test('that turns out unreachable in sending is remembered, for this person and this vendor alone', async () => {
      const [one, two] = [desk.vendor('one', 'sms-smpp', { lookup: true }), desk.vendor('two')];
      one.answer = () => ({ kind: 'downgrade', reason: '404' });
      await desk.reportOf({});
      one.answer = two.answer;
      expect(await desk.reportOf({})).toMatchObject({ kind: 'downgrade' });
      expect(await desk.reportOf({ vendor: 'two' })).toMatchObject({ kind: 'accepted' });
      expect(await desk.reportOf({ recipient: 'bob' })).toMatchObject({ kind: 'accepted' });
    });
  });

  test('keeps its outcome when what it tells of the vendor cannot be stored', async () => {
    const one = desk.vendor('one');
    one.answer = () => RETRY;
    await desk.database.query('t-away', 'ALTER TABLE vendor_health ADD CONSTRAINT none CHECK (failures = 0)');
    expect(await desk.reportOf({})).toEqual(RETRY);
    expect([desk.failures, await health()]).toEqual([['database'], []]);
  });

  test('is not sent once it has expired, however long it was kept on its way', async () => {
    const one = desk.vendor('one', 'sms-smpp', { lookup: true });
    one.reach = () => {
      desk.clock.advance(3_600_000);
      return { kind: 'reachable', features: [] };
    };
    expect(await desk.reportOf({})).toEqual({ kind: 'permanent', reason: 'expired' });
    expect(one.sent).toEqual([]);
  });

  test('is not sent, nor asked about, while nobody can say whether the vendor is closed', async () => {
    const one = desk.vendor('one', 'sms-smpp', { tasks: true });
    await desk.database.query('t-away', 'ALTER TABLE vendor_closed RENAME TO elsewhere');
    expect(await desk.reportOf({})).toMatchObject({ kind: 'retry-after', reason: 'database-away' });
    expect(await desk.reportOf({ task: 'query' })).toEqual({ kind: 'ambiguous', reason: 'database-away' });
    expect([one.sent, one.asked]).toEqual([[], []]);
  });
});
