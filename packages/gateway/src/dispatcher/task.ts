/**
 * What an attempt asks for: send it, ask what became of it, take it back. The form exists in clear only within one call
 * here. A row that cannot be read, and an adapter that breaks its contract, are reported as what they may have caused.
 */
import type { Sent } from '@sealpost/channels';
import { openCarrier } from '@sealpost/crypto/dispatch';
import type { Report } from '@sealpost/protocol/carriage';
import type { Attempt, Claimed } from './claim-schema.ts';
import { isClosed } from './hurdles.ts';
import { type TaskDeps, trySending } from './try.ts';
import type { Vendor } from './vendor.ts';

export async function perform({ attempt, task }: Claimed, deps: TaskDeps): Promise<Report> {
  if (attempt === undefined) return unreadable(task);
  switch (attempt.task) {
    case 'send':
      return trySending(attempt, deps);
    case 'query':
      return ask(attempt, deps);
    case 'revoke':
      return takeBack(attempt, deps);
  }
}

/** Nothing was sent for it; of what an earlier try of it sent, nothing is known. */
function unreadable(task: string): Report {
  const reason = 'unreadable-attempt';
  if (task === 'query') return { kind: 'ambiguous', reason };
  if (task === 'revoke') return { kind: 'taken-back', result: { kind: 'unknown', reason } };
  return { kind: 'permanent', reason };
}

/**
 * What became of an ambiguous try. Whatever keeps us from asking leaves it ambiguous: `retry-after` would say that it was
 * certainly not taken.
 */
async function ask(attempt: Attempt, deps: TaskDeps): Promise<Report> {
  const ready = await prepare(attempt, deps);
  if (ready.kind === 'refused') return { kind: 'ambiguous', reason: ready.reason };
  const { vendor, sent } = ready;
  if (vendor.adapter.query === undefined) return { kind: 'ambiguous', reason: 'cannot-be-asked' };
  try {
    return await vendor.adapter.query(sent);
  } catch (cause) {
    deps.failed('adapter', attempt, cause);
    return { kind: 'ambiguous', reason: 'adapter-failed' };
  }
}

async function takeBack(attempt: Attempt, deps: TaskDeps): Promise<Report> {
  const unknown = (reason: string): Report => ({ kind: 'taken-back', result: { kind: 'unknown', reason } });
  const ready = await prepare(attempt, deps);
  if (ready.kind === 'refused') return unknown(ready.reason);
  const { vendor, sent } = ready;
  if (vendor.adapter.revoke === undefined) return unknown('cannot-be-taken-back');
  try {
    return { kind: 'taken-back', result: await vendor.adapter.revoke(sent) };
  } catch (cause) {
    deps.failed('adapter', attempt, cause);
    return unknown('adapter-failed');
  }
}

type Prepared =
  | { readonly kind: 'ready'; readonly vendor: Vendor; readonly sent: Sent }
  | { readonly kind: 'refused'; readonly reason: string };

/** The same vendor by the same adapter, the address out of the form, and not while the vendor is closed to everything. */
async function prepare(attempt: Attempt, { vendors, key, database, failed }: TaskDeps): Promise<Prepared> {
  const refused = (reason: string): Prepared => ({ kind: 'refused', reason });
  const vendor = vendors.get(attempt.vendor);
  if (vendor === undefined) return refused('vendor-not-configured');
  if (vendor.name !== attempt.adapter) return refused('vendor-has-other-adapter');
  if (attempt.part === undefined) return refused('withdrawn');
  const opened = await openCarrier(attempt.part, key, attempt);
  if (opened.kind === 'refused') return refused(`form-${opened.reason}`);
  try {
    if (await isClosed(database, attempt.vendor)) return refused('vendor-closed');
  } catch (cause) {
    failed('database', attempt, cause);
    return refused('database-away');
  }
  const { address } = opened.carriage;
  return {
    kind: 'ready',
    vendor,
    sent: { id: attempt.id, address, providerMessageId: attempt.provider_id ?? undefined },
  };
}
