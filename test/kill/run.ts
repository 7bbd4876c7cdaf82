/**
 * One run: a house, people in it, messages through failing providers while services die, then quiet, then the verdict.
 * Whatever was promised by then must have happened once and in order; a run that fails keeps its folder.
 */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { verifyLogFile } from '../../packages/cli/src/log/verify-log.ts';
import { until } from '../support/until.ts';
import { type Chores, createChores } from './chores.ts';
import type { Finding, History, Promised, Shown } from './history.ts';
import { type KillHouse, openKillHouse } from './house.ts';
import { judge } from './judge.ts';
import { createEveryPoint, deathsAt, type EveryPoint, killAtRandom } from './kills.ts';
import { DEDUPLICATING } from './manifests.ts';
import { type People, type Resident, settle } from './people.ts';
import { createRandom } from './random.ts';
import { openSubscriber, type Subscriber } from './replies.ts';
import { type Reader, readAll, sendAll } from './traffic.ts';
import { readLog, readNames, readPhones, receiptsDue, workLeft } from './witnesses.ts';

export interface KillOptions {
  readonly messages: number;
  /** At random; beside them, with `everyPoint`, one at each named point. */
  readonly kills: number;
  readonly everyPoint: boolean;
  readonly postgres: boolean;
  readonly seed: number;
  readonly portBase: number;
  readonly say: (text: string) => void;
}

export interface KillReport {
  readonly lost: number;
  readonly doubled: number;
  readonly ambiguous: number;
  readonly reordered: number;
  readonly messages: number;
  readonly kills: number;
  /** `service point` → deaths there. */
  readonly points: Readonly<Record<string, number>>;
  /** Named points nobody died at though everyone was to. */
  readonly unreached: readonly string[];
  /** Deaths nobody asked for. */
  readonly unasked: readonly string[];
  /** What callers were told before they were told 202. */
  readonly refusals: Readonly<Record<string, number>>;
  readonly effects: Readonly<Record<string, number>>;
  readonly logVerified: boolean;
  /** Entries of the log that was verified. */
  readonly logSize: number;
  readonly seed: number;
  readonly seconds: number;
  readonly findings: readonly Finding[];
  /** Kept, for a run that failed. */
  readonly folder?: string;
}

/** Conversations a member: more of them than kills can stop at once, for a killed control's rest until its lease is over. */
const AGENTS = 6;
const AWAY = 3;
/** 10 % fail, 8 % answer late or not at all. */
const FAULTS = {
  rbm: [
    { kind: '503', rate: 0.1 },
    { kind: 'timeout-after-effect', rate: 0.03 },
    { kind: 'timeout-before-effect', rate: 0.02 },
    { kind: 'slow', rate: 0.03, delayMs: 1_000 },
  ],
  smsc: [
    { kind: '429', rate: 0.08 },
    { kind: 'reset', rate: 0.02 },
    { kind: 'timeout-after-effect', rate: 0.03 },
    { kind: 'timeout-before-effect', rate: 0.02 },
    { kind: 'slow', rate: 0.03, delayMs: 1_000 },
  ],
};
const EVERY_POINT_PATIENCE = 600_000;
const QUIET_PATIENCE = 240_000;
const QUIET_PAUSE = 1_000;

export async function runKills(options: KillOptions): Promise<KillReport> {
  const began = performance.now();
  const seconds = () => Math.round((performance.now() - began) / 1000);
  const say = (text: string) => options.say(`${String(seconds()).padStart(4)} s  ${text}`);
  const folder = await mkdtemp(join(tmpdir(), 'sealpost-kill-'));
  // PostgreSQL runs as another user when root starts it and must pass through, not read.
  await chmod(folder, 0o711);
  const every = createEveryPoint();
  const unasked: string[] = [];
  const house = await openKillHouse({
    folder,
    portBase: options.portBase,
    onStart: every.onStart,
    onUnasked: (service, how) => void unasked.push(`${service} ${how}`),
    say,
  });
  const subscriber = await openSubscriber();
  let people: People | undefined;
  try {
    say('moving in');
    people = await settle(house, folder, { agents: AGENTS, away: AWAY });
    const seen = await live({ ...options, say }, house, people, every, subscriber);
    const verified = await verifyLog(house, people, folder);
    const history = await historyOf(house, seen, subscriber);
    const { lost, doubled, reordered, ambiguous } = judge(history);
    const report = {
      lost: countOf(lost),
      doubled: countOf(doubled),
      ambiguous: ambiguous.length,
      reordered: countOf(reordered),
      messages: new Set(history.promised.map(({ message }) => message)).size,
      kills: house.processes.deaths.length,
      points: deathsAt(house.processes.deaths),
      unreached: options.everyPoint ? seen.unreached : [],
      unasked,
      refusals: Object.fromEntries(people.caller.refusals),
      effects: countBy(history.effects.map(({ channel }) => channel)),
      logVerified: verified.size > 0,
      logSize: verified.size,
      seed: options.seed,
      seconds: seconds(),
      findings: [...lost, ...doubled, ...reordered],
    };
    await people.close();
    await house.close();
    await subscriber.close();
    if (passed(report)) await rm(folder, { recursive: true });
    return passed(report) ? report : { ...report, folder };
  } catch (cause) {
    await people?.close().catch(() => undefined);
    await house.close();
    await subscriber.close();
    throw new Error(`the run did not come to an end; its folder is ${folder}`, { cause });
  }
}

export function passed({ lost, doubled, reordered, unreached, unasked, logVerified }: KillReport): boolean {
  return lost + doubled + reordered + unreached.length + unasked.length === 0 && logVerified;
}

interface Seen {
  readonly promised: readonly Promised[];
  readonly residents: readonly Resident[];
  readonly readers: readonly Reader[];
  readonly unreached: readonly string[];
  readonly written: readonly string[];
}

/** From the first message to the last receipt. */
async function live(
  { messages, kills, everyPoint, postgres, seed, say }: KillOptions,
  house: KillHouse,
  people: People,
  every: EveryPoint,
  subscriber: Subscriber,
): Promise<Seen> {
  const { processes } = house;
  const random = createRandom(seed);
  const online = people.residents.filter((resident) => resident.online);
  const present = online.map(readAll);
  for (const { device } of online) await device.connect();
  for (const [carrier, faults] of Object.entries(FAULTS)) await setFaults(house, carrier, faults);

  // Replies come under the vendor's name; any flow that writes through it hears them.
  const [[box] = []] = people.conversations;
  if (box === undefined) throw new TypeError('there is a conversation');
  await people.caller.subscribe(box.flow, subscriber.url);
  const chores = createChores(house, people);
  const traffic = sendAll(people.conversations, messages, people.caller, random);
  const killPostgres = postgres ? house.killPostgres : undefined;
  const progress = () => traffic.promised.length;
  const atRandom = { processes, kills, random, progress, messages, killPostgres, onlyFromOutside: everyPoint };
  say(everyPoint ? 'killing at every named point, and at random' : 'killing at random');
  const [unreached] = await Promise.all([everyPoint ? atEveryPoint(every, house, chores) : [], killAtRandom(atRandom)]);
  await traffic.finished;

  say('nobody is killed any more; waiting until all is at rest');
  await fetch(`${simulatorOf(house)}/faults`, { method: 'DELETE' });
  await quiet(house, say);
  for (const reader of present) await reader.idle();
  say('the devices that were away come online');
  const away = [...people.residents, ...chores.newcomers].filter((resident) => !resident.online);
  const readers = [...present, ...away.map(readAll)];
  for (const { device } of away) await people.caller.untilDone(() => device.connect());
  const promised = [...traffic.promised, ...chores.promised];
  await until('every message has ended', async () => (await unended(house, promised)) === 0, QUIET_PATIENCE).catch(
    // The judge says which ones, and what of them is missing.
    () => say('some message has not ended'),
  );
  for (const reader of readers) await reader.idle();
  for (const { device } of [...online, ...away]) await people.caller.untilDone(() => device.sendReceipts());
  await quiet(house, say);
  const unanswered = () => chores.written.filter((text) => !subscriber.told.some((told) => told.text === text));
  await until('every reply is told', async () => unanswered().length === 0, QUIET_PATIENCE).catch(() =>
    say('some reply was not told'),
  );
  return {
    ...{ promised, readers, unreached, written: chores.written },
    residents: [...people.residents, ...chores.newcomers],
  };
}

/** Answers the points nobody died at in all that time. */
async function atEveryPoint(every: EveryPoint, { processes }: KillHouse, chores: Chores): Promise<string[]> {
  const deadline = performance.now() + EVERY_POINT_PATIENCE;
  every.begin(processes);
  for (let left = every.left(); left.length > 0 && performance.now() < deadline; left = every.left())
    await chores.round(left);
  const unreached = every.left();
  every.end(processes);
  return unreached;
}

async function unended({ database }: KillHouse, promised: readonly Promised[]): Promise<number> {
  const [row] = await database.query<{ count: number }>(
    'kill-ended',
    "SELECT count(DISTINCT message)::int AS count FROM lane_event WHERE kind = 'message.ended' AND message = ANY($1::uuid[])",
    [promised.map(({ message }) => message)],
  );
  return new Set(promised.map(({ message }) => message)).size - (row?.count ?? 0);
}

/** Asked seldom: the question costs more than the work it asks about. */
async function quiet(house: KillHouse, say: (text: string) => void): Promise<void> {
  const deadline = performance.now() + QUIET_PATIENCE;
  for (let told = ''; ; await delay(QUIET_PAUSE)) {
    const due = await receiptsDue(house.database, simulatorOf(house));
    const left = [...(await workLeft(house.database)), ...(due === 0 ? [] : [`${due} receipts of providers`])].join(
      ', ',
    );
    if (left === '') return;
    // The judge says what of it was lost.
    if (performance.now() > deadline) return say(`not at rest: ${left}`);
    if (left !== told) say(`  still ${left}`);
    told = left;
  }
}

async function verifyLog({ trust }: KillHouse, people: People, folder: string): Promise<{ readonly size: number }> {
  const file = join(folder, 'log-export.jsonl');
  const { caller } = people;
  const text = await caller.untilDone(async () => caller.control.text('/v1/log/export', await people.operatorToken()));
  await writeFile(file, text);
  const verdict = await verifyLogFile(file, { logKey: trust.gateway.log, witnessKeys: [trust.control.witness] });
  return { size: verdict.kind === 'ok' ? verdict.size : 0 };
}

async function historyOf(
  house: KillHouse,
  { promised, residents, readers, written }: Seen,
  { told }: Subscriber,
): Promise<History> {
  const shown: Shown[] = [];
  for (const reader of readers) shown.push(...(await reader.shown()));
  return {
    people: residents.map(({ member, phone, device, online }) => ({
      member,
      phone,
      device: device.identity.device,
      online,
    })),
    deduplicating: DEDUPLICATING,
    promised,
    logged: await readLog(house.database),
    shown,
    effects: await readPhones(simulatorOf(house)),
    named: await readNames(house.database),
    replies: { written, told },
  };
}

const simulatorOf = ({ ports }: KillHouse) => `http://127.0.0.1:${ports.simulator}`;

async function setFaults(house: KillHouse, carrier: string, faults: readonly object[]): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const url = `${simulatorOf(house)}/faults/${carrier}`;
  const answer = await fetch(url, { method: 'PUT', headers, body: JSON.stringify(faults) });
  if (!answer.ok) throw new Error(`the simulator refused the faults of ${carrier}: ${await answer.text()}`);
}

/** One message may be missing in several ways. */
function countOf(findings: readonly Finding[]): number {
  return new Set(findings.map(({ of }) => of)).size;
}

function countBy(names: readonly string[]): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length]));
}
