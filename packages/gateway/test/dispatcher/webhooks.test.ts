/** Webhooks as they arrive: adapters are handed what was sent, to the byte, and a provider is answered once it is durable. */
import type { Adapter, ProviderEvents, RawWebhook, WebhookResult } from '@sealpost/channels';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createWebhookServer } from '../../src/dispatcher/webhooks.ts';
import { quiet } from '../support/gateway-log.ts';

describe('a webhook', () => {
  let seen: RawWebhook[];
  let stored: [string, ProviderEvents][];
  let says: WebhookResult;
  let storing: () => Promise<void>;
  let server: Awaited<ReturnType<typeof createWebhookServer>>;
  beforeEach(async () => {
    [seen, stored] = [[], []];
    says = { kind: 'ignored', reason: 'typing' };
    storing = async () => undefined;
    const adapter = {
      async webhook(request) {
        seen.push(request);
        return says;
      },
    } as Partial<Adapter> as Adapter;
    server = await createWebhookServer({
      adapters: new Map([['wa-main', adapter]]),
      logger: quiet,
      version: '0',
      ready: async () => undefined,
      track: (work) => work,
      async store(vendor, events) {
        await storing();
        stored.push([vendor, events]);
      },
    });
  });
  afterEach(() => server.close());

  test('by POST is handed over with raw body, query and headers as they were sent', async () => {
    const body = Buffer.from([0xff, 0x00, 0x7b, 0x0a]);
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-signature': 'abc' };
    const answer = await server.inject({ method: 'POST', url: '/webhooks/wa-main?a=%20b&a=c', headers, body });
    expect([answer.statusCode, answer.body]).toEqual([200, '']);
    expect(seen).toMatchObject([{ method: 'POST', query: 'a=%20b&a=c', headers: { 'x-signature': 'abc' } }]);
    expect([...seen[0]!.body]).toEqual([...body]);
  });

  test('by GET is handed over too, and a handshake is answered with its text', async () => {
    says = { kind: 'handshake', answer: '1158201444' };
    const answer = await server.inject({ method: 'GET', url: '/webhooks/wa-main?hub.challenge=1158201444' });
    expect([answer.statusCode, answer.body]).toEqual([200, '1158201444']);
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
    expect(seen).toMatchObject([{ method: 'GET', query: 'hub.challenge=1158201444', body: new Uint8Array() }]);
  });

  test('with events is answered 200 only once they are durable, whatever their number', async () => {
    const events: ProviderEvents = {
      receipts: [{ providerMessageIds: ['1'], status: 'read', code: 'read' }],
      inbound: [{ id: 'm', address: '+49', content: { kind: 'opt-out' } }],
    };
    says = { kind: 'events', ...events };
    expect((await server.inject({ method: 'POST', url: '/webhooks/wa-main' })).statusCode).toBe(200);
    expect(stored).toMatchObject([['wa-main', events]]);
    storing = async () => {
      throw Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
    };
    expect((await server.inject({ method: 'POST', url: '/webhooks/wa-main' })).statusCode).toBe(503);
    expect(stored).toHaveLength(1);
  });

  test('that is forged, malformed or for nobody is refused by code and stores nothing', async () => {
    const code = async (url: string) => {
      const answer = await server.inject({ method: 'POST', url });
      return `${answer.statusCode} ${answer.json().code}`;
    };
    says = { kind: 'forged' };
    expect(await code('/webhooks/wa-main')).toBe('401 ERR_WEBHOOK_FORGED');
    says = { kind: 'malformed', reason: 'json' };
    expect(await code('/webhooks/wa-main')).toBe('400 ERR_WEBHOOK_MALFORMED');
    expect(await code('/webhooks/nobody')).toBe('404 ERR_WEBHOOK_CHANNEL');
    expect(stored).toEqual([]);
  });
});
