/** `rcs-google` against the simulated platform. */
import { createHmac } from 'node:crypto';
import type { RawWebhook } from '../../src/index.ts';
import { type Condition, type Provider, type Stage, until } from '../stage.ts';
import {
  account,
  CLIENT_TOKEN,
  contextWith,
  createAdapter,
  files,
  rcsSettings,
  recordingSink,
  startCarriers,
} from '../stages.ts';
import { startWebhookServer } from '../webhook-server.ts';

const ALICE = '+4915112345678';
const NOT_PLAYED: ReadonlySet<Condition> = new Set([
  'oversized-after-effect',
  'drip-after-effect',
  'receipt-reordered',
]);

const FAULTS: Partial<Record<Condition, object>> = {
  busy: { kind: '429' },
  'busy-once': { kind: '503', count: 1 },
  failing: { kind: '503' },
  'silent-before-effect': { kind: 'timeout-before-effect' },
  'silent-after-effect': { kind: 'timeout-after-effect' },
  'link-dropped': { kind: 'reset' },
  'nonsense-after-effect': { kind: 'malformed' },
  'never-takes': { kind: '400' },
  'credentials-refused': { kind: 'unauthorized' },
  'connection-refused': { kind: 'refuse' },
  'receipt-twice': { kind: 'duplicate-receipt' },
  'receipt-early': { kind: 'early-receipt' },
  'receipt-late': { kind: 'late-receipt' },
  'receipt-forged': { kind: 'forged-signature', count: 1 },
  'receipt-unknown': { kind: 'unknown-receipt' },
};

/** `asking` may look at every exchange; `opening` is told each condition before it is set up. */
export function rcsGoogle(asking: typeof fetch = fetch, opening?: (condition: Condition) => void): Provider {
  const open = (condition: Condition) => {
    opening?.(condition);
    return openRbm(condition, asking);
  };
  return { name: 'rcs-google against the simulator', adapter: 'rcs-google', open };
}

async function openRbm(condition: Condition, asking: typeof fetch): Promise<Stage | { cannot: string }> {
  if (NOT_PLAYED.has(condition)) return { cannot: `the fake platform does not play "${condition}"` };
  const sink = recordingSink();
  const hook = await startWebhookServer(() => adapter, sink);
  const carriers = await startCarriers({ webhookUrl: hook.url });
  const settings = rcsSettings(carriers.rbmPort ?? 0);
  const adapter = createAdapter('rcs-google', settings, contextWith({ fetch: asking }));
  await adapter.start(sink);
  await until(
    async () => ((await carriers.call('GET', '/livez')).webhook === 'verified' ? true : undefined),
    'the handshake',
  );
  if (condition === 'cannot-reach') await carriers.call('PUT', `/phones/${ALICE}`, { rcs: false });
  if (FAULTS[condition] !== undefined) await carriers.call('PUT', '/faults/rbm', FAULTS[condition]);
  return {
    adapter,
    address: ALICE,
    receipts: sink.receipts,
    shown: () => carriers.shown(ALICE),
    withdraw: () => carriers.call('PUT', `/phones/${ALICE}`, { rcs: false }),
    forgeries: hook.forgeries,
    release: () => carriers.call('DELETE', '/faults'),
    secrets: [CLIENT_TOKEN, 'ya29.', JSON.parse(account.serviceAccountJson).client_email],
    elsewhere: { name: 'rcs-google', settings, files },
    webhooks: { forged: forged(), malformed: malformed(), handshake: raw({ clientToken: CLIENT_TOKEN, secret: 's' }) },
    async close() {
      await carriers.stop();
      await hook.close();
    },
  };
}

const EVENT = JSON.stringify({ eventType: 'DELIVERED', messageId: 'a', agentId: 'acme-incidents' });
const sign = (data: string, key = CLIENT_TOKEN) => createHmac('sha512', key).update(data).digest('base64');

function raw(body: unknown, signature?: string): RawWebhook {
  const headers = signature === undefined ? {} : { 'X-Goog-Signature': signature };
  return {
    method: 'POST',
    query: '',
    headers,
    body: new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body)),
  };
}

const push = (data: string, signature?: string) =>
  raw({ message: { data: Buffer.from(data).toString('base64'), messageId: '1' } }, signature);

function forged(): RawWebhook[] {
  const good = sign(EVENT);
  const others = [
    undefined,
    '',
    sign(EVENT, 'other'),
    sign(`${EVENT} `),
    good.replace(/=+$/, ''),
    `${good} `,
    good.toLowerCase(),
    good.slice(0, -4),
  ];
  return [...others.map((signature) => push(EVENT, signature)), raw({ clientToken: 'guess', secret: 's' })];
}

function malformed(): RawWebhook[] {
  const data = Buffer.from(EVENT).toString('base64');
  const unpadded = { message: { data: `${data.replace(/=+$/, '')}` } };
  const big = raw(JSON.stringify({ message: { data: 'A'.repeat(600_000) } }), sign(EVENT));
  const bodies = ['', 'x', '[]', '{}', { message: {} }, { message: { data: '*' } }, { message: { data: 7 } }];
  return [
    ...bodies.map((body) => raw(body, sign(EVENT))),
    ...(data.endsWith('=') ? [raw(unpadded, sign(EVENT))] : []),
    big,
    push('not json', sign('not json')),
    push('{"eventType":"READ"}', sign('{"eventType":"READ"}')),
  ];
}
