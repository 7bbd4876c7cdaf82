/**
 * What intake must know from the modules to its left, as two questions for a whole submission at a time. Epochs and
 * pending removals are asked each time; who is in a conversation changes only with its epoch and is kept by it.
 */
import type { Database } from '@sealpost/platform';
import type { BlobId, ConversationId, DeviceId, MemberId } from '@sealpost/protocol';
import type { Blobs } from '../blobs/index.ts';
import type { Directory } from '../directory/index.ts';
import type { Groups } from '../groups/index.ts';
import { gather } from './gather.ts';

export interface ConversationFacts {
  /** The one epoch in which messages are taken; `undefined` while a revoked device is still in the group. */
  readonly epoch: number | undefined;
  /** Certificate URI of whoever created it. */
  readonly creator: string;
  /** Members with an active device in it. */
  readonly members: ReadonlySet<MemberId>;
}

export interface Lookups {
  /** Conversations that do not exist are left out. */
  conversations(ids: readonly ConversationId[]): Promise<ReadonlyMap<ConversationId, ConversationFacts>>;
  /** Those of `ids` that are not stored. */
  missingBlobs(ids: readonly BlobId[]): Promise<ReadonlySet<BlobId>>;
}

export interface LookupsDeps {
  readonly database: Database;
  readonly groups: Pick<Groups, 'epochs' | 'awaitsRemoval' | 'creator' | 'devices'>;
  readonly directory: Pick<Directory, 'device'>;
  readonly blobs: Pick<Blobs, 'missing'>;
}

type People = Pick<ConversationFacts, 'creator' | 'members'>;
type Standing = { readonly epoch: number; readonly awaitsRemoval: boolean };

const KEPT = 20_000;

export function createLookups({ database, groups, directory, blobs }: LookupsDeps): Lookups {
  const people = new Map<ConversationId, { readonly epoch: number; readonly people: People }>();

  const standing = gather<ConversationId, Standing>(async (ids) => {
    const [epochs, awaiting] = await Promise.all([groups.epochs(database, ids), groups.awaitsRemoval(database, ids)]);
    return new Map([...epochs].map(([id, epoch]) => [id, { epoch, awaitsRemoval: awaiting.has(id) }]));
  });

  const peopleOf = async (id: ConversationId, epoch: number): Promise<People | undefined> => {
    const kept = people.get(id);
    if (kept?.epoch === epoch) return kept.people;
    const creator = await groups.creator(database, id);
    if (creator === undefined) return undefined;
    const members = await membersOf(await groups.devices(database, id));
    const found = { creator, members };
    // Devices may have changed since the epoch was read: keep only what is the answer for that epoch still.
    if ((await groups.epochs(database, [id])).get(id) === epoch) keep(id, epoch, found);
    return found;
  };

  const keep = (id: ConversationId, epoch: number, found: People) => {
    const oldest = people.size >= KEPT ? people.keys().next().value : undefined;
    if (oldest !== undefined) people.delete(oldest);
    people.set(id, { epoch, people: found });
  };

  const membersOf = async (devices: readonly DeviceId[]): Promise<Set<MemberId>> => {
    const known = await Promise.all(devices.map((device) => directory.device(device)));
    return new Set(known.flatMap((device) => (device?.active === true ? [device.member] : [])));
  };

  return {
    async conversations(ids) {
      const standings = await standing.get(ids);
      const facts = new Map<ConversationId, ConversationFacts>();
      for (const id of ids) {
        const now = standings.get(id);
        const found = now === undefined ? undefined : await peopleOf(id, now.epoch);
        if (now !== undefined && found !== undefined) {
          facts.set(id, { ...found, epoch: now.awaitsRemoval ? undefined : now.epoch });
        }
      }
      return facts;
    },
    missingBlobs: async (ids) => new Set(await blobs.missing(database, ids)),
  };
}
