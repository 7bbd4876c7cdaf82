/**
 * What delivery is given besides the database, as little as it uses: the log (append, lane lock, reading), the groups'
 * device queues, the directory. They stand in the same transactions, on the tables of the model.
 */
import type { Sql } from '@sealpost/platform';
import { canonicalBytes, type Envelope, type MessageId } from '@sealpost/protocol';
import type { DeliveryDeps } from '../../packages/gateway/src/modules/delivery/index.ts';
import type { Statement } from './delivery-statements.ts';
import type { Material } from './material.ts';
import type { PlannedConversation } from './plan.ts';
import type { EnvelopeRow, LaneEventRow, Tables } from './rows.ts';

type Ports = Pick<DeliveryDeps, 'log' | 'groups' | 'directory'>;

/** `log-lock-lanes`, `log-append`, `log-histories`, `log-read-lane`, `log-envelopes` and the queue's insert. */
export function portStatements({ lane, laneEvent, envelope, queue }: Tables): Record<string, Statement> {
  const bySequence = (a: LaneEventRow, b: LaneEventRow) => a.seq - b.seq;
  return {
    async 'port:lock'(tx, [number]) {
      await tx.lock(lane, String(number));
      return [];
    },
    async 'port:append'(tx, values) {
      const [number, events] = values as [number, LaneEventRow['event'][]];
      const [row] = await tx.update(
        lane,
        (row) => row.lane === number,
        (row) => ({ ...row, head: row.head + events.length }),
      );
      for (const [index, event] of events.entries())
        await tx.insert(laneEvent, { lane: number, seq: row!.before.head + index + 1, event });
      return [];
    },
    async 'port:events'(tx, [messages]) {
      const wanted = messages as readonly string[];
      return tx
        .all(laneEvent)
        .filter(({ event }) => wanted.includes(event.message))
        .sort(bySequence);
    },
    async 'port:read'(tx, values) {
      const [number, after, limit] = values as [number, number, number];
      const rows = tx.all(laneEvent).filter((row) => row.lane === number && row.seq > after);
      return rows.sort(bySequence).slice(0, limit);
    },
    async 'port:envelopes'(tx, [messages]) {
      return (messages as readonly string[]).flatMap((message) => tx.get(envelope, message) ?? []);
    },
    async 'port:store'(tx, values) {
      const [sent] = values as [Envelope];
      await tx.insert(envelope, { message: sent.message, body: canonicalBytes(sent) });
      return [];
    },
    async 'port:unqueue'(tx, [message]) {
      await tx.remove(queue, (row) => row.message === message && !row.fetched);
      return [];
    },
    async 'port:fetch'(tx, [id]) {
      const rows = await tx.update(
        queue,
        (row) => row.id === id,
        (row) => ({ ...row, fetched: true }),
      );
      return rows.map(() => ({ one: 1 }));
    },
    async 'port:enqueue'(tx, values) {
      const [devices, conversation, message] = values as [string[], string, string];
      for (const device of devices)
        await tx.insert(
          queue,
          { id: queue.identity(), device, conversation, message, fetched: false },
          () => undefined,
        );
      return [];
    },
  };
}

export function portsOf(conversations: readonly PlannedConversation[], material: Material): Ports {
  const conversationOf = (id: string) => conversations.find((conversation) => conversation.id === id)!;
  const laneOf = (key: string) => conversationOf(key).lane;
  const envelopes = async (sql: Sql, messages: readonly MessageId[]) => {
    const rows = await sql.query<EnvelopeRow>('port:envelopes', '', [messages]);
    return new Map(rows.map(({ message, body }) => [message, JSON.parse(Buffer.from(body).toString()) as Envelope]));
  };
  return {
    log: {
      laneOf,
      envelopes,
      lockLane: async (tx, lane) => void (await tx.query('port:lock', '', [lane])),
      async append(tx, entries) {
        const [first] = entries;
        if (first !== undefined)
          await tx.query('port:append', '', [laneOf(first.laneKey), entries.map(({ event }) => event)]);
        return [];
      },
      async histories(sql, messages) {
        const rows = await sql.query<LaneEventRow>('port:events', '', [messages]);
        const events = Map.groupBy(rows, ({ event }) => event.message);
        return new Map([...events].map(([message, of]) => [message, of.map(({ event }) => event)]));
      },
      async read(sql, lane, after, limit) {
        const rows = await sql.query<LaneEventRow>('port:read', '', [lane, after, limit]);
        return rows.map((row) => ({ lane: row.lane, sequence: row.seq, event: row.event }));
      },
      envelope: async (sql, message) => (await envelopes(sql, [message])).get(message),
    },
    groups: {
      devices: async (_sql, conversation) => [...conversationOf(conversation).devices],
      devicesOf: async (_sql, ids) => new Map(ids.map((id) => [id, [...conversationOf(id).devices]])),
      unqueue: async (tx, message) => void (await tx.query('port:unqueue', '', [message])),
      async enqueue(tx, devices, item) {
        if (item.kind === 'envelope') await tx.query('port:enqueue', '', [devices, item.conversation, item.message]);
      },
    },
    directory: {
      device: async (device) =>
        ({ device, active: true, publicJwk: material.devicePublicKey }) as unknown as Awaited<
          ReturnType<Ports['directory']['device']>
        >,
    },
  };
}
