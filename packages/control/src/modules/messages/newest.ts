/** The newest messages and how each stands: names from control's own rows, states from the gateway's events. */
import type { Sql } from '@sealpost/platform';
import type { ConsoleMessage, LogEvent, MessageId } from '@sealpost/protocol';
import type { GatewayClient } from '../../gateway/gateway-client.ts';
import { newestRequests } from './request-store.ts';
import { stateOf } from './status.ts';

const NEWEST = 50;

export async function newestMessages(sql: Sql, gateway: Pick<GatewayClient, 'results'>): Promise<ConsoleMessage[]> {
  const rows = await newestRequests(sql, NEWEST);
  if (rows.length === 0) return [];
  const known = byMessage(await gateway.results(rows.map(({ message }) => message)));
  return rows.map((row) => ({ ...row, state: stateOfKnown(known.get(row.message)) }));
}

function byMessage(events: readonly LogEvent[]): Map<MessageId, LogEvent[]> {
  const sorted = new Map<MessageId, LogEvent[]>();
  for (const event of events) {
    if (!('message' in event)) continue;
    sorted.set(event.message, [...(sorted.get(event.message) ?? []), event]);
  }
  return sorted;
}

/** No event at all: the gateway has not taken it, whatever control's own row says after a crash. */
function stateOfKnown(events: readonly LogEvent[] | undefined): ConsoleMessage['state'] {
  return events === undefined ? 'stored' : stateOf({ events: events.map((event) => ({ event, position: null })) });
}
