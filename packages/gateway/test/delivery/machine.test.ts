/** The delivery state machine as rules: what each input means in each state, without a database. */
import { type CompiledFlow, eventSchema, type LogEvent } from '@sealpost/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide } from '../../src/modules/delivery/machine.ts';
import { applyEvent, type DeliveryState, foldDelivery } from '../../src/modules/delivery/state.ts';
import type { Decision, Input, Surroundings } from '../../src/modules/delivery/types.ts';
import { NO_FACTS } from '../../src/modules/routing/index.ts';
import { ACCEPTED, attemptIds, FLOW, MESSAGE, STARTED } from './fixtures.ts';

const start = (): DeliveryState => foldDelivery([ACCEPTED])!;

function around(now: number, more: Partial<Surroundings> = {}): Surroundings {
  return {
    now,
    message: MESSAGE,
    flow: FLOW,
    devices: 2,
    forms: new Set(['rcs-main', 'sms-main']),
    route: NO_FACTS,
    attemptId: attemptIds(),
    ...more,
  };
}

function after(state: DeliveryState, decision: Decision): DeliveryState {
  return decision.events.reduce<DeliveryState>((known, event) => applyEvent(known, event)!, state);
}

const kinds = (decision: Decision) => decision.events.map(({ kind }) => kind);
const effects = (decision: Decision) => decision.effects.map(({ kind }) => kind);

/** Accepted, its RCS step taken; answers the state and the attempt's id. */
function withNotice(): { state: DeliveryState; attempt: Extract<Input, { kind: 'outcome' }>['attempt'] } {
  const accepted = after(start(), decide(start(), { kind: 'accepted' }, around(STARTED)));
  const taken = decide(accepted, { kind: 'step-due', step: 1 }, around(STARTED + 2000));
  const [effect] = taken.effects;
  if (effect?.kind !== 'attempt') throw new Error('the notice was not attempted');
  return { state: after(accepted, taken), attempt: effect.attempt };
}

describe('the ladder', () => {
  test('an accepted message goes to the devices at once and later steps get their timers', () => {
    const decision = decide(start(), { kind: 'accepted' }, around(STARTED));
    expect(effects(decision)).toEqual(['timer', 'fan-out', 'timer', 'timer']);
    expect(decision.effects.flatMap((effect) => (effect.kind === 'timer' ? [effect.due - STARTED] : []))).toEqual([
      FLOW.expires,
      2000,
      4000,
    ]);
  });

  test('a step that needs no wait is taken at acceptance even by a node whose clock is behind', () => {
    const decision = decide(start(), { kind: 'accepted' }, around(STARTED - 5000));
    expect(effects(decision)).toEqual(['timer', 'fan-out', 'timer', 'timer']);
  });

  test('the same acceptance twice changes nothing the second time', () => {
    const state = after(start(), decide(start(), { kind: 'accepted' }, around(STARTED)));
    expect(decide(state, { kind: 'accepted' }, around(STARTED))).toEqual({ events: [], effects: [] });
  });

  test('a message no device can open is undeliverable at once', () => {
    const decision = decide(start(), { kind: 'accepted' }, around(STARTED, { devices: 0 }));
    expect(decision.events).toMatchObject([{ kind: 'message.ended', state: 'undeliverable', reason: 'no-device' }]);
  });

  test('a step whose time has come is passed over once a device has the message', () => {
    const accepted = after(start(), decide(start(), { kind: 'accepted' }, around(STARTED)));
    const delivered = after(accepted, decide(accepted, deviceReceipt('delivered'), around(STARTED + 100)));
    const decision = decide(delivered, { kind: 'step-due', step: 1 }, around(STARTED + 2000));
    expect(decision.events).toMatchObject([{ kind: 'route.step', decision: 'skipped', reason: 'delivered' }]);
    expect(decision.effects).toEqual([]);
  });

  test('a later notice is passed over once an earlier one was delivered', () => {
    const { state, attempt } = withNotice();
    const known = after(
      state,
      decide(
        state,
        { kind: 'provider-receipt', attempt, status: 'delivered', code: 'DELIVERED' },
        around(STARTED + 2500),
      ),
    );
    expect(decide(known, { kind: 'step-due', step: 2 }, around(STARTED + 4000)).events).toMatchObject([
      { reason: 'notice-delivered' },
    ]);
  });

  test('a provider that asks to wait is asked again under the same attempt id, never sooner than it said', () => {
    const { state, attempt } = withNotice();
    const decision = decide(
      state,
      { kind: 'outcome', attempt, outcome: { kind: 'retry-after', afterMs: 7000, reason: '503' } },
      around(STARTED + 2100),
    );
    expect(decision.effects).toMatchObject([{ kind: 'attempt', attempt, try: 2, availableAt: STARTED + 2100 + 7000 }]);
  });

  test('a step that was turned away and that nobody may try again is left at once, and its end says why', () => {
    const { state, attempt } = withNotice();
    const outcome = { kind: 'retry-after', afterMs: 7000, reason: '503' } as const;
    const changes = {
      'no-capability': {
        faultOf: (vendor: string) => (vendor === 'rcs-main' ? ('no-capability' as const) : undefined),
      },
      'vendor-expired': {
        faultOf: (vendor: string) => (vendor === 'rcs-main' ? ('vendor-expired' as const) : undefined),
      },
      'not-rolled-out': { isRolledOut: (channel: string) => channel !== 'rcs-main' },
    };
    for (const [left, change] of Object.entries(changes)) {
      const route = { ...NO_FACTS, ...change };
      const decision = decide(state, { kind: 'outcome', attempt, outcome }, around(STARTED + 2100, { route }));
      expect(decision.events).toMatchObject([
        { kind: 'attempt.ended', outcome: 'retry-after', left },
        { kind: 'route.step', channel: 'sms-main', decision: 'taken' },
        { kind: 'attempt.started' },
      ]);
    }
  });

  test('a channel that cannot reach the address makes the next step begin at once', () => {
    const { state, attempt } = withNotice();
    const decision = decide(
      state,
      { kind: 'outcome', attempt, outcome: { kind: 'downgrade', reason: '404' } },
      around(STARTED + 2100),
    );
    expect(kinds(decision)).toEqual(['attempt.ended', 'route.step', 'attempt.started']);
    expect(decision.events[1]).toMatchObject({ channel: 'sms-main', decision: 'taken' });
  });

  test('an ambiguous outcome is tried again only where the provider ignores repeats', () => {
    const { state, attempt } = withNotice();
    const ambiguous = { kind: 'ambiguous', reason: 'timeout' } as const;
    expect(effects(decide(state, { kind: 'outcome', attempt, outcome: ambiguous }, around(STARTED + 2100)))).toEqual([
      'attempt',
    ]);
    const sms = decide(state, { kind: 'step-due', step: 2 }, around(STARTED + 4000));
    const [effect] = sms.effects;
    if (effect?.kind !== 'attempt') throw new Error('the SMS was not attempted');
    const decision = decide(
      after(state, sms),
      { kind: 'outcome', attempt: effect.attempt, outcome: ambiguous },
      around(STARTED + 4100),
    );
    expect(decision.effects).toEqual([]);
  });

  test('expiry ends a message nobody read and takes its forms away', () => {
    const { state } = withNotice();
    const decision = decide(state, { kind: 'expiry-due' }, around(STARTED + FLOW.expires));
    expect(decision.events).toMatchObject([{ kind: 'message.ended', state: 'expired', reason: 'reached-no-device' }]);
    expect(effects(decision)).toEqual(['finish']);
  });

  test('a read receipt ends the message; the same receipt again is no second event', () => {
    const { state } = withNotice();
    const decision = decide(state, deviceReceipt('read'), around(STARTED + 3000));
    expect(kinds(decision)).toEqual(['receipt.device', 'message.ended']);
    expect(decide(after(state, decision), deviceReceipt('read'), around(STARTED + 3001))).toEqual({
      events: [],
      effects: [],
    });
  });

  test('a provider’s receipt repeated, or after the end, is recorded as what it is and changes nothing else', () => {
    const { state, attempt } = withNotice();
    const receipt: Input = { kind: 'provider-receipt', attempt, status: 'delivered', code: 'DELIVERED' };
    const once = after(state, decide(state, receipt, around(STARTED + 2500)));
    expect(decide(once, receipt, around(STARTED + 2600)).events).toMatchObject([{ effect: 'duplicate' }]);
    const ended = after(state, decide(state, deviceReceipt('read'), around(STARTED + 2500)));
    expect(decide(ended, receipt, around(STARTED + 2600))).toMatchObject({ events: [{ effect: 'late' }], effects: [] });
  });
});

test('no ladder, state or order of inputs ever attempts content below the floor', () => {
  const lowered: CompiledFlow = { ...FLOW, ladder: FLOW.ladder.map((rung) => ({ ...rung, use: 'carry' as const })) };
  fc.assert(
    fc.property(fc.array(inputs(), { maxLength: 30 }), (sequence) => {
      let state = start();
      for (const [index, input] of [{ kind: 'accepted' } as Input, ...sequence].entries()) {
        const decision = decide(state, input, around(STARTED + index * 500, { flow: lowered }));
        expect(effects(decision)).not.toContain('attempt');
        state = after(state, decision);
      }
    }),
  );
});

test('whatever order inputs come in, there is one end, no retry after it, and every event is of the documented form', () => {
  fc.assert(
    fc.property(fc.array(inputs(), { maxLength: 40 }), (sequence) => {
      let state = start();
      const all: LogEvent[] = [];
      for (const [index, input] of [{ kind: 'accepted' } as Input, ...sequence].entries()) {
        const ended = state.ended !== undefined;
        const known = [...state.attempts.keys()];
        const attempt = known[index % Math.max(known.length, 1)];
        const aimed = 'attempt' in input && attempt !== undefined ? { ...input, attempt } : input;
        const decision = decide(state, aimed, around(STARTED + index * 700));
        if (ended) expect(effects(decision).filter((kind) => kind !== 'named' && kind !== 'forget')).toEqual([]);
        all.push(...decision.events);
        state = after(state, decision);
      }
      expect(all.filter(({ kind }) => kind === 'message.ended').length).toBeLessThanOrEqual(1);
      for (const event of all) expect(eventSchema.safeParse(event).success).toBe(true);
    }),
  );
});

function deviceReceipt(receipt: 'delivered' | 'read' | 'acknowledged'): Input {
  return {
    kind: 'device-receipt',
    device: 'dev_AAAAAAAAAAAAAAAAAAAAAA' as Extract<Input, { kind: 'device-receipt' }>['device'],
    receipt,
    jws: 'a.b.c',
  };
}

function inputs(): fc.Arbitrary<Input> {
  const attempt = attemptIds()();
  const reason = 'x';
  return fc.constantFrom<Input>(
    { kind: 'step-due', step: 0 },
    { kind: 'step-due', step: 1 },
    { kind: 'step-due', step: 2 },
    { kind: 'step-due', step: 9 },
    { kind: 'expiry-due' },
    { kind: 'outcome', attempt, outcome: { kind: 'accepted', providerMessageId: 'p1' } },
    { kind: 'outcome', attempt, outcome: { kind: 'retry-after', afterMs: 100, reason } },
    { kind: 'outcome', attempt, outcome: { kind: 'ambiguous', reason } },
    { kind: 'outcome', attempt, outcome: { kind: 'downgrade', reason } },
    { kind: 'outcome', attempt, outcome: { kind: 'security-stop', reason } },
    { kind: 'provider-receipt', attempt, status: 'delivered', code: 'c' },
    { kind: 'provider-receipt', attempt, status: 'failed', code: 'c' },
    deviceReceipt('delivered'),
    deviceReceipt('read'),
    deviceReceipt('acknowledged'),
  );
}
