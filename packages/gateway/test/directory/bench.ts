/**
 * A gateway's device side for tests: log, directory and groups on a database of its own, with a real sequencer step when
 * asked for, and a second node on the same database where a test needs one.
 */
import type { Database } from '@sealpost/platform';
import { createDirectory, type Directory } from '../../src/modules/directory/index.ts';
import { createGroups, type Groups } from '../../src/modules/groups/index.ts';
import type { Log } from '../../src/modules/log/index.ts';
import type { Bus } from '../../src/platform/bus.ts';
import { createLogBench, type LogBench } from '../support/gateway-log.ts';
import { createPerson, enrolled, entryHash, type Person, revoked } from './people.ts';

export interface Node {
  readonly database: Database;
  readonly bus: Bus;
  readonly log: Log;
  readonly directory: Directory;
  readonly groups: Groups;
}

export interface Bench extends Node, AsyncDisposable {
  readonly organisation: LogBench['organisation'];
  readonly clock: LogBench['clock'];
  /** A second node on the same database. */
  node(): Promise<Node>;
  /** An enrolled person with one device. */
  enroll(name: string): Promise<Person>;
  revoke(person: Person, node?: Node): Promise<void>;
}

export async function createBench(): Promise<Bench> {
  const bench = await createLogBench();
  const { organisation, clock } = bench;
  const { trust } = organisation;
  await bench.log.settle();
  const nodeOf = (base: { log: Log; bus: Bus; database: Database }): Node => {
    const directory = createDirectory({ ...base, surroundings: clock, trust });
    const groups = createGroups({ ...base, surroundings: clock, trust, directory });
    return { ...base, directory, groups };
  };
  const first = nodeOf(bench);
  const headOf = async (person: Person) => {
    const chain = await first.directory.member(person.member);
    const newest = chain?.at(-1)?.entry;
    return newest === undefined ? null : entryHash(newest);
  };
  return {
    ...first,
    organisation,
    clock,
    async node() {
      const node = nodeOf(await bench.node());
      await node.log.settle();
      return node;
    },
    async enroll(name) {
      const person = await createPerson(organisation, name);
      const previous = await headOf(person);
      await first.directory.post(await enrolled(organisation, person, { previous, at: clock.now() }));
      return person;
    },
    async revoke(person, node = first) {
      const previous = await headOf(person);
      await node.directory.post(await revoked(organisation, person, { previous, at: clock.now() }));
    },
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  };
}
