/** A commit in words, for who replays a seed. */
import type { Account } from './accounts.ts';
import type { AttemptRow, CursorRow, LaneEventRow, OutcomeRow, ReceiptRow, TimerRow } from './rows.ts';
import type { Change } from './tables.ts';

type Accounts = ReadonlyMap<string, Account>;

/** `undefined` for what needs no telling. */
export function wordsOf({ table, before, after }: Change, accounts: Accounts): string | undefined {
  if (table === 'lane_event') return ofEvent(after as LaneEventRow, accounts);
  if (table === 'attempt') return ofAttempt(before as AttemptRow, after as AttemptRow, accounts);
  if (table === 'lane_cursor') return ofCursor(before as CursorRow, after as CursorRow);
  if (table === 'attempt_outcome' && after !== undefined) {
    const { message, outcome } = after as OutcomeRow;
    return `reports ${outcome} for ${nameOf(message, accounts)}`;
  }
  if (table === 'provider_receipt' && after !== undefined) {
    const { vendor, status } = after as ReceiptRow;
    return `stores a receipt of ${vendor}: ${status}`;
  }
  if (table === 'timer' && after !== undefined) {
    const { message, kind, step, due } = after as TimerRow;
    return `sets a timer for ${nameOf(message, accounts)}: ${kind}${step === null ? '' : ` ${step}`} at ${due % 1e9}`;
  }
  if (table === 'set_aside' && after !== undefined) return 'sets an input aside';
  return undefined;
}

function nameOf(message: string, accounts: Accounts): string {
  return accounts.get(message)?.name ?? 'an unknown message';
}

function ofEvent({ lane, seq, event }: LaneEventRow, accounts: Accounts): string {
  const about = nameOf(event.message, accounts);
  const where = `lane ${lane}, event ${seq}: ${about}`;
  switch (event.kind) {
    case 'message.accepted':
      return `${where} is accepted under bundle ${event.bundle}, expires at ${event.expires % 1e9}`;
    case 'route.step':
      return `${where}: step ${event.step} (${event.use} by ${event.channel}) is ${event.decision}, ${event.reason}`;
    case 'attempt.started':
      return `${where}: try ${event.try} of step ${event.step} by ${event.channel} starts`;
    case 'attempt.ended':
      return `${where}: the try of step ${event.step} by ${event.channel} ended, ${event.outcome} (${event.reason})`;
    case 'receipt.provider':
      return `${where}: ${event.channel} says ${event.status} of step ${event.step}, ${event.effect}`;
    case 'receipt.device':
      return `${where}: ${event.device} says ${event.receipt}`;
    case 'message.ended':
      return `${where} has ended, ${event.state} (${event.reason})`;
    default:
      return `${where}: ${event.kind}`;
  }
}

function ofAttempt(
  before: AttemptRow | undefined,
  after: AttemptRow | undefined,
  accounts: Accounts,
): string | undefined {
  const row = after ?? before;
  if (row === undefined) return undefined;
  const about = `the attempt of step ${row.step} of ${nameOf(row.message, accounts)}`;
  if (after === undefined) return `${about} is removed`;
  if (before === undefined) return `${about} is stored`;
  if (after.lease_epoch !== before.lease_epoch)
    return `claims ${about} (lease ${after.lease_epoch}${before.lease_owner === null ? '' : ', interrupted'})`;
  if (after.part === null && before.part !== null) return `${about} is withdrawn`;
  return undefined;
}

function ofCursor(before: CursorRow, after: CursorRow): string | undefined {
  if (after.epoch !== before.epoch) return `takes lane ${after.lane} (epoch ${after.epoch})`;
  return after.decided === before.decided ? undefined : `has decided lane ${after.lane} up to ${after.decided}`;
}
