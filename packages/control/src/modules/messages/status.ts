/** What became of a message, read from its events: what a person did with it, that it was taken back, the furthest
 * a device has confirmed, else how it ended. */
import type { MessageStatus, Timeline } from '@sealpost/protocol';

export function stateOf({ events }: Pick<Timeline, 'events'>): MessageStatus['state'] {
  const confirmed = new Set(events.flatMap(({ event }) => (event.kind === 'receipt.device' ? [event.receipt] : [])));
  if (confirmed.has('acknowledged')) return 'acknowledged';
  if (confirmed.has('read')) return 'read';
  const ended = events.flatMap(({ event }) => (event.kind === 'message.ended' ? [event.state] : [])).at(-1);
  if (ended === 'revoked') return 'revoked';
  if (confirmed.has('delivered')) return 'delivered';
  return ended ?? 'accepted';
}
