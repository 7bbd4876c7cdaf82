/**
 * The contract of `rcs-google` against the simulated platform; every exchange is also checked against Google's API.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { createSpecCheck, SPEC_ABSENT } from '../../simulator/test/openapi.ts';
import { describeContract } from './contract.ts';
import { rcsGoogle } from './providers/rcs-google.ts';

let nonsense = false;
const spec = createSpecCheck(() => nonsense);

describeContract(
  rcsGoogle(spec.fetch, (condition) => {
    nonsense = condition === 'nonsense-after-effect';
  }),
);

describe("Google's published API", () => {
  afterAll(() => {
    nonsense = false;
  });

  it('allows every request the adapter made and every answer the simulator gave', (context) => {
    if (SPEC_ABSENT !== undefined) context.skip(SPEC_ABSENT);
    expect(spec.violations).toEqual([]);
    expect(new Set(spec.checked.map((what) => what.slice(-3)))).toEqual(
      new Set(['200', '400', '401', '404', '429', '503']),
    );
  });
});
