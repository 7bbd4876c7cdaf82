/** Group commit under concurrency: nothing lost, nothing twice, conflicts alone, every lane gapless. */

import { createHash } from 'node:crypto';
import { envelopeId } from '@sealpost/crypto/verify';
import { canonicalBytes, type Envelope } from '@sealpost/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Draft } from '../../src/modules/envelopes/accept-statement.ts';
import { createGroupCommit } from '../../src/modules/envelopes/index.ts';
import { laneOf, prepareEvent } from '../../src/modules/log/index.ts';
import { makeEnvelope } from '../support/envelopes.ts';
import { createLogBench, type LogBench } from '../support/gateway-log.ts';

function draftOf(bench: LogBench, envelope: Envelope): Draft {
  const { message, conversation, recipient, flow, bundle, floor, expires, commitment } = envelope;
  const body = canonicalBytes(envelope);
  const at = bench.clock.now();
  const said = { conversation, recipient, flow, bundle, floor, expires, commitment, envelope: envelopeId(envelope) };
  return {
    envelope,
    id: new Uint8Array(createHash('sha256').update(body).digest()),
    body,
    lane: laneOf(conversation),
    prepared: prepareEvent({ v: 1, kind: 'message.accepted', at, message, ...said }, bench.clock.random),
  };
}

const GAPS = `
SELECT l.lane FROM lane l LEFT JOIN lane_event e USING (lane) GROUP BY l.lane, l.head
HAVING l.head <> count(e.seq) OR l.head <> coalesce(max(e.seq), 0)`;

test('whatever mix of new, repeated and conflicting envelopes arrives at once on two nodes, each is answered rightly', async () => {
  await using bench = await createLogBench();
  const other = await bench.node();
  const nodes = [bench.database, other.database].map((database) =>
    createGroupCommit({ database, onCommit: () => undefined }),
  );
  const choice = fc.record({ message: fc.nat(11), version: fc.nat(2), conversation: fc.nat(5), node: fc.nat(1) });
  await fc.assert(
    fc.asyncProperty(fc.array(choice, { minLength: 1, maxLength: 60 }), async (choices) => {
      const bases = Array.from({ length: 12 }, () => makeEnvelope(bench.organisation, bench.clock));
      const sent = choices.map(({ message, version, conversation, node }) => {
        const base = makeEnvelope(bench.organisation, bench.clock, { number: conversation });
        const first = bases[message]!;
        const changes = {
          message: first.message,
          commitment: first.commitment,
          parts: first.parts,
          created: 1,
          expires: 2 + version,
        };
        return { draft: draftOf(bench, { ...base, ...changes }), node };
      });
      const answers = await Promise.all(sent.map(({ draft, node }) => nodes[node]!.accept(draft)));
      const byMessage = Map.groupBy(
        sent.map((one, at) => ({ ...one.draft, answer: answers[at]! })),
        ({ envelope }) => envelope.message,
      );
      for (const [message, group] of byMessage) {
        const accepted = group.filter(({ answer }) => answer.outcome === 'accepted');
        expect(accepted).toHaveLength(1);
        const [winner] = accepted;
        for (const { id, answer } of group) {
          const same = Buffer.compare(id, winner!.id) === 0;
          if (answer.outcome === 'conflict') expect(same).toBe(false);
          else
            expect(same && answer.place).toMatchObject({
              sequence: winner!.answer.outcome === 'accepted' && winner!.answer.place.sequence,
            });
        }
        const [row] = await bench.database.query<{ id: Uint8Array; body: Uint8Array }>(
          't-row',
          'SELECT id, body FROM envelope WHERE message = $1',
          [message],
        );
        expect(Buffer.compare(row!.id, winner!.id)).toBe(0);
        expect(Buffer.compare(row!.body, winner!.body)).toBe(0);
        expect(await bench.log.eventsOf(bench.database, message)).toEqual([
          expect.objectContaining({ event: winner!.prepared.event, lane: winner!.lane }),
        ]);
      }
      expect(await bench.database.query('t-gaps', GAPS)).toEqual([]);
    }),
    { numRuns: 15 },
  );
  await Promise.all(nodes.map((node) => node.close()));
  await bench.log.settle();
  const [count] = await bench.database.query<{ same: boolean }>(
    't-same',
    'SELECT (SELECT count(*) FROM log_run r, generate_series(1, r.count)) = (SELECT count(*) FROM envelope) AS same',
  );
  expect(count?.same).toBe(true);
});

test('a database that refuses one row refuses only that row', async () => {
  await using bench = await createLogBench();
  const commit = createGroupCommit({ database: bench.database, onCommit: () => undefined, writers: 1 });
  const good = Array.from({ length: 5 }, () => draftOf(bench, makeEnvelope(bench.organisation, bench.clock)));
  const bad = {
    ...good[0]!,
    envelope: { ...makeEnvelope(bench.organisation, bench.clock), conversation: 'con_\u0000' as never },
  };
  const answers = await Promise.allSettled(
    [...good.slice(0, 3), bad, ...good.slice(3)].map((draft) => commit.accept(draft)),
  );
  expect(answers.map(({ status }) => status)).toEqual([
    'fulfilled',
    'fulfilled',
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
  ]);
  const [row] = await bench.database.query<{ n: number }>('t-n', 'SELECT count(*)::int AS n FROM envelope');
  expect(row?.n).toBe(5);
  expect(await bench.database.query('t-gaps', GAPS)).toEqual([]);
});

test('more than may wait is refused at once and stores nothing', async () => {
  await using bench = await createLogBench();
  const commit = createGroupCommit({ database: bench.database, onCommit: () => undefined, most: 2 });
  const drafts = Array.from({ length: 3 }, () => draftOf(bench, makeEnvelope(bench.organisation, bench.clock)));
  const answers = await Promise.allSettled(drafts.map((draft) => commit.accept(draft)));
  expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  expect(answers[2]).toMatchObject({ reason: { code: 'ERR_ENVELOPES_BUSY', retryAfter: 1 } });
  const [row] = await bench.database.query<{ n: number }>('t-n', 'SELECT count(*)::int AS n FROM envelope');
  expect(row?.n).toBe(2);
});
