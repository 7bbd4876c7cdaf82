/**
 * The judge: sees every commit, every sending and every effect, keeps its own account of each message, and says which
 * invariant was broken first. It shares no code with delivery: what a floor is, when a step is due and what an end means
 * is written here a second time.
 */
import { type CompiledFlow, type EventOf, type LogEvent, PROTECTIONS, vendorsOf } from '@sealpost/protocol';
import { type Account, type AttemptAccount, newAccount, newAttempt } from './accounts.ts';
import type { Invariant, Violation } from './invariants.ts';
import type {
  AsideRow,
  AttemptRow,
  ClosedRow,
  CursorRow,
  LaneEventRow,
  NameRow,
  OutcomeRow,
  QueueRow,
  ReceiptRow,
  Tables,
  TimerRow,
} from './rows.ts';
import type { Change, Sight } from './tables.ts';

/** Who could read content that an adapter carries (DESIGN section 3). */
const PROTECTED: Readonly<Record<string, string>> = { app: 'e2ee', 'rcs-google': 'transport', 'sms-smpp': 'none' };
const REPEATS_BY_ID = 'rcs-google';
/** Until it has reached the person. */
const TAKES_BACK = 'rcs-google';
const GIVES_UP = ['downgrade', 'permanent', 'auth-broken', 'security-stop'];

export interface JudgeDeps {
  readonly tables: Tables;
  readonly flowOf: (version: number, name: string) => CompiledFlow;
  readonly isShutOut: (version: number, channel: string) => boolean;
  readonly devicesOf: (conversation: string) => readonly string[];
  /** Farthest two clocks of this world are apart. */
  readonly skew: number;
  /** Codes with which an input may be set aside in this world. */
  readonly causes: readonly string[];
}

/** A route as it is decided. */
interface Seen {
  readonly step: number;
  readonly use: string;
  readonly adapter: string;
  readonly vendor?: string | undefined;
}

export interface Sending {
  readonly attempt: string;
  readonly epoch: number;
  /** By the dispatcher's clock when the try began. */
  readonly began: number;
}

export class Judge {
  violation: Violation | undefined;
  readonly accounts = new Map<string, Account>();
  readonly #deps: JudgeDeps;
  readonly #heads = new Map<number, number>();
  readonly #claims = new Map<
    string,
    { readonly commit: number; readonly row: AttemptRow; readonly interrupted: boolean }
  >();
  readonly #timers = new Set<string>();
  readonly #names = new Set<string>();
  readonly #parked: ReceiptRow[] = [];
  readonly #queued: QueueRow[] = [];
  readonly #told = new Set<string>();
  /** Closed vendors, and the commit that closed them. */
  readonly #closed = new Map<string, number>();
  /** Of the transaction that is looked at. */
  #sight: Sight | undefined;
  #commits = 0;

  constructor(deps: JudgeDeps) {
    this.#deps = deps;
  }

  get allEnded(): boolean {
    return [...this.accounts.values()].every(({ ended }) => ended !== undefined);
  }

  onCommit(changes: readonly Change[], sight: Sight | undefined): void {
    this.#commits += 1;
    this.#sight = sight;
    for (const { table, before, after } of changes) {
      if (table === 'lane_event') this.#onEvent(after as LaneEventRow);
      else if (table === 'timer' && before === undefined) this.#onTimer(after as TimerRow);
      else if (table === 'attempt' && after !== undefined) this.#onAttempt(before as AttemptRow, after as AttemptRow);
      else if (table === 'attempt_outcome' && after !== undefined) this.#onOutcome(after as OutcomeRow);
      else if (table === 'provider_receipt' && after !== undefined) this.#parked.push(after as ReceiptRow);
      else if (table === 'provider_message' && after !== undefined) this.#onName(after as NameRow);
      else if (table === 'vendor_closed') this.#onSwitch(before as ClosedRow, after as ClosedRow);
      else if (table === 'set_aside' && after !== undefined) this.#onAside(after as AsideRow);
      else if (table === 'lane_cursor') this.#onCursor(before as CursorRow, after as CursorRow);
      else if (table === 'device_queue') this.#onQueue(before as QueueRow | undefined, after as QueueRow | undefined);
    }
  }

  /** An adapter is asked to send. */
  onSending({ attempt, epoch, began }: Sending): void {
    const claim = this.#claims.get(`${attempt}/${epoch}`);
    if (claim === undefined) {
      this.#broken('not-after-withdrawal', `${attempt} is sent without a claim`);
      return;
    }
    const { row } = claim;
    const account = this.#account(row.message);
    if (claim.interrupted && row.adapter !== REPEATS_BY_ID)
      this.#broken('no-blind-retry', `step ${row.step} of ${account.name} was interrupted and is sent again`);
    if (isBelow(row)) this.#broken('floor', `${row.use} by ${row.adapter} is sent below ${row.floor}`);
    if ((this.#closed.get(row.vendor) ?? this.#commits) < claim.commit)
      this.#broken('switch-kept', `step ${row.step} of ${account.name} is sent to ${row.vendor}, long closed`);
    const told = account.attempts.get(attempt);
    if (told?.tries === row.try && told.vendor !== row.vendor)
      this.#broken('vendor-as-told', `step ${row.step} of ${account.name} goes to ${row.vendor}, not ${told.vendor}`);
    if (account.revokedAt !== undefined && claim.commit > account.revokedAt)
      this.#broken('not-after-revocation', `step ${row.step} of ${account.name} was claimed later and is sent`);
    if (account.closedAt !== undefined && claim.commit > account.closedAt)
      this.#broken('not-after-withdrawal', `step ${row.step} of ${account.name} was claimed later and is sent`);
    if (began >= account.accepted.expires)
      this.#broken('not-after-expiry', `step ${row.step} of ${account.name} is sent after its expiry`);
  }

  /** A phone rings, or would. */
  onEffect(adapter: string, attempt: string): void {
    const [account, known] = this.#attempt(attempt);
    const effects = (account.effects.get(known.step) ?? 0) + 1;
    account.effects.set(known.step, effects);
    if (adapter === REPEATS_BY_ID && effects > 1)
      this.#broken('one-effect', `step ${known.step} of ${account.name} had its effect twice`);
  }

  /** A device was told that its receipt is recorded. */
  onTold(message: string, device: string, kind: string): void {
    this.#told.add(`${message} ${device} ${kind}`);
  }

  /** A sender was told how a message has ended. */
  onRevoked(message: string, state: string): void {
    const { ended, name } = this.#account(message);
    if (ended !== state) this.#broken('revocation-ends', `${name} is said to have ended as ${state}, and has ${ended}`);
  }

  /** When everything has come to rest and a week has passed; or when it did not, for the reason given. */
  atEnd(unrest: string | undefined): void {
    const { tables } = this.#deps;
    for (const account of this.accounts.values()) this.#endOf(account);
    this.#order();
    const stored = [...this.#parked].filter(({ vendor, ids }) => ids.some((id) => this.#names.has(`${vendor}/${id}`)));
    const events = [...tables.laneEvent.rows.values()].filter(({ event }) => event.kind === 'receipt.provider');
    if (stored.length !== events.length)
      this.#broken('receipts-kept', `${stored.length} receipts of known messages, ${events.length} events`);
    for (const told of this.#told) {
      const [message = '', device, kind] = told.split(' ');
      if (!this.#account(message).deviceReceipts.has(`${device} ${kind}`))
        this.#broken('receipts-kept', `a device was told that ${kind} is recorded, and it is not`);
    }
    if (unrest !== undefined) {
      this.#broken('comes-to-rest', unrest);
      return;
    }
    for (const table of [tables.timer, tables.attempt, tables.outcome, tables.aside, tables.receipt, tables.name])
      if (table.rows.size > 0) this.#broken('nothing-left', `${table.rows.size} rows of ${table.name}`);
    for (const { body } of tables.envelope.rows.values())
      if (/"form":"carrier"/.test(Buffer.from(body).toString()))
        this.#broken('nothing-left', 'an envelope keeps its carrier form');
  }

  say(invariant: Invariant, what: string): void {
    this.#broken(invariant, what);
  }

  #endOf(account: Account): void {
    if (account.ended === undefined) this.#broken('every-message-ends', `${account.name} has not ended`);
    for (const attempt of account.attempts.values()) {
      if (attempt.open && attempt.claimed.has(attempt.tries))
        this.#broken('tries-end', `try ${attempt.tries} of step ${attempt.step} of ${account.name} has no end`);
      const double = (account.effects.get(attempt.step) ?? 0) > 1 && attempt.adapter !== REPEATS_BY_ID;
      if (double && !attempt.ambiguous)
        this.#broken(
          'double-only-ambiguous',
          `step ${attempt.step} of ${account.name} had its effect twice, unflagged`,
        );
    }
    for (const { step, adapter, mayHaveIt, receipts, asked, answered } of account.attempts.values()) {
      const isDue = account.revokedAt !== undefined && adapter === TAKES_BACK && mayHaveIt && receipts.size === 0;
      if (asked !== answered || (isDue && asked === 0))
        this.#broken('taken-back', `step ${step} of ${account.name}: told ${asked} times, answered ${answered} times`);
    }
    if (!account.toDevices || account.revokedAt !== undefined) return;
    for (const device of this.#deps.devicesOf(account.accepted.conversation)) {
      const copies = this.#queued.filter((row) => row.device === device && row.message === account.accepted.message);
      if (copies.length !== 1) this.#broken('queued-once', `${account.name} is ${copies.length} times in a queue`);
    }
  }

  /** Of messages that go to the devices at once; one that was set aside has lost its place, and says so. */
  #order(): void {
    const last = new Map<string, { sequence: number; name: string }>();
    for (const { device, conversation, message } of this.#queued) {
      const account = this.#account(message);
      if (!account.atOnce || account.aside) continue;
      const place = `${device} ${conversation}`;
      const before = last.get(place);
      if (before !== undefined && before.sequence > account.sequence)
        this.#broken(
          'conversation-order',
          `${before.name} is before ${account.name} in a queue, and was accepted later`,
        );
      last.set(place, { sequence: account.sequence, name: account.name });
    }
  }

  #onEvent({ lane, seq, event }: LaneEventRow): void {
    if (seq !== (this.#heads.get(lane) ?? 0) + 1) this.#broken('gapless', `event ${seq} of lane ${lane}`);
    this.#heads.set(lane, seq);
    if (event.kind === 'message.accepted') {
      const flow = this.#deps.flowOf(event.bundle, event.flow);
      this.accounts.set(event.message, newAccount(event, flow, seq, this.accounts.size + 1));
      return;
    }
    const account = this.#account(event.message);
    if (event.kind === 'route.step') this.#onStep(account, event);
    else if (event.kind === 'attempt.started') this.#onStarted(account, event);
    else if (event.kind === 'attempt.ended') this.#onEnded(account, event);
    else if (event.kind === 'receipt.provider') this.#onProviderReceipt(account, event);
    else if (event.kind === 'receipt.device') this.#onDeviceReceipt(account, event);
    else if (event.kind === 'message.revoked') this.#onRevocation(account);
    else if (event.kind === 'attempt.asked') this.#onAsked(account, event);
    else if (event.kind === 'attempt.taken-back') this.#onTakenBack(account, event);
    else if (event.kind === 'message.ended') this.#onEnd(account, event);
  }

  #onQueue(before: QueueRow | undefined, after: QueueRow | undefined): void {
    if (after === undefined) return;
    if (before === undefined) this.#queued.push(after);
    const account = this.#account(after.message);
    if (account.revokedAt !== undefined && before?.fetched !== true)
      this.#broken('not-after-revocation', `a device is given ${account.name}`);
  }

  #onRevocation(account: Account): void {
    if (account.ended !== undefined) this.#broken('nothing-after-end', `${account.name} is taken back`);
    account.revokedAt = this.#commits;
    account.closedAt ??= this.#commits;
  }

  #onAsked({ name, attempts, revokedAt }: Account, { attempt, step }: EventOf<'attempt.asked'>): void {
    const known = attempts.get(attempt);
    if (known === undefined || known.open || known.asked > known.answered || revokedAt === undefined)
      this.#broken('legal-transitions', `the provider of step ${step} of ${name} is told to take back nothing`);
    else known.asked += 1;
  }

  #onTakenBack({ name, attempts }: Account, { attempt, step, reason }: EventOf<'attempt.taken-back'>): void {
    const known = attempts.get(attempt);
    if (known === undefined || known.asked !== known.answered + 1)
      this.#broken('legal-transitions', `the provider of step ${step} of ${name} answers what it was not asked`);
    else known.answered += 1;
    // There are dispatchers, and none is away for nearly as long: it was told to nobody.
    if (reason === 'unanswered-in-time') this.#broken('taken-back', `step ${step} of ${name} was answered by nobody`);
  }

  #onStep(account: Account, event: Extract<LogEvent, { kind: 'route.step' }>): void {
    const { name, accepted, flow } = account;
    if (account.ended !== undefined) this.#broken('nothing-after-end', `step ${event.step} of ${name}`);
    const inOrder = account.aside ? !account.steps.has(event.step) : event.step === account.steps.size;
    if (!inOrder) this.#broken('ladder-order', `step ${event.step} of ${name} after ${account.steps.size} steps`);
    account.steps.add(event.step);
    const rung = flow.ladder[event.step];
    if (rung?.channel !== event.channel) {
      this.#broken('ladder-order', `${name} goes by another ladder`);
      return;
    }
    const due = accepted.at + rung.after - this.#deps.skew;
    if (event.at < due && !account.gaveUp.has(event.step - 1))
      this.#broken('not-before-time', `step ${event.step} of ${name} is ${due - event.at} ms early`);
    if (event.decision === 'skipped') return;
    account.taken.add(event.step);
    if (isBelow({ ...event, floor: flow.floor })) this.#broken('floor', `step ${event.step} of ${name} is taken`);
    this.#asSeen(account, event);
    if (event.adapter !== 'app' && this.#deps.isShutOut(this.#sight?.bundle ?? 1, event.channel))
      this.#broken('rollout-kept', `step ${event.step} of ${name} is taken`);
    if (account.deviceHasIt || (event.adapter !== 'app' && account.confirmed))
      this.#broken('no-notice-after-delivery', `step ${event.step} of ${name} is taken`);
    if (event.at >= accepted.expires) this.#broken('not-after-expiry', `step ${event.step} of ${name} is taken`);
    if (event.adapter === 'app') account.toDevices = true;
    if (event.adapter === 'app' && rung.after === 0) account.atOnce = true;
  }

  #onStarted(account: Account, event: Extract<LogEvent, { kind: 'attempt.started' }>): void {
    const { name } = account;
    const known = account.attempts.get(event.attempt) ?? newAttempt(event, account.flow.ladder[event.step]!.adapter);
    const others = [...account.attempts].some(([id, { step }]) => step === event.step && id !== event.attempt);
    if (others) this.#broken('stable-attempt', `step ${event.step} of ${name} goes on under another attempt id`);
    if (account.left.has(event.step))
      this.#broken(
        'legal-transitions',
        `step ${event.step} of ${name} is tried again after the next one was taken for it`,
      );
    if (account.ended !== undefined) this.#broken('nothing-after-end', `a try of step ${event.step} of ${name}`);
    if (account.deviceHasIt || account.confirmed)
      this.#broken('no-notice-after-delivery', `a try of step ${event.step} of ${name} is started`);
    if (known.ambiguousLast && known.adapter !== REPEATS_BY_ID)
      this.#broken('no-blind-retry', `step ${event.step} of ${name} by ${known.adapter}`);
    if (known.open || event.try !== known.tries + 1 || !account.taken.has(event.step))
      this.#broken('legal-transitions', `try ${event.try} of step ${event.step} of ${name} after ${known.tries}`);
    const vendor = event.vendor ?? event.channel;
    const rung = account.flow.ladder[event.step]!;
    const { adapter } = vendorsOf(rung).find((one) => one.vendor === vendor)!;
    // A try may wait for its own vendor to be opened again; the dispatcher asks before it sends.
    const given = known.tries === 0 || known.vendor !== vendor ? vendor : undefined;
    this.#asSeen(account, { use: rung.use, step: event.step, adapter, vendor: given });
    if (known.ambiguous && known.tries > 0 && known.vendor !== vendor)
      this.#broken('stays-when-unsure', `step ${event.step} of ${name} goes on from ${known.vendor} to ${vendor}`);
    known.moved = known.vendor !== vendor;
    known.vendor = vendor;
    known.open = true;
    known.tries = event.try;
    account.attempts.set(event.attempt, known);
  }

  /** What was raised or closed before a transaction asked is heeded by all it decides. */
  #asSeen({ name, flow }: Account, route: Seen): void {
    const floor = this.#sight === undefined ? undefined : this.#deps.flowOf(this.#sight.bundle, flow.name)?.floor;
    if (floor !== undefined && isBelow({ ...route, floor }))
      this.#broken('floor-raised', `step ${route.step} of ${name} goes by ${route.adapter}`);
    if (route.vendor !== undefined && this.#sight?.closed.has(route.vendor) === true)
      this.#broken('switch-kept', `step ${route.step} of ${name} is given to ${route.vendor}, which is closed`);
  }

  #onSwitch(before: ClosedRow | undefined, after: ClosedRow | undefined): void {
    if (after !== undefined) this.#closed.set(after.vendor, this.#commits);
    else if (before !== undefined) this.#closed.delete(before.vendor);
  }

  #onEnded(account: Account, event: Extract<LogEvent, { kind: 'attempt.ended' }>): void {
    const known = account.attempts.get(event.attempt);
    if (known?.open !== true) {
      this.#broken('legal-transitions', `a try of step ${event.step} of ${account.name} ends without a start`);
      return;
    }
    if (!known.claimed.has(known.tries))
      this.#broken('tries-end', `try ${known.tries} of step ${event.step} of ${account.name} was never taken up`);
    known.open = false;
    known.endedAt = event.at;
    known.ambiguousLast = event.outcome === 'ambiguous';
    known.ambiguous ||= known.ambiguousLast;
    known.mayHaveIt = event.outcome === 'accepted' || known.ambiguous;
    if (GIVES_UP.includes(event.outcome) || event.left !== undefined) account.gaveUp.add(event.step);
    if (event.left !== undefined) account.left.add(event.step);
  }

  #onProviderReceipt(account: Account, event: Extract<LogEvent, { kind: 'receipt.provider' }>): void {
    const known = account.attempts.get(event.attempt);
    if (known === undefined) {
      this.#broken('legal-transitions', `a receipt of ${account.name} for no attempt`);
      return;
    }
    const right = known.receipts.has(event.status) ? 'duplicate' : account.ended === undefined ? 'counted' : 'late';
    if (event.effect !== right)
      this.#broken('receipt-counted-once', `${event.status} of ${account.name} is ${event.effect} and was ${right}`);
    known.receipts.add(event.status);
    if (event.status === 'failed' || event.status === 'expired') account.gaveUp.add(event.step);
    else {
      account.confirmed = true;
      account.closedAt ??= this.#commits;
    }
  }

  #onDeviceReceipt(account: Account, event: Extract<LogEvent, { kind: 'receipt.device' }>): void {
    const key = `${event.device} ${event.receipt}`;
    if (account.deviceReceipts.has(key))
      this.#broken('receipt-counted-once', `${event.receipt} of a device is recorded twice for ${account.name}`);
    account.deviceReceipts.add(key);
    if (event.receipt === 'unreadable') return;
    account.deviceHasIt = true;
    account.closedAt ??= this.#commits;
  }

  #onEnd(account: Account, event: Extract<LogEvent, { kind: 'message.ended' }>): void {
    if (account.ended !== undefined) this.#broken('nothing-after-end', `${account.name} ends twice`);
    account.ended = event.state;
    account.closedAt ??= this.#commits;
    const { conversation, expires } = account.accepted;
    const right =
      event.state === 'read'
        ? [...account.deviceReceipts].some((key) => key.endsWith(' read'))
        : event.state === 'expired'
          ? event.at >= expires - this.#deps.skew
          : event.state === 'revoked'
            ? account.revokedAt === this.#commits
            : this.#deps.devicesOf(conversation).length === 0;
    if (!right) this.#broken('every-message-ends', `${account.name} ends as ${event.state} and is not`);
  }

  #onTimer({ message, kind, step }: TimerRow): void {
    const key = `${message} ${kind} ${step}`;
    if (this.#timers.has(key)) this.#broken('decided-once', `a second ${kind} timer of ${this.#account(message).name}`);
    this.#timers.add(key);
  }

  #onAttempt(before: AttemptRow | undefined, after: AttemptRow): void {
    const [account, known] = this.#attempt(after.id);
    if (isBelow({ ...after, floor: account.flow.floor }))
      this.#broken('floor', `an attempt by ${after.adapter} is stored`);
    if (after.lease_epoch !== (before?.lease_epoch ?? 0)) {
      const interrupted = before !== undefined && before.lease_owner !== null;
      this.#claims.set(`${after.id}/${after.lease_epoch}`, { commit: this.#commits, row: after, interrupted });
      known.claimed.add(after.try);
      return;
    }
    if (after.try === before?.try) return;
    if (after.available_at >= account.accepted.expires)
      this.#broken('not-after-expiry', `try ${after.try} of ${account.name} would begin after it`);
    const open = before !== undefined && after.part !== null;
    if (open && !known.moved && after.available_at < known.endedAt + known.waitMs)
      this.#broken('retry-after-kept', `try ${after.try} of ${account.name} begins too soon`);
  }

  #onOutcome({ attempt, outcome }: OutcomeRow): void {
    const parsed = JSON.parse(outcome) as { readonly afterMs?: number; readonly providerMessageId?: string };
    const [, known] = this.#attempt(attempt);
    known.waitMs = parsed.afterMs ?? 0;
    // From here on the name must be known, whether or not it is written down.
    if (parsed.providerMessageId !== undefined) this.#names.add(`${known.vendor}/${parsed.providerMessageId}`);
  }

  #onName({ vendor, provider_id }: NameRow): void {
    this.#names.add(`${vendor}/${provider_id}`);
  }

  #onAside({ message, code }: AsideRow): void {
    this.#account(message).aside = true;
    if (!this.#deps.causes.includes(code)) this.#broken('set-aside-only-for-cause', `set aside with ${code}`);
  }

  #onCursor(before: CursorRow, after: CursorRow): void {
    if (after.decided < before.decided) this.#broken('gapless', `the cursor of lane ${after.lane} goes back`);
  }

  #account(message: string): Account {
    const account = this.accounts.get(message);
    if (account === undefined) throw new Error('something happened to a message that was never accepted');
    return account;
  }

  #attempt(id: string): [Account, AttemptAccount] {
    for (const account of this.accounts.values()) {
      const known = account.attempts.get(id);
      if (known !== undefined) return [account, known];
    }
    throw new Error('an attempt that was never started');
  }

  /** The first is kept: what follows may be its consequence. */
  #broken(invariant: Invariant, what: string): void {
    this.violation ??= { invariant, what };
  }
}

function isBelow({
  use,
  adapter,
  floor,
}: {
  readonly use: string;
  readonly adapter: string;
  readonly floor: string;
}): boolean {
  const strength = (name: string | undefined) => (PROTECTIONS as readonly (string | undefined)[]).indexOf(name);
  return use !== 'notice' && strength(PROTECTED[adapter]) < strength(floor);
}
