/**
 * Planted bugs: each a small change to the text of the real code, or of the model of its SQL, that somebody could make. A
 * text that is not found exactly once fails the run, so a bug cannot quietly cease to be planted. The last ones were in the
 * code until the simulation, or writing its model, found them.
 */
export interface Replacement {
  /** Within the repository. */
  readonly file: string;
  readonly text: string;
  readonly by: string;
}

export interface PlantedBug {
  readonly name: string;
  readonly says: string;
  readonly replacements: readonly Replacement[];
}

const delivery = (file: string) => `packages/gateway/src/modules/delivery/${file}.ts`;
const routing = (file: string) => `packages/gateway/src/modules/routing/${file}.ts`;
const bug = (name: string, says: string, ...replacements: Replacement[]): PlantedBug => ({ name, says, replacements });
const inFile = (file: string, text: string, by: string): Replacement => ({ file, text, by });

export const PLANTED_BUGS: readonly PlantedBug[] = [
  bug(
    'floor-forgotten',
    'neither the ladder nor the start of a try asks for the floor',
    inFile(
      routing('choose-vendor'),
      'vendorsOf(rung).filter(({ adapter }) => meetsFloor(rung.use, adapter, floor))',
      'vendorsOf(rung)',
    ),
    inFile(delivery('machine'), ' || !meetsFloor(rung.use, next.vendor.adapter, floor)', ''),
  ),
  bug(
    'raised-floor-unheeded',
    'a floor raised since a message was accepted counts for nothing',
    inFile(
      routing('step-decision'),
      'PROTECTIONS.indexOf(now) > PROTECTIONS.indexOf(accepted) ? now : accepted',
      'PROTECTIONS.indexOf(now) > PROTECTIONS.indexOf(accepted) ? accepted : accepted',
    ),
  ),
  bug(
    'switch-asked-once',
    'the dispatcher trusts that a vendor was open when it was chosen',
    inFile(
      'packages/gateway/src/dispatcher/hurdles.ts',
      "(await sql.query('dispatch-closed', CLOSED, [vendor])).length > 0",
      'false',
    ),
  ),
  bug(
    'closed-vendor-chosen',
    'routing does not ask the kill switch',
    inFile(routing('router'), "if (down.has(vendor)) return 'vendor-closed';", ''),
  ),
  bug(
    'rollout-unasked',
    'a rollout keeps nobody off a channel',
    inFile(routing('step-decision'), "if (!route.isRolledOut(rung.channel)) return skipped('not-rolled-out');", ''),
  ),
  bug(
    'retry-under-new-id',
    'a retry is a new attempt to the provider',
    inFile(
      delivery('machine'),
      'startTry(draft, { attempt: id, step: attempt.step',
      'startTry(draft, { attempt: around.attemptId(), step: attempt.step',
    ),
  ),
  bug(
    'ambiguous-sms-retried',
    'an SMSC is taken for a provider that knows repeats',
    inFile(delivery('machine'), 'isIdempotent(same.adapter) || ', "same.adapter === 'sms-smpp' || "),
  ),
  bug(
    'lease-not-fenced',
    'a node that lost its lane goes on as if it had it',
    inFile(delivery('lease'), 'moved.length !== 1', 'moved.length > 1'),
  ),
  bug(
    'cursor-before-commit',
    'the cursor moves in a transaction of its own, before the batch is decided',
    inFile(delivery('delivery'), 'await moveCursor(tx, lane', 'await moveCursor(database, lane'),
  ),
  bug(
    'withdraw-forgotten',
    'tries that wait go out although the message was delivered',
    inFile(delivery('machine'), "if (open) draft.effects.push({ kind: 'withdraw' });", ''),
  ),
  bug(
    'duplicate-receipt-counted',
    'a status counts each time a provider says it',
    inFile(delivery('machine'), "attempt.receipts.has(status) ? 'duplicate' : ", ''),
  ),
  bug(
    'expiry-ignored',
    'expiry does not end a message',
    inFile(delivery('machine'), "    case 'expiry-due':\n      onExpiry(draft, around);\n", "    case 'expiry-due':\n"),
  ),
  bug(
    'step-taken-twice',
    'a step that began early is taken again at its time',
    inFile(delivery('machine'), ' || state.decided.has(step)', ''),
  ),
  bug(
    'retry-after-ignored',
    'a provider that asks to wait is asked again by our own clock',
    inFile(delivery('machine'), ': Math.max(afterMs, backoff)', ': backoff'),
  ),
  bug(
    'retry-after-delivery',
    'a try that failed is made again although a device has the message',
    inFile(delivery('machine'), ' || isSettled(draft.state)) return;', ') return;'),
  ),
  bug(
    'forms-left-at-the-end',
    'a try under way at the end keeps its form, and is claimed and sent again',
    inFile(delivery('effects'), "await tx.query('delivery-strip-attempts', STRIP_ATTEMPTS, [message]);", ''),
  ),
  bug(
    'provider-name-forgotten',
    'what a provider calls an attempt is not written down',
    inFile(
      delivery('effects'),
      'effect.providerMessageId !== effect.attempt',
      'effect.providerMessageId === effect.attempt',
    ),
  ),
  bug(
    'receipt-without-lane',
    'a device’s receipt is decided without holding the lane',
    inFile(delivery('delivery'), '      await log.lockLane(tx, lane);\n      const decided =', '      const decided ='),
  ),
  bug(
    'interrupted-sms-sent-again',
    'a try whose dispatcher died is sent again, whatever the provider',
    inFile(
      'packages/gateway/src/dispatcher/try.ts',
      'if (attempt.interrupted && !repeatable)',
      'if (attempt.interrupted && refusal !== undefined)',
    ),
  ),
  bug(
    'kept-form-thrown-away',
    'what was reported while its message was taken back, and not yet decided, is gone before its provider can be told (SQL)',
    inFile('test/simulation/delivery-statements.ts', ' && row.kept === null', ''),
  ),
  bug(
    'revoked-and-queued',
    'devices that have not fetched a message that was taken back fetch it afterwards',
    inFile(delivery('machine'), "  draft.effects.push({ kind: 'unqueue' });\n", ''),
  ),
  bug(
    'late-acceptance-not-taken-back',
    'what a provider takes after its message was taken back stays with it',
    inFile(
      delivery('machine'),
      'draft.state.revokedAt !== undefined && mayBeTakenBack(known, around)',
      'mayBeTakenBack(known, around) && around.now < 0',
    ),
  ),
  bug(
    'unsure-try-moves-on',
    'what one vendor may have taken is given to another when a repeat is turned away',
    inFile(delivery('machine'), '  if (attempt.unsure) return', '  if (attempt.outcome === undefined) return'),
  ),
  bug(
    'new-vendor-not-stored',
    'the row keeps the first vendor although another was chosen',
    inFile(
      'test/simulation/delivery-statements.ts',
      '        vendor: row.vendor,\n        adapter: row.adapter,\n        limits',
      '        limits',
    ),
  ),
  bug(
    'name-under-the-channel',
    'what a vendor calls a message is written down under the name of its channel',
    inFile(
      delivery('machine'),
      '      vendor: attempt.vendor,\n      providerMessageId',
      '      vendor: vendorNameSchema.parse(attempt.channel),\n      providerMessageId',
    ),
    inFile(
      delivery('machine'),
      'type RungVendor, revocationOf, vendorsOf }',
      'type RungVendor, revocationOf, vendorNameSchema, vendorsOf }',
    ),
  ),
  bug(
    'first-step-by-clock',
    'was in the code: what is due at acceptance waits for a timer where clocks differ, and is overtaken',
    inFile(delivery('machine'), 'after === 0 || due <= around.now', 'due <= around.now'),
  ),
  bug(
    'report-counted-for-the-next-try',
    'was in the code: a report repeated after a lost answer ends the retry it caused (SQL)',
    inFile('test/simulation/dispatch-statements.ts', ' && row.lease_owner !== null && !row.done', ' && !row.done'),
  ),
];
