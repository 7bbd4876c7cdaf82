/**
 * The judge: whether anything promised was lost, anything happened twice, or the order was broken. Pure, and told nothing
 * of the kills: it holds what callers, devices, providers and the log say against each other.
 */
import type { EventOf } from '../../packages/protocol/src/index.ts';
import { type Effect, eventsOf, type Finding, type History, type Promised, type Verdict } from './history.ts';

export function judge(seen: History): Verdict {
  // Asked for twice and answered alike is one promise.
  const history = { ...seen, promised: onceEach(seen.promised, ({ key, message }) => `${key} ${message}`) };
  const attempts = attemptsOf(history);
  return {
    lost: [
      ...notLogged(history),
      ...notShown(history),
      ...withoutNotice(history, attempts),
      ...receiptsLost(history),
      ...repliesLost(history),
    ],
    doubled: [
      ...promisedTwice(history),
      ...acceptedUnasked(history),
      ...shownTwice(history),
      ...endedTwice(history),
      ...effectsTwice(history, attempts),
      ...effectsUnflagged(history, attempts),
      ...repliesTwice(history),
    ],
    reordered: [...againstSender(history), ...againstLog(history)],
    ambiguous: [...attempts.values()].filter(({ ambiguous }) => ambiguous).map(({ id }) => id),
  };
}

interface Attempt {
  readonly id: string;
  readonly message: string;
  readonly channel: string;
  /** Tries that began and that were reported. */
  readonly started: number;
  readonly ended: number;
  readonly last: string | undefined;
  /** The provider's last word was never heard, and it would not ignore a repeat. */
  readonly ambiguous: boolean;
  readonly delivered: boolean;
}

function attemptsOf({ logged, deduplicating }: History): Map<string, Attempt> {
  const starts = Map.groupBy(eventsOf(logged, 'attempt.started'), ({ attempt }) => attempt);
  const ends = Map.groupBy(eventsOf(logged, 'attempt.ended'), ({ attempt }) => attempt);
  const receipts = Map.groupBy(eventsOf(logged, 'receipt.provider'), ({ attempt }) => attempt);
  return new Map(
    [...starts].map(([id, tries]) => {
      const [{ message, channel }] = tries as [EventOf<'attempt.started'>];
      const outcomes = (ends.get(id) ?? []).map(({ outcome }) => outcome);
      const ambiguous = outcomes.includes('ambiguous') && !deduplicating.includes(channel);
      const delivered = (receipts.get(id) ?? []).some(({ status }) => status === 'delivered');
      const counts = { started: tries.length, ended: outcomes.length, last: outcomes.at(-1) };
      return [id, { id, message, channel, ...counts, ambiguous, delivered }];
    }),
  );
}

/** What control answered 202 for is in the log. */
function notLogged({ promised, logged }: History): Finding[] {
  const accepted = new Set<string>(eventsOf(logged, 'message.accepted').map(({ message }) => message));
  return promised
    .filter(({ message }) => !accepted.has(message))
    .map(({ message }) => ({ of: message, what: 'promised and not in the log' }));
}

/** Every promised message can be read on the recipient's device, under the subject it was sent with. */
function notShown({ promised, shown, people }: History): Finding[] {
  const known = new Map(shown.map((each) => [`${each.device} ${each.message}`, each]));
  return promised.flatMap(({ message, member, key }) =>
    people
      .filter((person) => person.member === member)
      .flatMap(({ device }) => {
        const there = known.get(`${device} ${message}`);
        if (there === undefined) return [{ of: message, what: `never came to ${device}` }];
        return there.subject === key ? [] : [{ of: message, what: `cannot be read on ${device}` }];
      }),
  );
}

/** A notice that was due was tried, each try was reported, and what a provider took is on the phone. */
function withoutNotice(
  { promised, people, effects, named, logged, deduplicating }: History,
  attempts: Attempts,
): Finding[] {
  const byMessage = Map.groupBy(attempts.values(), ({ message }) => message);
  const ended = new Set<string>(eventsOf(logged, 'message.ended').map(({ message }) => message));
  const there = new Set(effects.map(({ channel, id }) => `${channel} ${id}`));
  const names = Map.groupBy(named, ({ attempt }) => attempt);
  const hasEffect = ({ channel, id }: Attempt) =>
    deduplicating.includes(channel)
      ? there.has(`${channel} ${id}`)
      : (names.get(id) ?? []).some((name) => there.has(`${channel} ${name.id}`));
  return promised.flatMap(({ message, member, notice }): Finding[] => {
    const away = people.some((person) => person.member === member && !person.online);
    const own = (byMessage.get(message) ?? []).filter(({ channel }) => channel === notice);
    const findings: Finding[] = [];
    if (away && own.length === 0) findings.push({ of: message, what: 'no notice was tried' });
    for (const attempt of own) {
      // A message that has ended needs no notice any more, and its last try no report.
      if (attempt.started !== attempt.ended && (away || !ended.has(message)))
        findings.push({ of: message, what: `attempt ${attempt.id} was never reported` });
      if (away && !attempt.delivered && attempt.last !== 'accepted' && attempt.last !== 'ambiguous')
        findings.push({ of: message, what: `attempt ${attempt.id} was given up: ${attempt.last}` });
      if (attempt.last === 'accepted' && !hasEffect(attempt))
        findings.push({ of: message, what: `attempt ${attempt.id} was accepted and brought nothing` });
    }
    return findings;
  });
}

type Attempts = ReadonlyMap<string, Attempt>;

/** What a device says it did, and what a provider reported of an attempt we know, is in the log. */
function receiptsLost({ shown, logged, effects, named, deduplicating }: History): Finding[] {
  const said = new Set(
    eventsOf(logged, 'receipt.device').map((each) => `${each.device} ${each.message} ${each.receipt}`),
  );
  const reported = new Set<string>(eventsOf(logged, 'receipt.provider').map(({ attempt }) => attempt));
  const attemptOf = new Map(named.map(({ channel, id, attempt }) => [`${channel} ${id}`, attempt]));
  const kindsOf = { received: ['delivered'], read: ['delivered', 'read'], unreadable: ['unreadable'] };
  const kinds = { ...kindsOf, acknowledged: ['delivered', 'read', 'acknowledged'] };
  return [
    ...shown.flatMap(({ device, message, state }) =>
      kinds[state]
        .filter((kind) => !said.has(`${device} ${message} ${kind}`))
        .map((kind) => ({ of: message, what: `the ${kind} receipt of ${device} is not in the log` })),
    ),
    ...effects.flatMap(({ channel, id }) => {
      const attempt = deduplicating.includes(channel) ? id : attemptOf.get(`${channel} ${id}`);
      if (attempt === undefined || reported.has(attempt)) return [];
      return [{ of: attempt, what: `the receipt of ${channel} is not in the log` }];
    }),
  ];
}

/** What a person wrote back was told to the subscriber. */
function repliesLost({ replies: { written, told } }: History): Finding[] {
  const texts = new Set(told.map(({ text }) => text));
  return written.filter((text) => !texts.has(text)).map((text) => ({ of: text, what: 'written back and never told' }));
}

/** However often it was told, it is one event: its id says so. */
function repliesTwice({ replies: { told } }: History): Finding[] {
  return [...Map.groupBy(told, ({ text }) => text)]
    .filter(([, letters]) => new Set(letters.map(({ event }) => event)).size > 1)
    .map(([text]) => ({ of: text, what: 'written once and told as two events' }));
}

/** One key, one message, however often it was asked for. */
function promisedTwice({ promised }: History): Finding[] {
  return [...Map.groupBy(promised, ({ key }) => key)].flatMap(([key, answers]) => {
    const [first, ...more] = [...new Set(answers.map(({ message }) => message))];
    return first === undefined
      ? []
      : more.map((message) => ({ of: message, what: `key ${key} stands for ${first} too` }));
  });
}

/** A message nobody was told of: its caller has another one for the same key. */
function acceptedUnasked({ promised, logged }: History): Finding[] {
  const asked = new Set(promised.map(({ message }) => message));
  return eventsOf(logged, 'message.accepted')
    .filter(({ message }) => !asked.has(message))
    .map(({ message }) => ({ of: message, what: 'accepted, and nobody has a promise of it' }));
}

function shownTwice({ shown }: History): Finding[] {
  const repeats = (name: (each: (typeof shown)[number]) => string, what: string) =>
    [...Map.groupBy(shown, name).values()].flatMap(([, ...more]) =>
      more.map(({ message, device }) => ({ of: message, what: `${what} on ${device}` })),
    );
  return [
    ...repeats(({ device, message }) => `${device} ${message}`, 'shown twice'),
    ...repeats(
      ({ device, message, subject }) => `${device} ${subject === '' ? message : subject} `,
      'the same content twice',
    ),
  ];
}

function endedTwice({ logged }: History): Finding[] {
  return [...Map.groupBy(eventsOf(logged, 'message.ended'), ({ message }) => message)]
    .filter(([, ends]) => ends.length > 1)
    .map(([message]) => ({ of: message, what: 'ended twice' }));
}

/** Where the provider ignores repeats: one effect an attempt, and one attempt a message, for there is one step. */
function effectsTwice({ effects, deduplicating }: History, attempts: Attempts): Finding[] {
  const sure = effects.filter(({ channel }) => deduplicating.includes(channel));
  const perMessage = Map.groupBy(sure, ({ id }) => attempts.get(id)?.message ?? `an unknown attempt ${id}`);
  return [...perMessage].flatMap(([message, [, ...more]]) =>
    more.map(({ channel, id }) => ({ of: message, what: `a second effect on ${channel}, ${id}` })),
  );
}

/**
 * Where it does not: an effect that no accepted attempt has the name of came from a try whose answer was never heard, so
 * a phone may have as many of them as its member has attempts that were flagged.
 */
function effectsUnflagged({ effects, named, deduplicating, promised, people }: History, attempts: Attempts): Finding[] {
  const attemptOf = new Map(named.map(({ channel, id, attempt }) => [`${channel} ${id}`, attempt]));
  const unsure = effects.filter(({ channel }) => !deduplicating.includes(channel));
  const nameOf = (effect: Effect) => attemptOf.get(`${effect.channel} ${effect.id}`);
  const namedTwice = [
    ...Map.groupBy(
      unsure.filter((effect) => nameOf(effect) !== undefined),
      nameOf,
    ),
  ].flatMap(([attempt, [, ...more]]) => more.map(({ id }) => ({ of: attempt ?? '', what: `a second effect, ${id}` })));
  const memberOf = new Map(promised.map(({ message, member }) => [message, member]));
  const flagged = [...attempts.values()].filter(({ ambiguous }) => ambiguous);
  const unnamed = Map.groupBy(
    unsure.filter((effect) => nameOf(effect) === undefined),
    ({ phone }) => phone,
  );
  const tooMany = [...unnamed].flatMap(([phone, own]) => {
    const { member } = people.find((person) => person.phone === phone) ?? {};
    const most = flagged.filter(({ message }) => memberOf.get(message) === member).length;
    return own.slice(most).map(({ id }) => ({ of: phone, what: `an effect nobody flagged, ${id}` }));
  });
  return [...namedTwice, ...tooMany];
}

function onceEach<T>(all: readonly T[], name: (each: T) => string): T[] {
  return [...new Map(all.map((each) => [name(each), each])).values()];
}

const bySender = ({ sender }: Promised) => sender;

/** A sender that waits for each answer finds its messages in the lane in the order it sent them. */
function againstSender({ promised, logged }: History): Finding[] {
  const places = placesOf(logged);
  return [...Map.groupBy(promised, bySender).values()].flatMap((own) => {
    const sent = own.toSorted((a, b) => a.order - b.order).map(({ message }) => message);
    return outOfOrder(sent, places).map((message) => ({ of: message, what: 'in the log before one sent earlier' }));
  });
}

/** A device shows the messages of a conversation in the order of the log. */
function againstLog({ shown, logged }: History): Finding[] {
  const places = placesOf(logged);
  const conversations = Map.groupBy(shown, ({ device, conversation }) => `${device} ${conversation}`);
  return [...conversations.values()].flatMap((own) =>
    outOfOrder([...new Set(own.map(({ message }) => message))], places).map((message) => ({
      of: message,
      what: 'shown after one that is later in the log',
    })),
  );
}

function placesOf(logged: History['logged']): Map<string, number> {
  return new Map(
    logged.flatMap(({ event, sequence }) => (event.kind === 'message.accepted' ? [[event.message, sequence]] : [])),
  );
}

/** Those that stand lower than one before them; what has no place is somebody else's finding. */
function outOfOrder(messages: readonly string[], places: ReadonlyMap<string, number>): string[] {
  let highest = 0;
  return messages.filter((message) => {
    const place = places.get(message) ?? highest + 1;
    const late = place <= highest;
    highest = Math.max(highest, place);
    return late;
  });
}
