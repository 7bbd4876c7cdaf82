/**
 * RCS through Infobip: a text with suggestions, or a card. The attempt id is the messageId, so that an attempt whose
 * answer was lost can be looked for in Infobip's log (`GET /rcs/2/logs?messageId=`); reports are not asked for, because
 * each is given once. Infobip documents no revocation for RCS. Infobip and Google read it: `transport`, never more.
 */
import type { Outcome } from '@sealpost/protocol/carriage';
import type { Adapter, AdapterContext, Attempt, Capabilities, Reach, Sent } from '../adapter.ts';
import { type HttpResult, httpCall } from '../http-call.ts';
import { fitRcs, RCS_LIMITS } from '../rcs-content.ts';
import { secretText } from '../secret-text.ts';
import { parseCapability, parseLogs } from './answer-schema.ts';
import { classifyRefusal, classifySent, outcomeOf } from './classify.ts';
import type { RcsInfobipSettings } from './config.ts';
import { MAX_VALIDITY_MS, messageRequest } from './request.ts';
import { readInfobipWebhook } from './webhook.ts';

const MIN_VALIDITY_MS = 1_000;

const CAPABILITIES: Capabilities = {
  protection: 'transport',
  readers: ['Infobip', 'Google or the carrier’s RCS platform'],
  address: 'phone',
  content: RCS_LIMITS,
  delivered: true,
  read: true,
  idempotent: false,
  maxTtl: MAX_VALIDITY_MS,
  lookup: true,
  query: true,
  revoke: 'no',
  inbound: true,
  webhook: 'token',
};

/** RcsCapabilityCheckResponseCode; the failures of a check itself say nothing of the person. */
const REACH: Readonly<Record<string, Reach['kind']>> = {
  ENABLED: 'reachable',
  UNREACHABLE: 'unreachable',
  REJECTED_NETWORK: 'unreachable',
  REJECTED_ROUTE_NOT_AVAILABLE: 'unreachable',
  INVALID_DESTINATION_ADDRESS: 'unreachable',
};

export function createRcsInfobip(settings: RcsInfobipSettings, context: AdapterContext): Adapter {
  async function call(method: 'GET' | 'POST', path: string, body?: object): Promise<HttpResult | undefined> {
    const key = await secretText(context, settings.api_key_file);
    if (key === undefined) return undefined;
    const authorization = { authorization: `App ${key}`, accept: 'application/json' };
    const request = body === undefined ? {} : { body: JSON.stringify(body) };
    const headers = body === undefined ? authorization : { ...authorization, 'content-type': 'application/json' };
    const http = { fetch: context.fetch, now: context.now, timeoutMs: settings.timeout };
    return httpCall(http, `${settings.base_url}${path}`, { method, headers, ...request });
  }

  async function send(attempt: Attempt): Promise<Outcome> {
    const now = context.now();
    if (attempt.expires - now < MIN_VALIDITY_MS) return { kind: 'permanent', reason: 'expires too soon to send' };
    const fitted = fitRcs(attempt.payload, CAPABILITIES.content, settings.button_text);
    if (fitted.kind === 'refused') return { kind: 'permanent', reason: fitted.reason };
    const result = await call('POST', '/rcs/2/messages', messageRequest(settings, attempt, fitted.message, now));
    return result === undefined ? KEY_UNREADABLE : classifySent(result, attempt.id);
  }

  /** A message the log does not know yet may still appear in it: its absence proves nothing. */
  async function query({ id }: Sent): Promise<Outcome> {
    const result = await call('GET', `/rcs/2/logs?${new URLSearchParams({ messageId: id })}`);
    if (result === undefined) return KEY_UNREADABLE;
    if (result.kind !== 'answered') return { kind: 'ambiguous', reason: `log ${result.code}` };
    const found = result.status === 200 ? parseLogs(result.body)?.find(({ messageId }) => messageId === id) : undefined;
    return found === undefined ? { kind: 'ambiguous', reason: `log ${result.status} without it` } : outcomeOf(found);
  }

  async function lookup(address: string): Promise<Reach> {
    const asked = { sender: settings.sender, phoneNumbers: [address.replace(/^\+/, '')] };
    const result = await call('POST', '/rcs/2/capability-check/query', asked);
    if (result === undefined) return { kind: 'unknown', reason: KEY_UNREADABLE.reason };
    if (result.kind !== 'answered') return { kind: 'unknown', reason: result.code };
    const code = result.status === 200 ? parseCapability(result.body) : undefined;
    if (code === undefined) return { kind: 'unknown', reason: reasonOfRefusal(classifyRefusal(result)) };
    const kind = Object.hasOwn(REACH, code) ? REACH[code] : undefined;
    return kind === 'reachable' ? { kind, features: [] } : { kind: kind ?? 'unknown', reason: code };
  }

  return {
    capabilities: CAPABILITIES,
    async start() {},
    send,
    query,
    lookup,
    webhook: (request) => readInfobipWebhook(request, settings, context),
    async stop() {},
  };
}

const KEY_UNREADABLE = { kind: 'auth-broken', reason: 'api key file unreadable' } as const;

function reasonOfRefusal(outcome: Outcome): string {
  return 'reason' in outcome ? outcome.reason : 'malformed';
}
