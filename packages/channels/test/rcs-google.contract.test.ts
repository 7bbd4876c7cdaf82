/**
 * The contract of `rcs-google` against the simulated platform; every exchange is also checked against Google's API.
 */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { ProviderReceipt } from '@sealpost/protocol/carriage';
import { afterAll, describe, expect, it } from 'vitest';
import { createSpecCheck, SPEC_ABSENT } from '../../simulator/test/openapi.ts';
import type { Adapter, RawWebhook } from '../src/index.ts';
import { type Condition, describeContract, type Stage, until } from './contract.ts';
import {
  account,
  CLIENT_TOKEN,
  contextWith,
  createAdapter,
  files,
  rcsSettings,
  recordingSink,
  startCarriers,
} from './stages.ts';

const ALICE = '+4915112345678';
let nonsense = false;
const spec = createSpecCheck(() => nonsense);

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
  'receipt-unknown': { kind: 'unknown-receipt' },
};

async function open(condition: Condition): Promise<Stage> {
  nonsense = condition === 'nonsense-after-effect';
  const sink = recordingSink();
  const hook = await startHook(() => adapter, sink.receipts);
  const carriers = await startCarriers({ webhookUrl: hook.url });
  const settings = rcsSettings(carriers.rbmPort ?? 0);
  const adapter = createAdapter('rcs-google', settings, contextWith({ fetch: spec.fetch }));
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

/** Answers as the gateway will: 200 once the receipts are kept. */
async function startHook(adapter: () => Adapter, receipts: ProviderReceipt[]) {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const body = new Uint8Array(Buffer.concat(chunks));
    const result = await adapter().webhook?.({ method: 'POST', query: '', headers, body });
    if (result?.kind === 'events') receipts.push(...result.receipts);
    response.statusCode = result?.kind === 'forged' ? 401 : result?.kind === 'malformed' ? 400 : 200;
    response.end(result?.kind === 'handshake' ? result.answer : '');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}/`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
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

describeContract({ name: 'rcs-google against the simulator', open });

describe("Google's published API", () => {
  afterAll(() => {
    nonsense = false;
  });

  it('allows every request the adapter made and every answer the simulator gave', (context) => {
    if (SPEC_ABSENT !== undefined) context.skip(SPEC_ABSENT);
    expect(spec.violations).toEqual([]);
    expect(new Set(spec.checked.map((what) => what.slice(-3)))).toEqual(
      new Set(['200', '400', '401', '404', '429', '503']),
    );
  });
});
