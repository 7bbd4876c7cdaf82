/** When who dies: every named point once, each life dying at the first it passes of those left; and kills at random. */
import { CONTROL_POINTS } from '../../packages/control/src/points.ts';
import { DISPATCHER_POINTS } from '../../packages/gateway/src/dispatcher/points.ts';
import { GATEWAY_POINTS } from '../../packages/gateway/src/points.ts';
import { until } from '../support/until.ts';
import type { Arm } from './kill-messages.ts';
import { type Death, type Processes, TARGETS, type Target } from './processes.ts';
import type { Random } from './random.ts';

export const POINTS: Readonly<Record<Target, readonly string[]>> = {
  gateway: Object.keys(GATEWAY_POINTS),
  dispatcher: Object.keys(DISPATCHER_POINTS),
  control: Object.keys(CONTROL_POINTS),
};

export interface EveryPoint {
  /** What a fresh life of this service is to die at. */
  readonly onStart: (service: string) => Omit<Arm, 'kind'> | undefined;
  begin(processes: Processes): void;
  /** `service point` of those nobody has died at yet. */
  left(): string[];
  /** Points that are left when the run gives up waiting stay unarmed. */
  end(processes: Processes): void;
}

export function createEveryPoint(): EveryPoint {
  let processes: Processes | undefined;

  const leftOf = (service: Target): string[] => {
    const died = new Set(
      (processes?.deaths ?? []).filter((death) => death.service === service).map(({ point }) => point),
    );
    return POINTS[service].filter((point) => !died.has(point));
  };
  const armOf = (service: Target) => ({ points: leftOf(service), pass: 1 });

  return {
    onStart: (service) => (processes !== undefined && isTarget(service) ? armOf(service) : undefined),
    begin(running) {
      processes = running;
      for (const service of TARGETS) running.arm(service, armOf(service).points, 1);
    },
    left: () => TARGETS.flatMap((service) => leftOf(service).map((point) => `${service} ${point}`)),
    end(running) {
      processes = undefined;
      for (const service of TARGETS) running.arm(service, [], 1);
    },
  };
}

export function isTarget(service: string): service is Target {
  return TARGETS.some((target) => target === service);
}

export interface RandomKillsOptions {
  readonly processes: Processes;
  readonly kills: number;
  readonly random: Random;
  /** Messages promised so far, and how many there will be. */
  readonly progress: () => number;
  readonly messages: number;
  readonly killPostgres: (() => void) | undefined;
  /** Where all are killed at every point at the same time, which is done by arming them. */
  readonly onlyFromOutside: boolean;
}

const LATEST_PASS = 10;
/** A point that is not passed by then is given up for a kill from outside; so is waiting for messages. */
const PATIENCE = 2_000;

/** Spread over the messages still to come: half from outside at any moment, half at some passing of a named point. */
export async function killAtRandom(options: RandomKillsOptions): Promise<void> {
  const { processes, kills, random, progress, messages, killPostgres, onlyFromOutside } = options;
  const first = progress();
  for (let kill = 1; kill <= kills; kill++) {
    const from = first + ((messages - first) * kill) / (kills + 1);
    await orGiveUp(() => progress() >= from);
    if (killPostgres !== undefined && random.below(10) === 0) {
      killPostgres();
      continue;
    }
    const target = random.one(TARGETS);
    const deaths = () => processes.deaths.filter(({ service }) => service === target).length;
    const before = deaths();
    // One in five dies while it is still coming up.
    if (random.below(5) > 0) await orGiveUp(() => processes.ready(target));
    if (!onlyFromOutside && random.below(2) === 0) {
      processes.arm(target, [random.one(POINTS[target])], 1 + random.below(LATEST_PASS));
      await orGiveUp(() => deaths() > before);
      processes.arm(target, [], 1);
      if (deaths() > before) continue;
    }
    const shot = () => processes.deaths.filter(({ point }) => point === undefined).length;
    const shots = shot();
    while (shot() === shots) {
      await until(`${target} to be killed`, () => processes.kill(target));
      const gone = deaths();
      await until(`${target} to die`, () => deaths() > gone || shot() > shots);
    }
  }
}

async function orGiveUp(holds: () => boolean): Promise<void> {
  await until('', holds, PATIENCE).catch(() => undefined);
}

/** `service point` → how many died there. */
export function deathsAt(deaths: readonly Death[]): Record<string, number> {
  const points: Record<string, number> = {};
  for (const { service, point } of deaths) {
    if (point !== undefined) points[`${service} ${point}`] = (points[`${service} ${point}`] ?? 0) + 1;
  }
  return points;
}
