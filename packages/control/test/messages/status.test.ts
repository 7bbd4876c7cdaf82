/** What the timeline says of a message. Pure. */
import { expect, test } from 'vitest';
import { stateOf } from '../../src/modules/messages/status.ts';

const receipt = (kind: string) => ({ position: 1, event: { kind: 'receipt.device', receipt: kind } });
const ended = (state: string) => ({ position: 2, event: { kind: 'message.ended', state } });

test.each([
  ['a message no device has confirmed is accepted', [], 'accepted'],
  ['a delivery a device signed is delivered', [receipt('delivered')], 'delivered'],
  [
    'the furthest receipt counts, in whatever order they came',
    [receipt('acknowledged'), receipt('delivered')],
    'acknowledged',
  ],
  ['read counts more than how the ladder ended', [receipt('read'), ended('expired')], 'read'],
  ['taken back counts more than delivered', [receipt('delivered'), ended('revoked')], 'revoked'],
  ['read counts more than taken back afterwards', [ended('revoked'), receipt('read')], 'read'],
  ['an end without any receipt is the state', [ended('undeliverable')], 'undeliverable'],
  ['a device that could not read it has not confirmed it', [receipt('unreadable'), ended('expired')], 'expired'],
])('%s', (_title, events, state) => {
  expect(stateOf({ message: 'x', events } as never)).toBe(state);
});
