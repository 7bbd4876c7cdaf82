/** The rows of `subscription` and `event_delivery`. What is sealed here is bound to the row it stands in. */
import { openState } from '@sealpost/crypto/open';
import { sealState } from '@sealpost/crypto/seal';
import type { Sql } from '@sealpost/platform';
import type { controlApi, FlowName } from '@sealpost/protocol';
import { subscriptionsError } from './subscriptions-errors.ts';

type SubscriptionId = controlApi.SubscriptionId;
type SubscribedType = controlApi.SubscribedType;

export interface Subscription {
  readonly subscription: SubscriptionId;
  readonly url: string;
  readonly types: SubscribedType[];
  readonly flows: FlowName[];
  readonly created: number;
  readonly disabled: number | null;
}

export interface Delivery {
  readonly event: string;
  readonly subscription: SubscriptionId;
  readonly body: Uint8Array;
  /** Tries before this one. */
  readonly tries: number;
  readonly url: string;
  readonly secret: Uint8Array;
  readonly earlier_secret: Uint8Array | null;
  readonly earlier_until: number;
}

const VERSION = 1;

export const secretPlace = (subscription: string) => `sealpost/control/subscription-secret/${subscription}`;
export const eventPlace = (event: string, subscription: string) => `sealpost/control/event/${event}/${subscription}`;

export function sealAt(place: string, bytes: Uint8Array, key: Uint8Array): Promise<Uint8Array> {
  return sealState(bytes, key, { purpose: place, version: VERSION });
}

/** Throws ERR_SUBSCRIPTIONS_SEALED for bytes that were not sealed so, for this place. */
export async function openAt(place: string, sealed: Uint8Array, key: Uint8Array): Promise<Uint8Array> {
  // A copy: what the database driver hands out may be a window onto a larger buffer.
  const opened = await openState(Uint8Array.from(sealed), key, { purpose: place, version: VERSION });
  if (opened.kind === 'refused') throw subscriptionsError('ERR_SUBSCRIPTIONS_SEALED');
  return opened.state;
}

export async function listSubscriptions(sql: Sql, application: string): Promise<Subscription[]> {
  return sql.query<Subscription>(
    'subscription-list',
    `SELECT subscription, url, types, flows, created_at AS created, disabled_at AS disabled
     FROM subscription WHERE application = $1 ORDER BY created_at, subscription`,
    [application],
  );
}

export interface NewSubscription extends Omit<Subscription, 'disabled'> {
  readonly application: string;
  /** Sealed. */
  readonly secret: Uint8Array;
}

export async function addSubscription(tx: Sql, row: NewSubscription): Promise<void> {
  await tx.query(
    'subscription-add',
    `INSERT INTO subscription (subscription, application, url, types, flows, secret, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [row.subscription, row.application, row.url, row.types, row.flows, row.secret, row.created],
  );
}

/** Whose subscriptions are told of something: `application` alone where it concerns one, else all with one of the flows. */
export interface Audience {
  readonly application?: string;
  readonly flows: readonly string[];
}

/** A flow that was taken from its application since is not told of any more. */
export async function audienceOf(
  tx: Sql,
  type: SubscribedType,
  { application, flows }: Audience,
): Promise<SubscriptionId[]> {
  const rows = await tx.query<{ subscription: SubscriptionId }>(
    'subscription-audience',
    `SELECT subscription FROM subscription JOIN application USING (application)
     WHERE disabled_at IS NULL AND $1 = ANY (types) AND ($2::text IS NULL OR application = $2)
       AND EXISTS (SELECT FROM unnest($3::text[]) AS f WHERE f = ANY (subscription.flows) AND f = ANY (application.flows))`,
    [type, application ?? null, flows],
  );
  return rows.map(({ subscription }) => subscription);
}

export interface NewDelivery {
  readonly event: string;
  readonly subscription: SubscriptionId;
  readonly type: SubscribedType;
  /** Sealed. */
  readonly body: Uint8Array;
  readonly now: number;
}

export async function addDelivery(tx: Sql, { event, subscription, type, body, now }: NewDelivery): Promise<void> {
  await tx.query(
    'event-delivery-add',
    `INSERT INTO event_delivery (event, subscription, type, body, made_at, due) VALUES ($1, $2, $3, $4, $5, $5)`,
    [event, subscription, type, body, now],
  );
}

/** Rows no other node holds; a node that dies gives them back when its lease ends. */
export async function claimDeliveries(sql: Sql, now: number, lease: number, limit: number): Promise<Delivery[]> {
  return sql.query<Delivery>(
    'event-delivery-claim',
    `WITH next AS (
       SELECT event, subscription FROM event_delivery JOIN subscription USING (subscription)
       WHERE NOT dead AND due <= $1 AND leased_until <= $1 AND disabled_at IS NULL
       ORDER BY due LIMIT $3 FOR UPDATE OF event_delivery SKIP LOCKED
     )
     UPDATE event_delivery AS d SET leased_until = $2 FROM next JOIN subscription AS s USING (subscription)
     WHERE d.event = next.event AND d.subscription = next.subscription
     RETURNING d.event, d.subscription, d.body, d.tries, s.url, s.secret, s.earlier_secret, s.earlier_until`,
    [now, lease, limit],
  );
}

export async function markDelivered(tx: Sql, { event, subscription }: Delivery): Promise<void> {
  await tx.query('event-delivery-done', 'DELETE FROM event_delivery WHERE event = $1 AND subscription = $2', [
    event,
    subscription,
  ]);
  const text = 'UPDATE subscription SET failing_since = NULL WHERE subscription = $1 AND failing_since IS NOT NULL';
  await tx.query('subscription-works', text, [subscription]);
}

export interface Failed {
  readonly delivery: Delivery;
  readonly code: string;
  /** `undefined` after the last try. */
  readonly due: number | undefined;
  readonly now: number;
}

/** Answers since when its subscription fails. A row that was tried by another node meanwhile stays as that one left it. */
export async function markFailed(tx: Sql, { delivery, code, due, now }: Failed): Promise<number> {
  const { event, subscription, tries } = delivery;
  await tx.query(
    'event-delivery-failed',
    `UPDATE event_delivery SET tries = tries + 1, code = $4, due = $5, dead = $6, leased_until = 0
     WHERE event = $1 AND subscription = $2 AND tries = $3`,
    [event, subscription, tries, code, due ?? now, due === undefined],
  );
  const [row] = await tx.query<{ since: number }>(
    'subscription-fails',
    `UPDATE subscription SET failing_since = coalesce(failing_since, $2) WHERE subscription = $1
     RETURNING failing_since AS since`,
    [subscription, now],
  );
  return row?.since ?? now;
}

/** Answers whose it was, or `undefined` when it was disabled before or is gone. */
export async function disable(tx: Sql, subscription: SubscriptionId, now: number) {
  const [row] = await tx.query<{ application: string; flows: string[] }>(
    'subscription-disable',
    `UPDATE subscription SET disabled_at = $2 WHERE subscription = $1 AND disabled_at IS NULL
     RETURNING application, flows`,
    [subscription, now],
  );
  return row;
}

export async function listDead(sql: Sql, subscription: SubscriptionId) {
  return sql.query<{ event: string; type: SubscribedType; made: number; tries: number; code: string }>(
    'event-delivery-dead',
    `SELECT event, type, made_at AS made, tries, code FROM event_delivery
     WHERE subscription = $1 AND dead ORDER BY made_at, event LIMIT 100`,
    [subscription],
  );
}

/** All of them where `event` is not given. A subscription that was disabled is tried again by this. */
export async function replayDead(tx: Sql, subscription: SubscriptionId, now: number, event?: string): Promise<number> {
  const rows = await tx.query(
    'event-delivery-replay',
    `UPDATE event_delivery SET dead = false, tries = 0, due = $2, leased_until = 0
     WHERE subscription = $1 AND dead AND ($3::uuid IS NULL OR event = $3) RETURNING event`,
    [subscription, now, event ?? null],
  );
  const text = 'UPDATE subscription SET disabled_at = NULL, failing_since = NULL WHERE subscription = $1';
  if (rows.length > 0) await tx.query('subscription-again', text, [subscription]);
  return rows.length;
}
