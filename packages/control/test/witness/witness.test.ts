/** The witness: cosigns a log that only grows, and nothing else. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger, type Database, migrate, openDatabase, systemSurroundings } from '@sealpost/platform';
import {
  appendLeaf,
  type Checkpoint,
  emptyFrontier,
  encodeCheckpoint,
  frontierRoot,
  openCheckpoint,
  parseTilePath,
  parseVerifierKey,
  readerFromLeaves,
  signNote,
  tileBytes,
  type VerifierKey,
} from '@sealpost/tlog';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FreshDatabase, freshDatabase } from '../../../../test/support/postgres.ts';
import { createLogSource, createWitness, type Witness } from '../../src/modules/witness/index.ts';
import { createOrganisation, random, type TestOrganisation } from '../support/organisation.ts';

let organisation: TestOrganisation;
let fresh: FreshDatabase;
let database: Database;
let leaves: Uint8Array[];
let note: string;
let cosigned: string[];
let url: string;
let close: () => Promise<unknown>;
let witness: Witness;
const logger = createLogger('control', 'error', { write: () => undefined });

const keyOf = (text: string) => {
  const parsed = parseVerifierKey(text);
  if (parsed.kind !== 'parsed') throw new Error('key');
  return parsed.key;
};
const publish = async (change: Partial<Checkpoint> = {}, signer = organisation.log) => {
  const root = frontierRoot(leaves.reduce((frontier, leaf) => appendLeaf(frontier, leaf), emptyFrontier));
  const origin = `${organisation.name}/log`;
  const text = encodeCheckpoint({ origin, size: leaves.length, root, ...change });
  const publicKey = new Uint8Array(Buffer.from(signer.publicJwk.x, 'base64url'));
  note = await signNote(text, { name: origin, publicKey, sign: (bytes) => signer.sign(bytes) });
};
const grow = (count: number) => leaves.push(...Array.from({ length: count }, () => random(32)));
const makeWitness = async () =>
  createWitness({
    database,
    source: createLogSource(url),
    gateway: { cosign: async (signed) => void cosigned.push(signed) },
    trust: organisation.trust,
    signer: await organisation.keys.signer('witness'),
    surroundings: systemSurroundings(),
    logger,
  });

beforeEach(async () => {
  organisation = await createOrganisation(Date.now());
  fresh = await freshDatabase();
  database = openDatabase(fresh.config);
  await migrate(database, new URL('../../sql', import.meta.url).pathname);
  [leaves, cosigned] = [[], []];
  const server = createServer(async (request, response) => {
    const path = (request.url ?? '').replace('/v1/log/', '');
    const tile = path === 'checkpoint' ? undefined : parseTilePath(path);
    const bytes =
      tile === undefined ? undefined : await tileBytes(tile, readerFromLeaves(leaves)).catch(() => undefined);
    if (path === 'checkpoint') response.end(note);
    else if (bytes === undefined) response.writeHead(404).end();
    else response.end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  witness = await makeWitness();
});
afterEach(async () => {
  await close();
  await database.close();
  await fresh[Symbol.asyncDispose]();
  organisation[Symbol.dispose]();
});

describe('the witness', () => {
  it('cosigns each larger checkpoint that adds to what it has seen', async () => {
    for (const count of [3, 1, 300, 7]) {
      grow(count);
      await publish();
      expect(await witness.look()).toBe('cosigned');
    }
    const keys = {
      logKey: keyOf(organisation.trust.gateway.log) as VerifierKey,
      witnessKeys: [keyOf(organisation.trust.control.witness)],
    };
    for (const signed of cosigned) {
      expect(await openCheckpoint(signed, keys)).toMatchObject({
        kind: 'verified',
        cosignedBy: [{ name: `${organisation.name}/control` }],
      });
    }
    expect(cosigned).toHaveLength(4);
  });

  it('signs a checkpoint once', async () => {
    grow(2);
    await publish();
    expect([await witness.look(), await witness.look()]).toEqual(['cosigned', 'nothing new']);
  });

  it('does not sign a log that rewrote its past, not even after a restart', async () => {
    grow(5);
    await publish();
    await witness.look();
    leaves[2] = random(32);
    grow(4);
    await publish();
    expect(await witness.look()).toBe('inconsistent');
    expect(await (await makeWitness()).look()).toBe('inconsistent');
    expect(cosigned).toHaveLength(1);
  });

  it('does not sign another root of the same size, nor an older checkpoint', async () => {
    grow(5);
    await publish();
    await witness.look();
    await publish({ root: random(32) });
    expect(await witness.look()).toBe('inconsistent');
    leaves.length = 4;
    await publish();
    expect(await witness.look()).toBe('older');
  });

  it('does not sign what another key signed', async () => {
    grow(1);
    await publish({}, organisation.receipts);
    expect(await witness.look()).toBe('rejected');
  });

  it('waits while the tiles that would prove it are not there', async () => {
    grow(5);
    await publish();
    await witness.look();
    const known = leaves;
    grow(3);
    await publish();
    leaves = [];
    expect(await witness.look()).toBe('unproven');
    leaves = known;
    expect(await witness.look()).toBe('cosigned');
  });
});
