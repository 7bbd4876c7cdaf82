/** Points of the dispatcher at which a crash is tried: around what a provider does and what is stored of it. */
import { type PointTable, pointsOf } from '@sealpost/platform';

export const DISPATCHER_POINTS = {
  'attempt.claimed': 'attempts are leased, none was tried',
  'attempt.answered': 'a provider has answered or failed to, nothing is reported',
  'attempt.reported': 'an outcome is durable, the gateway had no hint',
  'webhook.received': 'a provider’s webhook is here, unread',
  'receipts.before-store': 'what a provider told is verified, not stored',
  'receipts.stored': 'what a provider told is durable, the provider was not told',
} as const satisfies PointTable;

export const reached = pointsOf(DISPATCHER_POINTS);
