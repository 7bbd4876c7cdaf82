/**
 * What leaves the house in a support bundle. Everything is dropped unless a list below says it stays; an id that must stay
 * recognisable within one bundle becomes a pseudonym under that bundle's own salt, which is kept nowhere.
 */
import { createHmac } from 'node:crypto';

export interface Redaction {
  /** A configuration with its paths, addresses of servers and small numbers; every other text is left out. */
  config(value: unknown, name?: string): unknown;
  /** One line of a service's log; `undefined` for what is no log line. */
  logLine(line: string): Record<string, unknown> | undefined;
}

/** Members whose texts are paths, hosts or one of a few words of ours. A URL is kept without user and query. */
const KEPT_TEXTS = /(?:_file|^folder|^data|^host|^log_level|^adapter|^organisation|^pages|^database|^user)$/;
const KEPT_URLS = /(?:^|_)url$/;
/** Ports, pools and limits; a telephone number written as a number is larger. */
const LARGEST_NUMBER = 1_000_000;

/** Of the fields the logger writes, those whose values are words of the program. */
const KEPT_FIELDS = [
  'level',
  'time',
  'pid',
  'service',
  'event',
  'code',
  'lane',
  'count',
  'port',
  'channel',
  'adapter',
  'version',
  'state',
  'reason',
  'method',
  'status',
  'ms',
  'option',
  'attempt',
  'epoch',
  'position',
  'migration',
  'cause',
  'causeCode',
  'stack',
] as const;
/** Ids of somebody's message, or of a path that may end in an id. */
const PSEUDONYMOUS_FIELDS = ['message', 'path', 'route', 'flow'] as const;
const IDS =
  /\b(?:dev|con|sps|att)_[\w-]+|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\+?[0-9][0-9 ()/-]{6,}[0-9]/gi;

export function createRedaction(salt: Uint8Array): Redaction {
  const pseudonym = (text: string) => `id-${createHmac('sha256', salt).update(text).digest('hex').slice(0, 12)}`;
  const words = (text: string) => text.slice(0, 300).replaceAll(IDS, pseudonym);
  const config = (value: unknown, name = ''): unknown => {
    if (Array.isArray(value)) return value.map((entry) => config(entry, name));
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, config(entry, key)]));
    if (typeof value === 'string')
      return KEPT_TEXTS.test(name) ? value : KEPT_URLS.test(name) ? bareUrl(value) : '(left out)';
    if (typeof value === 'number') return value < LARGEST_NUMBER ? value : '(left out)';
    return value;
  };
  return {
    config,
    logLine(line) {
      const fields = fieldsOf(line);
      if (fields === undefined) return undefined;
      const kept: Record<string, unknown> = {};
      for (const name of KEPT_FIELDS) {
        const value = fields[name];
        if (typeof value === 'number' || typeof value === 'boolean') kept[name] = value;
        if (typeof value === 'string') kept[name] = name === 'time' ? value.slice(0, 30) : words(value);
        if (name === 'stack' && Array.isArray(value)) kept[name] = value.map((frame) => words(String(frame)));
      }
      for (const name of PSEUDONYMOUS_FIELDS)
        if (fields[name] !== undefined) kept[name] = pseudonym(String(fields[name]));
      return kept;
    },
  };
}

function bareUrl(text: string): string {
  const url = URL.parse(text);
  return url === null ? '(left out)' : `${url.protocol}//${url.host}`;
}

function fieldsOf(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
