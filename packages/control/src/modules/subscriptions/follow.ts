/**
 * From the gateway's log to events of messages applications sent. The position moves in the transaction that stores the
 * events made up to it: each entry makes its events once, whichever node reads it and wherever that one dies.
 */
import type { Database, Logger, Sql } from '@sealpost/platform';
import type { LogEvent } from '@sealpost/protocol';
import type { GatewayClient } from '../../gateway/gateway-client.ts';
import { reached } from '../../points.ts';
import { createWorker, type Worker } from '../../worker.ts';
import type { NewEvent } from './cloud-event.ts';
import type { Subscriptions } from './subscriptions.ts';

/** Who sent a message, and in which flow; `undefined` for what no application sent. */
export type SenderOf = (
  message: string,
) => Promise<{ readonly application: string; readonly flow: string } | undefined>;

export interface FollowDeps {
  readonly database: Database;
  readonly gateway: Pick<GatewayClient, 'events'>;
  readonly subscriptions: Pick<Subscriptions, 'publish'>;
  readonly senderOf: SenderOf;
  readonly logger: Logger;
}

const AT_ONCE = 100;
/** How long a stop may have to wait for it. */
const WAIT = 1000;
const REST = 1000;

export function createFollower({ database, gateway, subscriptions, senderOf, logger }: FollowDeps): Worker {
  const work = async () => {
    const after = await positionOf(database);
    const entries = await gateway.events(after, AT_ONCE, WAIT);
    const last = entries.at(-1);
    if (last === undefined) return true;
    const told = await Promise.all(entries.map(({ event }) => addressed(event, senderOf)));
    await database.transaction(async (tx) => {
      if (!(await moved(tx, after, last.position))) return;
      for (const each of told) if (each !== undefined) await subscriptions.publish(tx, each.audience, each.event);
      reached('subscriptions.followed');
    });
    return true;
  };
  return createWorker({ name: 'follower', work, rest: REST, logger });
}

/** An entry as an event with its audience; `undefined` for what concerns no application. */
async function addressed(entry: LogEvent, senderOf: SenderOf) {
  const event = eventOf(entry);
  const sender = event === undefined ? undefined : await senderOf(event.subject);
  if (event === undefined || sender === undefined) return undefined;
  const { application, flow } = sender;
  return { audience: { application, flows: [flow] }, event: { ...event, data: { ...event.data, flow } } };
}

/** What an application is told of an entry; nothing of what the message says is in it. */
function eventOf(event: LogEvent): NewEvent | undefined {
  switch (event.kind) {
    case 'receipt.device':
      if (event.receipt === 'unreadable') return undefined;
      return about(event, event.receipt === 'delivered' ? 'delivered' : 'read', { by: 'device' });
    case 'receipt.provider':
      if (event.effect !== 'counted' || (event.status !== 'delivered' && event.status !== 'read')) return undefined;
      return about(event, event.status, { by: 'provider', channel: event.channel });
    case 'message.ended':
      return about(event, 'ended', { state: event.state, reason: event.reason });
    case 'message.revoked':
      return about(event, 'revoked', {});
    default:
      return undefined;
  }
}

function about(
  { message, at }: { readonly message: string; readonly at: number },
  what: 'delivered' | 'read' | 'ended' | 'revoked',
  data: Readonly<Record<string, string>>,
): NewEvent {
  return { type: `sealpost.message.${what}`, subject: message, at, data: { message, ...data } };
}

async function positionOf(sql: Sql): Promise<number> {
  const [row] = await sql.query<{ position: number }>('event-cursor', 'SELECT position FROM event_cursor');
  return row?.position ?? -1;
}

/** False when another node has moved it. */
async function moved(tx: Sql, from: number, to: number): Promise<boolean> {
  const text = 'UPDATE event_cursor SET position = $2 WHERE position = $1 RETURNING position';
  return (await tx.query('event-cursor-move', text, [from, to])).length === 1;
}
