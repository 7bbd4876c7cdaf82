/**
 * What a dispatcher does with single attempts: rows as the gateway writes them on a real database, vendors that answer as a
 * test says and remember what they were asked, a clock that only tests move, and as many nodes as a test opens.
 */
import { randomUUID } from 'node:crypto';
import type { Adapter, Reach, Attempt as Sending, Sent } from '@sealpost/channels';
import { createDispatchKey } from '@sealpost/crypto/dispatch';
import { sealCarrier } from '@sealpost/crypto/seal';
import type { Database } from '@sealpost/platform';
import {
  type AdapterName,
  channelNameSchema,
  flowNameSchema,
  organisationSchema,
  type Protection,
  type Use,
} from '@sealpost/protocol';
import type { Outcome, Payload, Report, RevokeResult } from '@sealpost/protocol/carriage';
import type { Bound } from '../../src/dispatcher/claim-schema.ts';
import { claimAttempts, reportOutcome } from '../../src/dispatcher/claims.ts';
import { perform } from '../../src/dispatcher/task.ts';
import type { Vendor } from '../../src/dispatcher/vendor.ts';
import { type Clock, movableClock, openTestDatabase } from '../support/gateway-log.ts';

export const PAYLOADS = {
  notice: { kind: 'notice', text: 'A message is waiting.', url: 'https://inbox.acme.example/' },
  link: { kind: 'link', text: 'Open this.', url: 'https://inbox.acme.example/l#secret' },
  carry: { kind: 'clear', text: 'The pump is down.', suggestions: [] },
} as const satisfies Record<Use, Payload>;

export const ADDRESS = '+4915112345678';

export interface Row {
  readonly vendor: string;
  readonly adapter: AdapterName;
  readonly use: Use;
  readonly floor: Protection;
  readonly payload: Payload;
  readonly recipient: string;
  readonly limits: readonly Bound[];
  readonly task: 'send' | 'query' | 'revoke';
  readonly providerId: string | null;
}

export interface FakeVendor extends Vendor {
  readonly sent: Sending[];
  readonly asked: (string | Sent)[];
  answer: (attempt: Sending) => Outcome | Promise<Outcome>;
  reach: (address: string) => Reach;
  became: (sent: Sent) => Outcome;
  takenBack: (sent: Sent) => RevokeResult;
}

export interface Worked {
  readonly id: string;
  readonly report: Report;
}

export interface Desk extends AsyncDisposable {
  readonly database: Database;
  readonly clock: Clock;
  readonly vendors: Map<string, FakeVendor>;
  /** What `failed` was told. */
  readonly failures: string[];
  /** Another dispatcher's own connections. */
  node(): Database;
  vendor(
    name: string,
    adapter?: AdapterName,
    can?: Partial<Record<'idempotent' | 'lookup' | 'tasks', boolean>>,
  ): FakeVendor;
  /** A row that is due, of a message of its own; answers the attempt's id. */
  put(row?: Partial<Row>): Promise<string>;
  /** Claims what is due, performs it all side by side and reports it. */
  work(node?: Database): Promise<Worked[]>;
  reportOf(row: Partial<Row>): Promise<Report>;
}

export async function createDesk(): Promise<Desk> {
  const opened = await openTestDatabase();
  const { database } = opened;
  const clock = movableClock();
  let now = clock.now();
  clock.now = () => now;
  clock.advance = (ms) => {
    now += ms;
  };
  const { key } = await createDispatchKey();
  const vendors = new Map<string, FakeVendor>();
  const failures: string[] = [];

  const desk: Desk = {
    database,
    clock,
    vendors,
    failures,
    node: opened.open,
    vendor(name, adapter = 'sms-smpp', { idempotent = false, lookup = false, tasks = false } = {}) {
      const fake: FakeVendor = {
        name: adapter,
        sent: [],
        asked: [],
        answer: ({ id }) => ({ kind: 'accepted', providerMessageId: `p-${id}` }),
        reach: () => ({ kind: 'reachable', features: [] }),
        became: () => ({ kind: 'ambiguous', reason: 'unknown' }),
        takenBack: () => ({ kind: 'revoked' }),
        adapter: {
          capabilities: { idempotent } as Adapter['capabilities'],
          start: async () => undefined,
          stop: async () => undefined,
          async send(attempt) {
            fake.sent.push(attempt);
            return fake.answer(attempt);
          },
          ...(lookup
            ? {
                async lookup(address: string) {
                  fake.asked.push(address);
                  return fake.reach(address);
                },
              }
            : {}),
          ...(tasks
            ? {
                async query(sent: Sent) {
                  fake.asked.push(sent);
                  return fake.became(sent);
                },
                async revoke(sent: Sent) {
                  fake.asked.push(sent);
                  return fake.takenBack(sent);
                },
              }
            : {}),
        },
      };
      vendors.set(name, fake);
      return fake;
    },
    async put(wished = {}) {
      const row: Row = {
        vendor: 'one',
        adapter: 'sms-smpp',
        use: 'notice',
        floor: 'e2ee',
        payload: PAYLOADS[wished.use ?? 'notice'],
        recipient: 'alice',
        limits: [],
        task: 'send',
        providerId: null,
        ...wished,
      };
      const id = randomUUID();
      const message = clock.messageId();
      const expires = now + 3_600_000;
      const channel = channelNameSchema.parse('main');
      const binding = {
        organisation: organisationSchema.parse('acme.example'),
        message,
        flow: flowNameSchema.parse('alerts'),
      };
      const part = await sealCarrier(
        { v: 1, message, channel, address: ADDRESS, expires, payload: row.payload },
        { ...binding, channel, use: row.use, dispatchKeyId: key.id, publicKey: key.publicKey },
      );
      await database.query(
        't-attempt',
        `INSERT INTO attempt (id, lane, message, step, organisation, flow, floor, channel, vendor, adapter, use, try, part, expires,
           available_at, recipient, limits, task, provider_id)
         VALUES ($1, 0, $2, 0, $3, $4, $5, $6, $7, $8, $9, 1, $10, $11, $12, $13, $14, $15, $16)`,
        [id, message, binding.organisation, binding.flow, row.floor, channel, row.vendor, row.adapter, row.use]
          .concat([JSON.stringify(part)])
          .concat([expires, now, row.recipient, JSON.stringify(row.limits), row.task, row.providerId] as never[]),
      );
      return id;
    },
    async work(node = database) {
      const claimed = await claimAttempts(node, randomUUID(), 1000, now);
      const failed = (what: string) => void failures.push(what);
      const deps = { vendors, key, database: node, now: clock.now, failed };
      return Promise.all(
        claimed.map(async (each) => {
          const report = await perform(each, deps);
          await reportOutcome(node, each.lease, report, now);
          return { id: each.lease.id, report };
        }),
      );
    },
    async reportOf(row) {
      const id = await desk.put(row);
      const worked = (await desk.work()).find((each) => each.id === id);
      if (worked === undefined) throw new Error('the attempt was not claimed');
      return worked.report;
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
  return desk;
}
