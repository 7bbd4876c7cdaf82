/**
 * What people send back on its way to control: sealed by the dispatcher under the one right it has, told by the gateway,
 * which cannot read it, until control has it. The key is control's, and only here in the test.
 */
import { createUnwrappingKey, openInbound, type UnwrappingKey } from '@sealpost/crypto/open';
import { createLogger, type Database, openDatabase, type Sql } from '@sealpost/platform';
import { type VendorName, vendorNameSchema } from '@sealpost/protocol';
import type { Inbound } from '@sealpost/protocol/carriage';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { dropDatabase } from '../../../cli/src/postgres/index.ts';
import { createInboundStore, type StoreInbound } from '../../src/dispatcher/inbound.ts';
import { createInbound, NAMES_KEPT } from '../../src/modules/inbound/inbound.ts';
import { createBus } from '../../src/platform/bus.ts';
import { until } from '../delivery/bench.ts';
import { createDispatcherRole } from '../dispatcher/role.ts';
import { quiet } from '../support/gateway-log.ts';
import { startTestGateway, type TestGateway } from '../support/running-gateway.ts';

const [RCS, SMS] = [vendorNameSchema.parse('rcs-main'), vendorNameSchema.parse('sms-main')];
const SECRET = 'The pump is on fire';
const ADDRESS = '+4915112345678';
const textOf = (id: string, text = SECRET): Inbound => ({ id, address: ADDRESS, content: { kind: 'text', text } });

interface Told {
  readonly position: number;
  readonly vendor: VendorName;
  readonly key: UnwrappingKey['id'];
  readonly encapsulated: string;
  readonly ciphertext: string;
}

describe('messages from outside', () => {
  let gateway: TestGateway;
  let guest: Database;
  let names: { readonly role: string; readonly database: string };
  let key: UnwrappingKey;
  let logged: string[];
  let store: StoreInbound;
  beforeAll(async () => {
    gateway = await startTestGateway();
    const created = await createDispatcherRole(gateway.database);
    names = created;
    guest = openDatabase({ ...created, user: created.role });
    ({ key } = await createUnwrappingKey());
  });
  beforeEach(async () => {
    logged = [];
    store = storeWith(key);
    await gateway.database.query('t-empty', 'TRUNCATE inbound');
  });
  afterAll(async () => {
    await guest.close();
    await gateway[Symbol.asyncDispose]();
    await dropDatabase(inject('postgres'), names);
  });

  const organisation = () => gateway.organisation.trust.organisation;
  const storeWith = (recipient: UnwrappingKey | undefined, sql: Sql = guest): StoreInbound =>
    createInboundStore({
      sql,
      organisation: organisation(),
      recipient,
      now: gateway.clock.now,
      logger: createLogger('test', 'debug', { write: (line) => void logged.push(line) }),
    });
  const told = async (query = ''): Promise<Told[]> =>
    (await gateway.call('GET', `/internal/v1/inbound${query}`)).json.inbound;
  const acknowledge = async (position: number) =>
    (await gateway.call('POST', '/internal/v1/inbound/acknowledge', { position })).status;
  const opened = async ({ vendor, ...sealed }: Told) => {
    const verdict = await openInbound(sealed, key, { organisation: organisation(), vendor });
    return verdict.kind === 'ok' ? verdict.message.inbound : verdict.reason;
  };
  const rows = () => gateway.database.query('t-rows', 'SELECT * FROM inbound');

  test('reach control in their order, and only control can read them', async () => {
    const tap: Inbound = { id: '2', address: ADDRESS, content: { kind: 'suggestion', data: 'ack' }, about: 'p-1' };
    await store(RCS, [textOf('1'), tap]);
    await store(SMS, [{ id: '1', address: ADDRESS, content: { kind: 'opt-out' } }]);
    const answers = await told();
    expect(answers.map(({ vendor }) => vendor)).toEqual([RCS, RCS, SMS]);
    expect(await Promise.all(answers.map(opened))).toEqual([textOf('1'), tap, expect.objectContaining({ id: '1' })]);
    const everything = JSON.stringify(await rows()) + logged.join();
    for (const secret of [SECRET, ADDRESS, ADDRESS.slice(1), 'ack']) expect(everything).not.toContain(secret);
  });

  test('are told until control has acknowledged them; then the sealed bodies are gone', async () => {
    await store(RCS, [textOf('1'), textOf('2')]);
    const [first, second] = await told();
    expect(await acknowledge(first!.position)).toBe(204);
    expect(await acknowledge(first!.position)).toBe(204);
    expect((await told()).map(({ position }) => position)).toEqual([second!.position]);
    expect(await told(`?after=${second!.position}`)).toEqual([]);
    expect((await rows()).filter(({ ciphertext }) => ciphertext !== null)).toHaveLength(1);
  });

  test('that a vendor tells again change nothing, before control has them or after', async () => {
    await store(RCS, [textOf('1'), textOf('1')]);
    const [only, ...more] = await told();
    expect(more).toEqual([]);
    await acknowledge(only!.position);
    await store(RCS, [textOf('1')]);
    expect(await told()).toEqual([]);
    await store(SMS, [textOf('1')]);
    expect(await told()).toHaveLength(1);
  });

  test('are known by name for eight days after control has them, and kept without end until then', async () => {
    await store(RCS, [textOf('1'), textOf('2')]);
    const [first] = await told();
    await acknowledge(first!.position);
    const { clock, database } = gateway;
    const at = (now: number) =>
      createInbound({
        database,
        bus: createBus({ database, logger: quiet }),
        logger: quiet,
        surroundings: { now: () => now },
      });
    await at(clock.now() + NAMES_KEPT - 60_000).prune();
    expect(await rows()).toHaveLength(2);
    await at(clock.now() + NAMES_KEPT + 60_000).prune();
    expect((await told()).map(({ position }) => position)).toEqual([first!.position + 1]);
    expect(await rows()).toHaveLength(1);
  });

  test('never appear below one that was told already, whatever transaction ends first', async () => {
    let commit: (() => void) | undefined;
    const committing = new Promise<void>((resolve) => {
      commit = resolve;
    });
    let begun = false;
    const slow = guest.transaction(async (tx) => {
      await storeWith(key, tx)(RCS, [textOf('slow')]);
      begun = true;
      await committing;
    });
    await until(async () => begun, 'the first is stored and not committed');
    let stored = false;
    const quick = store(RCS, [textOf('quick')]).then(() => {
      stored = true;
    });
    const waits = () =>
      gateway.database.query('t-locks', "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted");
    await until(async () => stored || (await waits()).length > 0, 'the second is stored or waits');
    expect(await told()).toEqual([]);
    commit?.();
    await Promise.all([slow, quick]);
    expect((await Promise.all((await told()).map(opened))).map((each) => typeof each === 'object' && each.id)).toEqual([
      'slow',
      'quick',
    ]);
  });

  test('answer a control that waits as soon as there is one', async () => {
    const waiting = told('?wait=30000');
    await store(RCS, [textOf('1')]);
    expect(await waiting).toHaveLength(1);
  });

  test('are answered in portions: as many as asked for, and never more than a few megabytes', async () => {
    for (let id = 0; id < 14; id += 1) await store(RCS, [textOf(String(id), 'x'.repeat(199_000))]);
    expect(await told('?limit=3')).toHaveLength(3);
    const first = await told('?limit=1000');
    expect(first.length).toBeGreaterThan(8);
    expect(first.length).toBeLessThan(14);
    expect(await told(`?after=${first.at(-1)!.position}`)).toHaveLength(14 - first.length);
  });

  test('without an inbound key in the trust file are dropped, counted and named in no log', async () => {
    await storeWith(undefined)(RCS, [textOf('1'), textOf('2')]);
    expect(await rows()).toEqual([]);
    expect(logged.map((line) => JSON.parse(line))).toMatchObject([
      { vendor: 'rcs-main', count: 2, reason: 'no inbound key' },
    ]);
    expect(logged.join()).not.toContain(SECRET);
  });

  test('that can never be kept are dropped and hold up none beside them', async () => {
    const [whole, half] = ['\u{1f525}', '\u{1f525}'.slice(0, 1)];
    await store(RCS, [textOf('long', '漢'.repeat(150_000)), textOf('cut', `fire ${half}`), textOf('whole', whole)]);
    expect(await Promise.all((await told()).map(opened))).toMatchObject([
      { content: { text: 'fire \ufffd' } },
      { content: { text: whole } },
    ]);
    expect(logged).toHaveLength(1);
  });

  test('are for control alone', async () => {
    const dispatcher = await gateway.organisation.credentials('dispatcher');
    expect((await gateway.call('GET', '/internal/v1/inbound', undefined, dispatcher)).status).toBe(403);
    expect((await gateway.call('POST', '/internal/v1/inbound/acknowledge', { position: 1 }, dispatcher)).status).toBe(
      403,
    );
    await expect(guest.query('t-read', 'SELECT * FROM inbound')).rejects.toMatchObject({ code: '42501' });
  });
});
