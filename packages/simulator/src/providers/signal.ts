/**
 * Signal by its two servers: signal-cli's daemon (JSON-RPC 2.0 and an event stream; signal-cli-jsonrpc(5)) and
 * signal-cli-rest-api (its Swagger; a webhook without a signature). Both name a message by the time it was sent, and both
 * tell the same envelopes. Neither asks for credentials: what is refused for them is refused by an account nobody has.
 */
import { z } from 'zod';
import {
  type Call,
  jsonReply,
  type ProviderDefinition,
  type ProviderEvent,
  type Recognised,
  type Reply,
} from '../provider-kit/definition.ts';

export interface SignalOptions {
  /** The number the account is registered under. */
  readonly account: string;
}

export interface SignalRestOptions extends SignalOptions {
  /** What `RECEIVE_WEBHOOK_URL` carries. */
  readonly webhookToken: string;
}

const FIRST = 1_700_000_000_000;
const idOf = (serial: number) => String(FIRST + serial);
const numberSchema = z.string().regex(/^\+[1-9]\d{4,14}$/);
const text = z.string().min(1);

const rpcSchema = z.strictObject({
  jsonrpc: z.literal('2.0'),
  id: z.string(),
  method: z.string(),
  params: z.looseObject({ account: z.string() }),
});
const sendSchema = z.strictObject({
  account: z.string(),
  recipient: z.array(numberSchema).length(1),
  message: text,
  attachments: z.array(z.string().startsWith('data:')).optional(),
});

const rpcError = (code: number, results?: readonly object[]) =>
  jsonReply(200, {
    jsonrpc: '2.0',
    id: 'sealpost',
    error: {
      code,
      message: 'refused',
      data: results === undefined ? null : { response: { timestamp: FIRST, results } },
    },
  });

export function signalRpcDefinition({ account }: SignalOptions): ProviderDefinition {
  const refused = (code: number): Recognised => ({ kind: 'refused', answer: rpcError(code) });

  function called(body: string): Recognised {
    const call = rpcSchema.safeParse(jsonOf(body)).data;
    if (call === undefined) return refused(-32_600);
    if (call.params.account !== account) return refused(-32_602);
    if (call.method !== 'send') return refused(-32_601);
    const sent = sendSchema.safeParse(call.params).data;
    const [address] = sent?.recipient ?? [];
    return sent === undefined || address === undefined
      ? refused(-32_602)
      : { kind: 'message', address, text: sent.message };
  }

  return {
    idOf,
    streams: ({ method, path, query }) =>
      method === 'GET' && path === '/api/v1/events' && query.get('account') === account,
    recognise({ method, path, body }: Call) {
      if (method === 'GET' && path === '/api/v1/check')
        return { kind: 'preparation', answer: { status: 200, body: '' } };
      if (method !== 'POST' || path !== '/api/v1/rpc') return { kind: 'refused', answer: { status: 404, body: '' } };
      return called(body);
    },
    answers: {
      taken: ({ id, address }) =>
        jsonReply(200, {
          jsonrpc: '2.0',
          id: 'sealpost',
          result: { timestamp: Number(id), results: [resultOf('SUCCESS', { recipientAddress: { number: address } })] },
        }),
      busy: rpcError(-5, [resultOf('RATE_LIMIT_FAILURE', { retryAfterSeconds: 7 })]),
      failing: rpcError(-3),
      unauthorized: rpcError(-32_602),
      rejected: rpcError(-1),
      unreachable: rpcError(-1, [resultOf('UNREGISTERED_FAILURE')]),
    },
    webhooks: {
      bodyOf: (event) => JSON.stringify(receivedOf(event, account)),
      prove: () => ({ headers: {} }),
    },
  };
}

const restSchemaOf = ({ account }: SignalOptions) =>
  z.strictObject({
    number: z.literal(account),
    recipients: z.array(numberSchema).length(1),
    message: text,
    text_mode: z.enum(['normal', 'styled']).optional(),
    base64_attachments: z.array(z.string().startsWith('data:')).optional(),
  });

/** It answers 400 for everything that went wrong, and tells which only in words. */
export function signalRestDefinition(options: SignalRestOptions): ProviderDefinition {
  const failed: Reply = jsonReply(400, { error: 'Failed to send message' });
  const sendable = restSchemaOf(options);
  return {
    idOf,
    recognise({ method, path, body }: Call) {
      if (method !== 'POST' || path !== '/v2/send') return { kind: 'refused', answer: jsonReply(404, {}) };
      const sent = sendable.safeParse(jsonOf(body)).data;
      const [address] = sent?.recipients ?? [];
      return sent === undefined || address === undefined
        ? { kind: 'refused', answer: failed }
        : { kind: 'message', address, text: sent.message };
    },
    answers: {
      taken: ({ id }) => jsonReply(201, { timestamp: id }),
      busy: jsonReply(429, { error: 'Rate limit', challenge_tokens: [], account: options.account }),
      failing: failed,
      /** Of a proxy before it. */
      unauthorized: { status: 401, body: '' },
      rejected: failed,
    },
    webhooks: {
      bodyOf: (event) =>
        JSON.stringify({ jsonrpc: '2.0', method: 'receive', params: receivedOf(event, options.account) }),
      prove: (_body, genuine) => ({
        headers: { 'content-type': 'application/json' },
        query: new URLSearchParams({ token: genuine ? options.webhookToken : 'another token' }).toString(),
      }),
    },
  };
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function resultOf(type: string, more: object = {}): object {
  return { type, ...more };
}

function receivedOf(event: ProviderEvent, account: string): object {
  if (event.kind === 'said') {
    const timestamp = timeOf(event.id);
    return {
      envelope: { sourceNumber: event.address, timestamp, dataMessage: { timestamp, message: event.text } },
      account,
    };
  }
  const { id, address } = event.message;
  const isRead = event.kind === 'read';
  const receiptMessage = { when: FIRST, isDelivery: !isRead, isRead, isViewed: false, timestamps: [Number(id)] };
  return { envelope: { sourceNumber: address, timestamp: FIRST, receiptMessage }, account };
}

/** A person's message has no name but its time, so every name stands for one. */
function timeOf(name: string): number {
  let folded = 0;
  for (const character of name) folded = (folded * 31 + (character.codePointAt(0) ?? 0)) % 1_000_000_007;
  return FIRST + folded;
}
