/**
 * Apple Messages for Business as a messaging service provider sees it: `POST /v1/message`, packed, under a token of the MSP
 * (HS256), answered by a status alone; and what people write, under a token of Apple's whose audience is the MSP. Apple tells
 * neither deliveries nor readings.
 */
import { createHmac } from 'node:crypto';
import { z } from 'zod';
import type { Call, ProviderDefinition, ProviderEvent, Reply } from '../provider-kit/definition.ts';

export interface AppleBusinessOptions {
  readonly mspId: string;
  readonly businessId: string;
  /** The MSP's secret, in base64 as Apple shows it. */
  readonly secret: string;
}

const titled = z.looseObject({ title: z.string().min(1), identifier: z.string() });
const interactiveSchema = z.strictObject({
  bid: z.string().startsWith('com.apple.messages.MSMessageExtensionBalloonPlugin:'),
  data: z.looseObject({
    version: z.literal('1.0'),
    requestIdentifier: z.string(),
    'quick-reply': z.strictObject({ summaryText: z.string().min(1), items: z.array(titled).min(2).max(5) }).optional(),
    listPicker: z.looseObject({ sections: z.array(z.looseObject({ items: z.array(titled).min(1) })) }).optional(),
  }),
  receivedMessage: z.looseObject({ title: z.string().min(1) }).optional(),
  replyMessage: z.looseObject({}).optional(),
});
const common = { v: z.literal(1), id: z.string(), sourceId: z.string(), destinationId: z.string() };
const messageSchema = z.discriminatedUnion('type', [
  z.strictObject({ ...common, type: z.literal('text'), body: z.string().min(1) }),
  z.strictObject({ ...common, type: z.literal('interactive'), interactiveData: interactiveSchema }),
]);
const claimsSchema = z.looseObject({ iss: z.string(), iat: z.int() });
type Message = z.infer<typeof messageSchema>;

export function appleBusinessDefinition(options: AppleBusinessOptions): ProviderDefinition {
  const { mspId, businessId } = options;
  return {
    idOf: (serial) => `00000000-0000-4000-8000-${String(serial).padStart(12, '0')}`,
    recognise({ method, path, headers, body }: Call) {
      if (method !== 'POST' || path !== '/v1/message') return { kind: 'refused', answer: status(404) };
      if (issuerOf(headers.authorization, options) !== mspId) return { kind: 'refused', answer: status(401) };
      const message = messageSchema.safeParse(jsonOf(body)).data;
      const named = [headers.id, headers['source-id'], headers['destination-id']];
      const said = message === undefined ? [] : [message.id, message.sourceId, message.destinationId];
      const agrees = named.length === said.length && named.every((name, index) => name === said[index]);
      if (message === undefined || !agrees || message.sourceId !== businessId || headers['content-encoding'] !== 'gzip')
        return { kind: 'refused', answer: status(400) };
      return { kind: 'message', address: message.destinationId, text: textOf(message) };
    },
    answers: {
      taken: () => status(200),
      nonsense: '<html>It works!</html>',
      busy: { ...status(429), headers: { 'retry-after': '7' } },
      failing: status(500),
      unauthorized: status(401),
      rejected: status(400),
      unreachable: status(410),
    },
    webhooks: {
      bodyOf: (event) => bodyOf(event, businessId),
      prove: (_body, genuine) => ({
        headers: { authorization: `Bearer ${tokenOf({ aud: mspId }, genuine ? options.secret : 'b3RoZXI=')}` },
      }),
    },
  };
}

const status = (code: number): Reply => ({ status: code, body: '' });

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function textOf(message: Message): string {
  if (message.type === 'text') return message.body;
  const { data, receivedMessage } = message.interactiveData;
  const { 'quick-reply': quick, listPicker } = data;
  const items = [...(quick?.items ?? []), ...(listPicker?.sections ?? []).flatMap((section) => section.items)];
  return [quick?.summaryText, receivedMessage?.title, ...items.map(({ title }) => title)].filter(Boolean).join('\n');
}

function bodyOf(event: ProviderEvent, destinationId: string): string | undefined {
  if (event.kind !== 'said') return undefined;
  return JSON.stringify({ v: 1, type: 'text', id: event.id, sourceId: event.address, destinationId, body: event.text });
}

function signatureOf(input: string, secret: string): string {
  return createHmac('sha256', Buffer.from(secret, 'base64')).update(input).digest('base64url');
}

function tokenOf(claims: object, secret: string): string {
  const parts = [{ alg: 'HS256', typ: 'JWT' }, claims];
  const input = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${input}.${signatureOf(input, secret)}`;
}

/** Whose token it is; `undefined` where our secret did not sign it. */
function issuerOf(authorization: string | undefined, { secret }: AppleBusinessOptions): string | undefined {
  const [header = '', claims = '', signature] = authorization?.replace(/^Bearer /, '').split('.') ?? [];
  if (signature !== signatureOf(`${header}.${claims}`, secret)) return undefined;
  return claimsSchema.safeParse(jsonOf(Buffer.from(claims, 'base64url').toString())).data?.iss;
}
