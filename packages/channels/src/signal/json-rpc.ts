/** signal-cli's daemon with `--http` (signal-cli-jsonrpc(5)): JSON-RPC 2.0, one call to a request. */
import type { AdapterContext } from '../adapter.ts';
import { type HttpResult, httpCall } from '../http-call.ts';
import { parseUserStatus } from './answer-schema.ts';
import { classifyReach, classifyRpc } from './classify.ts';
import type { JsonRpcSettings } from './config.ts';
import type { SignalServer } from './server.ts';

export function createJsonRpcServer(settings: JsonRpcSettings, context: AdapterContext): SignalServer {
  const http = { fetch: context.fetch, now: context.now, timeoutMs: settings.timeout };

  /** The account is named in each call, since one daemon can have several. */
  function call(method: string, params: object): Promise<HttpResult> {
    const body = { jsonrpc: '2.0', id: 'sealpost', method, params: { account: settings.account, ...params } };
    const headers = { 'content-type': 'application/json' };
    return httpCall(http, `${settings.base_url}/api/v1/rpc`, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  return {
    async send(address, { text, attachments }) {
      const files = attachments.length === 0 ? {} : { attachments };
      return classifyRpc(await call('send', { recipient: [address], message: text, ...files }));
    },
    async remove(address, targetTimestamp) {
      return classifyRpc(await call('remoteDelete', { recipient: [address], targetTimestamp }));
    },
    async lookup(address) {
      return classifyReach(await call('getUserStatus', { recipient: [address] }), parseUserStatus);
    },
  };
}
