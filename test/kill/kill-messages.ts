/** What the harness tells a service's hook over IPC. */

/** Die at the `pass`-th passing of any of these points. */
export interface Arm {
  readonly kind: 'arm';
  readonly points: readonly string[];
  readonly pass: number;
}

/** Keep the compiled code for the next life, which then comes up sooner. */
export const KEEP_CODE = 'keep-code';
