/**
 * Nothing lost, nothing doubled, nothing out of order: gateway, dispatcher and control are killed at every named point and
 * twenty times at random, while messages go through providers that fail. `npm run kill` is the long form.
 */
import { expect, test } from 'vitest';
import { POINTS } from '../kill/kills.ts';
import { TARGETS } from '../kill/processes.ts';
import { runKills } from '../kill/run.ts';

const PORT_BASE = 7000;
const SEED = 3;

test('killed at every named point and at random, every promise is kept once and in order', async () => {
  const options = { messages: 120, kills: 20, everyPoint: true, postgres: false, seed: SEED, portBase: PORT_BASE };
  const report = await runKills({ ...options, say: () => undefined });
  expect(report).toMatchObject({ findings: [], lost: 0, doubled: 0, reordered: 0, unasked: [], logVerified: true });
  const points = TARGETS.flatMap((service) => POINTS[service].map((point) => `${service} ${point}`));
  expect(Object.keys(report.points).toSorted()).toEqual(points.toSorted());
  expect(report.kills).toBeGreaterThanOrEqual(points.length + options.kills);
  // The providers had something to do, and some of it went wrong on the way.
  expect(report.effects['rcs-main']).toBeGreaterThan(0);
  expect(report.effects['sms-main']).toBeGreaterThan(0);
  // A caller never meets an error of ours, only somebody's absence.
  expect(Object.keys(report.refusals).filter((code) => /INTERNAL|ERR_HTTP/.test(code))).toEqual([]);
}, 1_500_000);
