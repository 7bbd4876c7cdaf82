/**
 * `GET /`: what this server is and where things are, as one static page without script, and `GET /v1/trust`. Opened over
 * plain HTTP under any name but this machine's, it says why an inbox would not work there and what to do.
 */
import { createHash } from 'node:crypto';
import type { Server } from '@sealpost/platform';
import { registerTrust } from './pages.ts';

const STYLE = `:root{color-scheme:light dark;font:1rem/1.6 system-ui,sans-serif}
body{max-width:42rem;margin:3rem auto;padding:0 1.25rem}
code{font-family:ui-monospace,monospace;font-size:.95em}
aside{border-inline-start:.25rem solid;padding:.25rem 1rem}
dt{font-weight:600}dd{margin:0 0 .75rem}`;
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');
const POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** Origins browsers treat as secure without TLS (W3C Secure Contexts section 3.1). */
const LOCAL = ['localhost', '127.0.0.1', '[::1]', '::1'];

const INSECURE = `<aside role="note"><p><strong>This address is not a secure context.</strong> Browsers keep keys and signatures
from pages that came over plain HTTP from another machine, so a device cannot be enrolled from here.</p>
<p>Open it as <code>http://localhost</code> on the machine itself (for example through
<code>ssh -L 8080:127.0.0.1:8080 HOST</code>), or give control a certificate with the option <code>tls</code>.</p></aside>`;

export interface FrontPageDeps {
  readonly organisation: string;
  readonly gatewayUrl: string;
  readonly trustJws: string;
}

export function registerFrontPage(server: Server, deps: FrontPageDeps): void {
  server.get('/', { schema: { hide: true } }, async (request, reply) => {
    const secure = request.protocol === 'https' || LOCAL.includes(request.hostname);
    return reply
      .type('text/html; charset=utf-8')
      .headers({ 'content-security-policy': POLICY, 'referrer-policy': 'no-referrer', 'x-frame-options': 'DENY' })
      .send(page(deps, secure));
  });
  registerTrust(server, deps.trustJws);
}

function page({ organisation, gatewayUrl }: FrontPageDeps, secure: boolean): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Sealpost control</title><style>${STYLE}</style></head>
<body><main><h1>Sealpost control of ${text(organisation)}</h1>
<p>This server decides who may send what to whom, seals it for the recipient’s devices and hands it to the gateway,
which carries it and cannot read it.</p>
${secure ? '' : INSECURE}
<dl><dt>Interface</dt><dd><a href="/openapi.json"><code>/openapi.json</code></a></dd>
<dt>Public keys of the organisation</dt><dd><a href="/v1/trust"><code>/v1/trust</code></a></dd>
<dt>Send</dt><dd><code>POST /v1/token</code>, then <code>POST /v1/messages</code>; alerts to <code>POST /v1/alerts</code></dd>
<dt>Gateway for devices</dt><dd><code>${text(gatewayUrl)}</code></dd>
<dt>Operate</dt><dd><code>sealpost --help</code></dd></dl></main></body></html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function text(value: string): string {
  return value.replace(/[&<>"']/g, (letter) => ENTITIES[letter] ?? '');
}
