/**
 * The fault matrix: whatever a provider does, a message ends by its flow's time in a documented state, and the person is
 * shown it at most once. `npm run faults` prints the table.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FAULT_KINDS, FAULTS } from '../faults/kinds.ts';
import { type Matrix, openMatrix } from '../faults/matrix.ts';

const WITHIN = 300_000;
let matrix: Matrix;
beforeAll(async () => {
  matrix = await openMatrix();
}, WITHIN);
afterAll(() => matrix[Symbol.asyncDispose](), WITHIN);

test.for(FAULTS)('%s', { timeout: WITHIN }, async (fault, { task }) => {
  const cells = await matrix.run(fault);
  Object.assign(task.meta, { cells });
  const wrong = cells.filter(({ right }) => !right);
  expect(wrong, `${FAULT_KINDS[fault].says}: ends are ${FAULT_KINDS[fault].ends.join(', ')}`).toEqual([]);
});
