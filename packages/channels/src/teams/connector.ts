/**
 * Calls to the Bot Connector under a token of Entra ID (client credentials, RFC 6749 section 4.4). They go to the endpoint in
 * the settings alone: a `serviceUrl` from outside is checked and never called, so no activity can send our token elsewhere.
 */
import type { AdapterContext } from '../adapter.ts';
import { type HttpResult, httpCall } from '../http-call.ts';
import { type AccessTokens, createTokens, exchangeOf, type NoToken } from '../oauth-token.ts';
import { secretText } from '../secret-text.ts';
import type { TeamsBotSettings } from './config.ts';

const SCOPE = 'https://api.botframework.com/.default';

export interface Connector {
  readonly tokens: AccessTokens;
  call(token: string, method: 'POST' | 'DELETE', path: string, body?: object): Promise<HttpResult>;
}

export function createConnector(settings: TeamsBotSettings, context: AdapterContext): Connector {
  const http = { fetch: context.fetch, now: context.now, timeoutMs: settings.timeout };
  const { app_id, tenant_id, base_url, login_url, client_secret_file } = settings;

  async function exchange(): Promise<ReturnType<typeof exchangeOf> | NoToken> {
    const secret = await secretText(context, client_secret_file);
    if (secret === undefined) return { kind: 'refused', reason: 'client secret file unreadable' };
    const form = { grant_type: 'client_credentials', client_id: app_id, client_secret: secret, scope: SCOPE };
    const url = `${login_url}/${tenant_id}/oauth2/v2.0/token`;
    return exchangeOf(await httpCall(http, url, { method: 'POST', body: new URLSearchParams(form) }));
  }

  return {
    tokens: createTokens(context.now, exchange),
    call(token, method, path, body) {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const content = body === undefined ? {} : { body: JSON.stringify(body) };
      return httpCall(http, `${base_url}/v3/conversations${path}`, { method, headers, ...content });
    },
  };
}
