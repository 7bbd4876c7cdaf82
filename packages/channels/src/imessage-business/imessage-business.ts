/**
 * Apple Messages for Business, spoken as a messaging service provider. Apple's servers read what they relay (Apple Platform
 * Security, "Apple Messages for Business security"): `transport`. Only a person can begin: until they write, they have no name
 * here that anything could be sent to, and after they end the conversation Apple refuses. It is for a business's customers;
 * Apple allows no use inside one. No receipts, nothing taken back, and access only for providers Apple has approved.
 */
import { gzipSync } from 'node:zlib';
import type { Outcome } from '@sealpost/protocol/carriage';
import type { Adapter, AdapterContext, Attempt, Capabilities } from '../adapter.ts';
import { httpCall } from '../http-call.ts';
import { classifySent } from './classify.ts';
import type { ImessageBusinessSettings } from './config.ts';
import { fitBusiness, limitsOf, messageRequest } from './request.ts';
import { signToken } from './token.ts';
import { readBusinessWebhook } from './webhook.ts';

/** Apple gives a person this name when they first write, one for each business. It goes into a header. */
const OPAQUE_ID = /^urn:mbid:[\x21-\x7e]{1,1000}$/;

export function createImessageBusiness(settings: ImessageBusinessSettings, context: AdapterContext): Adapter {
  const http = { fetch: context.fetch, now: context.now, timeoutMs: settings.timeout };
  const capabilities: Capabilities = {
    protection: 'transport',
    readers: ['Apple'],
    address: 'handle',
    content: limitsOf(settings),
    delivered: false,
    read: false,
    idempotent: false,
    maxTtl: 0,
    lookup: false,
    query: false,
    revoke: 'no',
    inbound: true,
    webhook: 'signed',
  };

  async function send({ id, address, payload, expires }: Attempt): Promise<Outcome> {
    if (expires <= context.now()) return { kind: 'permanent', reason: 'expired' };
    if (!OPAQUE_ID.test(address)) return { kind: 'downgrade', reason: 'has not written first' };
    const fitted = fitBusiness(payload, settings);
    if (fitted.kind === 'refused') return { kind: 'permanent', reason: fitted.reason };
    const token = await signToken(settings, context);
    if (token === undefined) return { kind: 'auth-broken', reason: 'secret file unreadable' };
    const addressed = { id, sourceId: settings.business_id, destinationId: address };
    const headers = {
      authorization: `Bearer ${token}`,
      id,
      'source-id': settings.business_id,
      'destination-id': address,
      'auto-reply': 'true',
      'content-type': 'application/json',
      'content-encoding': 'gzip',
    };
    const body = new Uint8Array(gzipSync(JSON.stringify(messageRequest(addressed, fitted.message))));
    return classifySent(await httpCall(http, `${settings.base_url}/message`, { method: 'POST', headers, body }), id);
  }

  return {
    capabilities,
    async start() {},
    send,
    webhook: (request) => readBusinessWebhook(request, settings, context),
    async stop() {},
  };
}
