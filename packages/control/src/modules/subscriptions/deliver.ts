/**
 * Deliveries: at least once, in no promised order. A row is leased, sent, and deleted or put off; whoever dies in between
 * leaves a lease that ends, and the same id is sent again. After the last try it is a dead letter and waits for a replay.
 */
import type { Signer } from '@sealpost/crypto/signer';
import type { Database, Logger, Surroundings } from '@sealpost/platform';
import { reached } from '../../points.ts';
import { createWorker, type Worker } from '../../worker.ts';
import { CLOUD_EVENT_TYPE } from './cloud-event.ts';
import {
  claimDeliveries,
  type Delivery,
  disable,
  eventPlace,
  markDelivered,
  markFailed,
  openAt,
  secretPlace,
} from './subscription-store.ts';
import type { Subscriptions } from './subscriptions.ts';
import { signWebhook } from './webhook-signature.ts';

export interface DeliverDeps {
  readonly database: Database;
  readonly subscriptions: Pick<Subscriptions, 'publish'>;
  readonly signer: Signer;
  readonly storageKey: Uint8Array;
  /** The guarded one: subscribers name these addresses. */
  readonly fetch: typeof fetch;
  readonly surroundings: Surroundings;
  readonly logger: Logger;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** How long after each failed try the next one comes, as Standard Webhooks suggests; together a little over three days. */
const SCHEDULE = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];
/** A subscription that took nothing for this long is left alone once a letter of it dies. */
const GIVEN_UP = 72 * HOUR;
const TIMEOUT = 15 * SECOND;
/** Longer than a try takes, with the time to write it down. */
const LEASE = MINUTE;
const AT_ONCE = 16;
const REST = 500;
const GONE = 'status 410';

export function createDeliveries(deps: DeliverDeps): Worker {
  const { database, logger } = deps;
  const work = async () => {
    const now = deps.surroundings.now();
    const claimed = await claimDeliveries(database, now, now + LEASE, AT_ONCE);
    await Promise.all(claimed.map((delivery) => deliver(delivery, deps)));
    return claimed.length === AT_ONCE;
  };
  return createWorker({ name: 'deliveries', work, rest: REST, logger });
}

async function deliver(delivery: Delivery, deps: DeliverDeps): Promise<void> {
  const code = await post(delivery, deps);
  const { database, surroundings, logger } = deps;
  if (code === undefined) reached('deliveries.taken');
  if (code === undefined) return database.transaction((tx) => markDelivered(tx, delivery));
  const now = surroundings.now();
  const wait = code === GONE ? undefined : SCHEDULE[delivery.tries];
  const due = wait === undefined ? undefined : now + wait + jitter(wait, surroundings);
  await database.transaction(async (tx) => {
    const since = await markFailed(tx, { delivery, code, due, now });
    if (due !== undefined || (code !== GONE && now - since < GIVEN_UP)) return;
    const owner = await disable(tx, delivery.subscription, now);
    if (owner === undefined) return;
    await deps.subscriptions.publish(tx, owner, {
      type: 'sealpost.subscription.disabled',
      subject: delivery.subscription,
      at: now,
      data: { subscription: delivery.subscription, code },
    });
  });
  logger.info(due === undefined ? 'event given up' : 'event not taken', { code, count: delivery.tries + 1 });
}

/** `undefined` when it was taken, else why not, in words a log may hold. */
async function post(delivery: Delivery, deps: DeliverDeps): Promise<string | undefined> {
  const { event, subscription, url } = delivery;
  const now = deps.surroundings.now();
  const body = await openAt(eventPlace(event, subscription), delivery.body, deps.storageKey);
  const sealed = [delivery.secret, ...(delivery.earlier_until > now ? [delivery.earlier_secret] : [])];
  const secrets = await Promise.all(
    sealed.flatMap((each) => (each === null ? [] : [openAt(secretPlace(subscription), each, deps.storageKey)])),
  );
  const headers = await signWebhook({ id: event, body, secrets, signer: deps.signer, now });
  try {
    const answer = await deps.fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': CLOUD_EVENT_TYPE },
      body: new Uint8Array(body),
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT),
    });
    await answer.body?.cancel();
    return answer.ok ? undefined : `status ${answer.status}`;
  } catch (error) {
    return failureOf(error);
  }
}

/** A machine's code; a message may hold the address. */
function failureOf(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN';
  if (error.name === 'TimeoutError') return 'TIMEOUT';
  const { cause } = error;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]{1,64}$/.test(code) ? code : 'UNKNOWN';
}

/** Up to a fifth more, so that what failed together does not come back together. */
function jitter(wait: number, { random }: Surroundings): number {
  const [octet = 0] = random(1);
  return Math.floor((wait * octet) / 1280);
}
