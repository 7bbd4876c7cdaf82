/**
 * Logs: one JSON line an event on stdout (pino). Only members named in `FIELDS` are written; anything else a caller adds
 * is dropped, so no address, token, key or content can slip in through an object that grew (STYLE 4.6).
 */
import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';

export const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type Level = (typeof LEVELS)[number];

const FIELDS = [
  'code',
  'lane',
  'count',
  'port',
  'path',
  'pid',
  'channel',
  'vendor',
  'adapter',
  'version',
  'state',
  'reason',
  'route',
  'method',
  'status',
  'ms',
  'option',
  'attempt',
  'message',
  'flow',
  'epoch',
  'position',
  'migration',
] as const;
export type Fields = Partial<Record<(typeof FIELDS)[number], string | number | boolean>>;

export interface Logger {
  debug(event: string, fields?: Fields): void;
  info(event: string, fields?: Fields): void;
  warn(event: string, fields?: Fields): void;
  /** A bug: somebody must look. `cause` is written as its class and code, and its stack; never its message. */
  error(event: string, fields?: Fields & { cause?: unknown }): void;
}

export function createLogger(service: string, level: Level = 'info', stream?: DestinationStream): Logger {
  const options = { base: { service }, level, messageKey: 'event', timestamp: pino.stdTimeFunctions.isoTime };
  const sink: PinoLogger = stream === undefined ? pino(options) : pino(options, stream);
  return {
    debug: (event, fields) => sink.debug(allowed(fields), event),
    info: (event, fields) => sink.info(allowed(fields), event),
    warn: (event, fields) => sink.warn(allowed(fields), event),
    error: (event, fields) => sink.error({ ...allowed(fields), ...causeOf(fields?.cause) }, event),
  };
}

function allowed(fields: object | undefined): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const name of FIELDS) {
    const value = (fields as Fields | undefined)?.[name];
    if (value !== undefined) kept[name] = typeof value === 'string' ? value.slice(0, 200) : value;
  }
  return kept;
}

function causeOf(cause: unknown): Record<string, unknown> {
  if (!(cause instanceof Error)) return {};
  const { code } = cause as { code?: unknown };
  const stack = cause.stack ?? '';
  // The message stands first and may itself have lines that look like frames.
  const start = Math.max(0, stack.indexOf(cause.message)) + cause.message.length;
  const frames = stack
    .slice(start)
    .split('\n')
    .filter((line) => /^\s+at /.test(line));
  return {
    cause: cause.name,
    ...(typeof code === 'string' ? { causeCode: code } : {}),
    stack: frames.slice(0, 12).map((line) => line.trim()),
  };
}
