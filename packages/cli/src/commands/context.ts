/** What every command is handed: how to speak, the clock and randomness, and the folder it falls back to. */
import type { Surroundings } from '@sealpost/platform';
import type { Output } from '../output.ts';

export interface CommandContext {
  /** Made once the global options are parsed. */
  readonly output: () => Output;
  readonly surroundings: Surroundings;
  readonly version: string;
  readonly defaultData: string;
  readonly runtimeDir: string | undefined;
  /** Ends the process with this code once the command has returned. */
  readonly exitWith: (code: number) => void;
  /** Ends the process now, with the code set before. */
  readonly exitNow: () => void;
}
