/** `signal` against fakes of its two servers; the daemon tells what happens by its event stream. */
import { signalRestDefinition, signalRpcDefinition } from '@sealpost/simulator';
import type { Provider } from '../stage.ts';
import { until } from '../stage.ts';
import { httpProvider } from './http-provider.ts';

const ALICE = '+4915112345678';
const ACCOUNT = '+4930123456';
const TOKEN = 'hook-token-1';

const daemon = httpProvider({
  adapter: 'signal',
  way: 'JSON-RPC',
  address: ALICE,
  files: {},
  definition: () => signalRpcDefinition({ account: ACCOUNT }),
  settings: (url) => ({ mode: 'json-rpc', base_url: url, account: ACCOUNT }),
  cannot: {
    'receipt-early': 'receipts and answers come over two connections, of which neither is before the other',
    'receipt-forged': 'nothing is signed: receipts come over a stream we open ourselves',
  },
});

/** What is written to a stream is there once it has been read. */
export const signalRpc: Provider = {
  ...daemon,
  async open(condition) {
    const stage = await daemon.open(condition);
    if ('cannot' in stage) return stage;
    const { say, inbound = [] } = stage;
    return {
      ...stage,
      async say(id, text) {
        const before = inbound.length;
        await say?.(id, text);
        await until(() => inbound[before], 'what was said is told');
      },
    };
  },
};

export const signalRest = httpProvider({
  adapter: 'signal',
  way: 'REST',
  address: ALICE,
  files: { hook: TOKEN },
  definition: () => signalRestDefinition({ account: ACCOUNT, webhookToken: TOKEN }),
  settings: (url) => ({ mode: 'rest', base_url: url, account: ACCOUNT, webhook_token_file: 'hook' }),
  cannot: { 'never-takes': 'it answers 400 whether Signal had the message or not: nothing it says means never' },
});
