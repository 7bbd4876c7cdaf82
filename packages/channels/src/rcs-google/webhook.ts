/**
 * Webhooks of RCS for Business: the set-up handshake, and user and server events in Pub/Sub form (Google, "Receive
 * messages", "Webhooks"). A request is malformed when it is not in the published form and forged when it is but not
 * signed with our client token; only an authentic one is looked into.
 */
import type { InboundContent, ProviderReceipt } from '@sealpost/protocol/carriage';
import type { AdapterContext, RawWebhook, WebhookResult } from '../adapter.ts';
import { contentOfText } from '../consent.ts';
import type { RcsGoogleSettings } from './config.ts';
import { sameSecret, verifySignature } from './signature.ts';
import { parseEvent, parseWebhookBody, type RbmEvent } from './webhook-schema.ts';

/** An AgentMessage may be 250 KB (API reference); events are far smaller. */
const MAX_BODY_BYTES = 512 * 1024;

const STATUS_OF: Readonly<Record<string, ProviderReceipt['status']>> = {
  DELIVERED: 'delivered',
  READ: 'read',
  TTL_EXPIRATION_REVOKED: 'expired',
  /** Expired, but a delivery may still be reported. */
  TTL_EXPIRATION_REVOKE_FAILED: 'expired',
};

/** The person ended or resumed the conversation in the messaging app ("Opt-out and opt-in"). */
const CONSENT_OF: Readonly<Record<string, 'opt-out' | 'opt-in'>> = { UNSUBSCRIBE: 'opt-out', SUBSCRIBE: 'opt-in' };

export async function readWebhook(
  request: RawWebhook,
  settings: RcsGoogleSettings,
  context: AdapterContext,
): Promise<WebhookResult> {
  if (request.body.byteLength > MAX_BODY_BYTES) return { kind: 'malformed', reason: 'body too large' };
  const body = parseWebhookBody(request.body);
  if (body === undefined) return { kind: 'malformed', reason: 'not a handshake and not a message' };
  const clientToken = await context.readSecret(settings.client_token_file);
  if (body.kind === 'handshake')
    return sameSecret(body.clientToken, clientToken) ? { kind: 'handshake', answer: body.secret } : { kind: 'forged' };
  if (!verifySignature(header(request, 'x-goog-signature'), body.data, clientToken)) return { kind: 'forged' };
  const event = parseEvent(body.data);
  if (event === undefined) return { kind: 'malformed', reason: 'message data is not an event' };
  return eventsOf(event, settings.agent_id);
}

function eventsOf(event: RbmEvent, agentId: string): WebhookResult {
  if (event.agentId !== undefined && event.agentId !== agentId) return { kind: 'ignored', reason: 'another agent' };
  if (event.eventType === undefined) return fromPerson(event, contentOf(event), event.messageId);
  const consent = Object.hasOwn(CONSENT_OF, event.eventType) ? CONSENT_OF[event.eventType] : undefined;
  if (consent !== undefined) return fromPerson(event, { kind: consent }, event.eventId ?? event.messageId);
  const status = Object.hasOwn(STATUS_OF, event.eventType) ? STATUS_OF[event.eventType] : undefined;
  if (status === undefined) return { kind: 'ignored', reason: `event ${event.eventType}` };
  if (event.messageId === undefined) return { kind: 'malformed', reason: 'event without messageId' };
  const receipt = { providerMessageIds: [event.messageId], status, code: event.eventType, ...timeOf(event) };
  return { kind: 'events', receipts: [receipt], inbound: [] };
}

/** UserMessage and UserEvent: what a person wrote, tapped, sent or wished. */
function fromPerson(event: RbmEvent, content: InboundContent | undefined, id: string | undefined): WebhookResult {
  if (content === undefined) return { kind: 'ignored', reason: 'user message of another kind' };
  const { senderPhoneNumber: address } = event;
  if (address === undefined || id === undefined)
    return { kind: 'malformed', reason: 'user message without its sender' };
  return { kind: 'events', receipts: [], inbound: [{ id, address, content, ...timeOf(event) }] };
}

function contentOf({ text, suggestionResponse, userFile }: RbmEvent): InboundContent | undefined {
  if (suggestionResponse !== undefined) {
    const { postbackData: data, text: label } = suggestionResponse;
    return { kind: 'suggestion', data, ...(label === undefined ? {} : { text: label }) };
  }
  if (userFile !== undefined) {
    const { fileName: name, mimeType: mediaType, fileUri: url } = userFile.payload;
    return {
      kind: 'file',
      ...(name === undefined ? {} : { name }),
      ...(mediaType === undefined ? {} : { mediaType }),
      ...(url === undefined ? {} : { url }),
    };
  }
  return text === undefined ? undefined : contentOfText(text);
}

const timeOf = ({ at }: RbmEvent) => (at === undefined ? {} : { at });

function header(request: RawWebhook, name: string): string | undefined {
  return Object.entries(request.headers).find(([key]) => key.toLowerCase() === name)?.[1];
}
