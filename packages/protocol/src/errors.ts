/**
 * Errors as values with codes. Each module keeps one table; a code is never reused for another meaning. Only the HTTP
 * edge turns one into problem+json (RFC 9457), and only `sentence` and `hint` leave the process.
 */
import { z } from 'zod';

export const ERROR_KINDS = {
  invalid: 400,
  unauthenticated: 401,
  denied: 403,
  missing: 404,
  conflict: 409,
  'too-large': 413,
  'media-type': 415,
  limited: 429,
  integrity: 422,
  internal: 500,
  unavailable: 503,
} as const;

export type ErrorKind = keyof typeof ERROR_KINDS;
export type ErrorCode = `ERR_${string}`;

export interface ErrorRow {
  readonly kind: ErrorKind;
  /** What is wrong, for whoever called. Never holds a value from the request. */
  readonly sentence: string;
  /** What the caller does next. */
  readonly hint: string;
}

export type ErrorTable = Readonly<Record<ErrorCode, ErrorRow>>;

export class SealpostError extends Error {
  override readonly name = 'SealpostError';
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly hint: string;
  /** Where in the request, as JSON pointers (RFC 6901), and what must be there instead. */
  readonly details: readonly ProblemDetail[];
  /** Seconds after which a retry makes sense. */
  readonly retryAfter: number | undefined;

  constructor(
    code: ErrorCode,
    row: ErrorRow,
    options: { cause?: unknown; details?: readonly ProblemDetail[]; retryAfter?: number } = {},
  ) {
    super(row.sentence, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.kind = row.kind;
    this.hint = row.hint;
    this.details = options.details ?? [];
    this.retryAfter = options.retryAfter;
  }
}

/** A maker of errors for one module's table: `fail('ERR_LANES_…', {cause})`. */
export function errorsOf<Table extends ErrorTable>(table: Table) {
  return (
    code: keyof Table & ErrorCode,
    options: { cause?: unknown; details?: readonly ProblemDetail[]; retryAfter?: number } = {},
  ): SealpostError => {
    const row = table[code];
    if (row === undefined) throw new TypeError(`no such error code: ${code}`);
    return new SealpostError(code, row, options);
  };
}

export const problemDetailSchema = z.strictObject({ pointer: z.string().max(256), detail: z.string().max(300) });
export type ProblemDetail = z.infer<typeof problemDetailSchema>;

/** RFC 9457, with our code and the way out. `type` is urn:sealpost:error:<code>. */
export const problemSchema = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    hint: z.string(),
    errors: z.array(problemDetailSchema).optional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof problemSchema>;

export const PROTOCOL_ERRORS = {
  ERR_ROUTING_BELOW_FLOOR: {
    kind: 'denied',
    sentence: 'This route would protect the content less than the flow demands.',
    hint: 'Leave the route out and let the ladder choose, or ask the owner of the flow to change its floor.',
  },
  ERR_ENVELOPES_BUNDLE: {
    kind: 'conflict',
    sentence: 'The envelope names another manifest bundle than the gateway runs.',
    hint: 'Fetch the current bundle and submit again; nothing was stored.',
  },
} as const satisfies ErrorTable;
export const protocolError = errorsOf(PROTOCOL_ERRORS);
