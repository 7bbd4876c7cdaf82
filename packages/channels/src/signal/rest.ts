/** signal-cli-rest-api (bbernhard), version 2 of its sending. */
import type { AdapterContext } from '../adapter.ts';
import { type HttpResult, httpCall } from '../http-call.ts';
import { parseSearch } from './answer-schema.ts';
import { classifyReach, classifyRest } from './classify.ts';
import type { RestSettings } from './config.ts';
import type { SignalServer } from './server.ts';

export function createRestServer(settings: RestSettings, context: AdapterContext): SignalServer {
  const http = { fetch: context.fetch, now: context.now, timeoutMs: settings.timeout };
  const account = encodeURIComponent(settings.account);

  function call(method: 'POST' | 'DELETE', path: string, body: object): Promise<HttpResult> {
    const headers = { 'content-type': 'application/json' };
    return httpCall(http, `${settings.base_url}/${path}`, { method, headers, body: JSON.stringify(body) });
  }

  return {
    async send(address, { text, attachments }) {
      const files = attachments.length === 0 ? {} : { base64_attachments: attachments };
      // `normal`, whatever the server's default is: in styled text our asterisks would be taken for format.
      const body = { number: settings.account, recipients: [address], message: text, text_mode: 'normal', ...files };
      return classifyRest(await call('POST', 'v2/send', body));
    },
    async remove(address, timestamp) {
      return classifyRest(await call('DELETE', `v1/remote-delete/${account}`, { recipient: address, timestamp }));
    },
    async lookup(address) {
      const url = `${settings.base_url}/v1/search/${account}?${new URLSearchParams({ numbers: address })}`;
      return classifyReach(await httpCall(http, url, { method: 'GET' }), parseSearch);
    },
  };
}
