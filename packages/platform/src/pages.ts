/**
 * Serves one built page from memory: `/` with a fresh nonce and a strict content security policy at each answer, its
 * script and styles beside it. Nothing is read after start, so no request ever names a file.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { type ErrorTable, errorsOf } from '@sealpost/protocol';
import type { FastifyInstance } from 'fastify';

export const PAGE_ERRORS = {
  ERR_PAGE_FOLDER: {
    kind: 'missing',
    sentence: 'The folder of a page does not hold a built page.',
    hint: 'Name the folder that `npm run build` wrote (dist/pages/<name>).',
  },
} as const satisfies ErrorTable;
const pageError = errorsOf(PAGE_ERRORS);

export interface PageOptions {
  /** Holds index.html and what it names. */
  readonly folder: string;
  /** Where it is served; ends in a slash. */
  readonly at?: string;
  /** Origins beside its own that its script may call, with their scheme (`http:`, `ws:` …). */
  readonly connect?: readonly string[];
  /** Origins that may show it in a frame; nobody unless named. */
  readonly framedBy?: readonly string[];
  /** Origins it shows in frames; none unless named. */
  readonly frames?: readonly string[];
}

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
};

/** Throws ERR_PAGE_FOLDER when there is no built page. */
export function registerPage(server: Pick<FastifyInstance, 'get'>, options: PageOptions): void {
  const { folder, at = '/' } = options;
  const html = readPage(folder);
  const schema = { hide: true } as const;
  server.get(at, { schema }, async (_request, reply) => {
    const nonce = randomBytes(16).toString('base64');
    return reply
      .type('text/html; charset=utf-8')
      .headers({ ...HEADERS, 'content-security-policy': policy(options, nonce) })
      .send(html.replaceAll('{{nonce}}', nonce));
  });
  for (const name of readdirSync(folder)) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const bytes = readFileSync(join(folder, name));
    server.get(`${at}${name}`, { schema }, async (_request, reply) =>
      reply
        .type(type)
        .headers({ ...HEADERS, 'cache-control': 'no-cache' })
        .send(bytes),
    );
  }
}

const HEADERS = {
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
} as const;

/** CSP level 3. Only own scripts; styles the component library adds at run time carry the nonce of this answer. */
function policy({ connect = [], framedBy = [], frames = [] }: PageOptions, nonce: string): string {
  const none = (origins: readonly string[]) => (origins.length === 0 ? "'none'" : origins.join(' '));
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' blob: data:",
    "font-src 'self'",
    ["connect-src 'self'", ...connect].join(' '),
    `frame-src ${none(frames)}`,
    `frame-ancestors ${none(framedBy)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

function readPage(folder: string): string {
  try {
    return readFileSync(join(folder, 'index.html'), 'utf8');
  } catch (cause) {
    throw pageError('ERR_PAGE_FOLDER', {
      cause,
      details: [{ pointer: 'pages', detail: 'is no folder of a built page' }],
    });
  }
}
