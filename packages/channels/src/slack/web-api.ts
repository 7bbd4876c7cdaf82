/**
 * Calls to Slack's Web API (Slack, "Using the Web API"): JSON where a method takes it, a form where it does not, and the
 * bot token in the header, never in the address.
 */
import type { AdapterContext } from '../adapter.ts';
import { type HttpResult, httpCall } from '../http-call.ts';
import { secretText } from '../secret-text.ts';
import type { SlackSettings } from './config.ts';

export interface WebApi {
  /** `undefined` when the token cannot be read. */
  json(method: string, body: object): Promise<HttpResult | undefined>;
  form(method: string, fields: Readonly<Record<string, string>>): Promise<HttpResult | undefined>;
  /** To the place Slack gave for an upload; it needs no token and is given none. */
  upload(url: string, bytes: Uint8Array<ArrayBuffer>): Promise<HttpResult>;
}

export function createWebApi(settings: SlackSettings, context: AdapterContext): WebApi {
  const http = { fetch: context.fetch, now: context.now, timeoutMs: settings.timeout };

  async function post(method: string, type: string, body: string): Promise<HttpResult | undefined> {
    const token = await secretText(context, settings.bot_token_file);
    if (token === undefined) return undefined;
    const headers = { authorization: `Bearer ${token}`, 'content-type': `${type}; charset=utf-8` };
    return httpCall(http, `${settings.base_url}/${method}`, { method: 'POST', headers, body });
  }

  return {
    json: (method, body) => post(method, 'application/json', JSON.stringify(body)),
    form: (method, fields) => post(method, 'application/x-www-form-urlencoded', new URLSearchParams(fields).toString()),
    upload: (url, bytes) =>
      httpCall(http, url, { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: bytes }),
  };
}
