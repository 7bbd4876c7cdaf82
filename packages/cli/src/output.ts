/**
 * How the command line speaks: data on stdout, words on stderr, one documented exit code a kind of failure, and with
 * `--json` exactly one JSON line of result (clig.dev).
 */
import { type ErrorKind, SealpostError } from '@sealpost/protocol';
import { z } from 'zod';

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

/** A check's own answer: what it threw says no, and the command exits 3. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

/** What a check finds wrong is its answer, not a failure of the command. */
export function refuse(cause: unknown): never {
  throw new Refusal('refused', { cause });
}

export interface Failure {
  /** For stderr. */
  readonly lines: readonly string[];
  /** For --json. */
  readonly value: Record<string, unknown>;
  readonly exit: ExitCode;
}

/** What a failed command prints and exits with. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof Refusal) return { ...describeFailure(error.cause), exit: EXIT_CODES.refused };
  const { sentence, hint, code, details, exit } = readFailure(error);
  const lines = [
    `sealpost: error: ${spoken(sentence)}`,
    ...details.map(({ pointer, detail }) => `  ${pointer} ${detail}`),
    ...(hint === undefined ? [] : [`sealpost: hint: ${spoken(hint)}`]),
    ...(code === undefined ? [] : [`sealpost: code: ${code}`]),
  ];
  const value = { ok: false, error: sentence, ...(code && { code }), ...(hint && { hint }), details };
  return { lines, value, exit };
}

interface ReadFailure {
  readonly sentence: string;
  readonly hint?: string;
  readonly code?: string;
  readonly details: readonly { readonly pointer: string; readonly detail: string }[];
  readonly exit: ExitCode;
}

function readFailure(error: unknown): ReadFailure {
  if (error instanceof SealpostError) {
    const { message, hint, code, details } = error;
    return { sentence: message, hint, code, details, exit: EXIT_OF[error.kind] ?? EXIT_CODES.denied };
  }
  if (error instanceof z.ZodError) {
    const details = error.issues.map(({ path, message }) => ({ pointer: `/${path.join('/')}`, detail: message }));
    const hint = 'Run the command with --help for the form of its arguments.';
    return { sentence: 'An argument is not in the form it must have.', hint, details, exit: EXIT_CODES.usage };
  }
  const { message, hint, code } = error as { message?: unknown; hint?: unknown; code?: unknown };
  return {
    sentence: typeof message === 'string' ? message : 'failed',
    ...(typeof hint === 'string' ? { hint } : {}),
    ...(typeof code === 'string' ? { code } : {}),
    details: [],
    exit: EXIT_CODES.failed,
  };
}

const EXIT_OF: Partial<Record<ErrorKind, ExitCode>> = {
  unavailable: EXIT_CODES.unavailable,
  limited: EXIT_CODES.unavailable,
  internal: EXIT_CODES.failed,
};

/** STYLE 4.5: lower case, no full stop; names keep their capital, and a hint of several sentences its stops. */
function spoken(sentence: string): string {
  const lowered = /^(?!Sealpost\b|Node\b|Linux\b)[A-Z][a-z]*[ ,]/.test(sentence)
    ? sentence.charAt(0).toLowerCase() + sentence.slice(1)
    : sentence;
  return lowered.replace(/\.$/, '');
}
