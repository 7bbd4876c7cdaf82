/**
 * How the command line speaks: data on stdout, words on stderr, one documented exit code a kind of failure, and with
 * `--json` exactly one JSON line of result (clig.dev).
 */
import { SealpostError } from '@sealpost/protocol';

export const EXIT_CODES = {
  ok: 0,
  /** Something failed that is nobody's wrong input; the sentence says what. */
  failed: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** A check ran and said no: `log verify`, `manifests check`, `config check`, `doctor`. */
  refused: 3,
  /** The server said no: not allowed, not found, conflicting. */
  denied: 4,
  /** A server or PostgreSQL is away; trying again later makes sense. */
  unavailable: 5,
} as const;
export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];

export interface Output {
  /** A result: one JSON line with --json, else the lines of `words`. */
  result(value: Record<string, unknown>, words?: readonly string[]): void;
  /** Data as it is, for pipes. */
  data(text: string): void;
  /** Progress and remarks; silent with --json. */
  say(text: string): void;
}

export function createOutput(
  json: boolean,
  streams: { out: NodeJS.WritableStream; err: NodeJS.WritableStream },
): Output {
  return {
    result(value, words = []) {
      if (json) streams.out.write(`${JSON.stringify(value)}\n`);
      else for (const line of words) streams.out.write(`${line}\n`);
    },
    data: (text) => void streams.out.write(text),
    say: (text) => void (json ? undefined : streams.err.write(`${text}\n`)),
  };
}

/** What a failed command prints on stderr and exits with. */
export function describeFailure(error: unknown): { lines: string[]; exit: ExitCode } {
  if (error instanceof SealpostError) {
    const lines = [
      `sealpost: error: ${error.message}`,
      ...error.details.map(({ pointer, detail }) => `  ${pointer} ${detail}`),
      `sealpost: hint: ${error.hint}`,
      `sealpost: code: ${error.code}`,
    ];
    const exit =
      error.kind === 'unavailable' || error.kind === 'limited'
        ? EXIT_CODES.unavailable
        : error.kind === 'internal'
          ? EXIT_CODES.failed
          : EXIT_CODES.denied;
    return { lines, exit };
  }
  const hinted = error as { message?: unknown; hint?: unknown; code?: unknown };
  const lines = [`sealpost: error: ${typeof hinted.message === 'string' ? hinted.message : 'failed'}`];
  if (typeof hinted.hint === 'string') lines.push(`sealpost: hint: ${hinted.hint}`);
  if (typeof hinted.code === 'string') lines.push(`sealpost: code: ${hinted.code}`);
  return { lines, exit: EXIT_CODES.failed };
}
