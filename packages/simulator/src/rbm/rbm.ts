/**
 * The simulated RCS for Business platform: what it keeps (messages by their id, phones), what it reports (user and server
 * events), and which fault strikes where. HTTP is in `routes.ts`.
 */
import type { Delays } from '../delays.ts';
import type { Faults } from '../faults.ts';
import type { PhoneEvent, Phones } from '../phones.ts';
import { randomUuid } from '../random-id.ts';
import type { Traffic } from '../traffic.ts';
import type { WrittenOver } from '../written.ts';
import { type AgentMessage, parseAgentMessage } from './agent-message-schema.ts';
import { createTokenEndpoint, type TokenEndpoint } from './token-endpoint.ts';
import { createWebhooks, type Webhooks } from './webhooks.ts';

export interface RbmOptions {
  readonly agentId: string;
  readonly serviceAccountPublicKeyPem: string;
  readonly clientToken: string;
  /** Where events go; without one they are dropped. */
  readonly webhookUrl?: string | undefined;
}

export interface RbmSurroundings {
  readonly now: () => number;
  readonly random: () => number;
  readonly phones: Phones;
  readonly traffic: Traffic;
  readonly faults: Faults;
  readonly delays: Delays;
}

export interface AgentMessageRequest {
  readonly phone: string;
  readonly messageId: string | undefined;
  readonly agentId: string | undefined;
  readonly body: string;
}

/** Checked, and not yet taken: what it does happens in `take`. */
export type Checked =
  | { readonly kind: 'fine'; readonly take: () => AgentMessage & { name: string; sendTime: string } }
  | { readonly kind: 'refused'; readonly status: 400 | 403 | 404; readonly detail: string };

export interface Rbm {
  readonly tokens: TokenEndpoint;
  readonly webhooks: Webhooks;
  check(request: AgentMessageRequest): Checked;
  /** Puts a message that was answered with an error on record: what it said was readable all the same. */
  turnedAway(request: Pick<AgentMessageRequest, 'phone' | 'agentId' | 'body'>, status: number): void;
  capabilities(phone: string, agentId: string | undefined): readonly string[] | undefined;
  /** False when no message of this id was ever taken for this phone. */
  revoke(phone: string, messageId: string): boolean;
  /** UserMessage or UserEvent of a person (Google, "Receive messages"). */
  write(phone: string, written: WrittenOver<'rcs'>): void;
}

const FEATURES = ['RICHCARD_STANDALONE', 'RICHCARD_CAROUSEL', 'ACTION_OPEN_URL', 'ACTION_DIAL', 'ACTION_VIEW_LOCATION'];
const E164 = /^\+[1-9]\d{4,14}$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const EVENTS: Record<PhoneEvent, string> = { delivered: 'DELIVERED', read: 'READ', expired: 'TTL_EXPIRATION_REVOKED' };

export function createRbm(options: RbmOptions, around: RbmSurroundings): Rbm {
  const { now, random, phones, traffic, faults, delays } = around;
  const tokens = createTokenEndpoint(options.serviceAccountPublicKeyPem, now, random);
  const { clientToken, webhookUrl: url } = options;
  const webhooks = createWebhooks({ url, clientToken, now, random, faults, delays });
  /** messageId → where it went. The platform ignores an id it has seen (API reference, `messageId`). */
  const taken = new Map<string, string>();
  let held: (() => void)[] = [];

  faults.onChange(async () => {
    const release = faults.holds('late-receipt') ? [] : held.splice(0);
    for (const post of release) post();
  });

  function report(phone: string, messageId: string, happened: PhoneEvent, at: number): void {
    const who = happened === 'expired' ? { phoneNumber: phone } : { senderPhoneNumber: phone };
    const common = {
      ...who,
      eventType: EVENTS[happened],
      sendTime: new Date(at).toISOString(),
      agentId: options.agentId,
    };
    const event = { ...common, eventId: randomUuid(random), messageId };
    const fault = faults.strike('receipt');
    switch (fault.kind) {
      case 'late-receipt':
        if (fault.delayMs === undefined) held = [...held, () => webhooks.post(event)];
        else void delays.pause(fault.delayMs).then((passed) => passed && webhooks.post(event));
        return;
      case 'unknown-receipt':
        webhooks.post({ ...common, eventId: randomUuid(random), messageId: randomUuid(random) });
        break;
      case 'duplicate-receipt':
        webhooks.post(event);
        break;
      default:
    }
    webhooks.post(event);
  }

  function check(request: AgentMessageRequest): Checked {
    const { phone, messageId, agentId, body } = request;
    if (!E164.test(phone)) return refused(400, 'phone is not E.164');
    if (messageId === undefined || !UUID.test(messageId)) return refused(400, 'messageId is not a UUID');
    if (agentId !== options.agentId) return refused(403, 'no permission for this agent');
    const parsed = parseAgentMessage(body, now());
    if (parsed.kind === 'invalid') return refused(400, parsed.detail);
    if (!phones.view(phone).rcs) return refused(404, 'not reachable over RCS');
    const { text, url: link, expires } = parsed;
    const take = () => {
      if (!taken.has(messageId)) {
        taken.set(messageId, phone);
        const happened = (event: PhoneEvent, at: number): void => report(phone, messageId, event, at);
        phones.accept({ carrier: 'rbm', id: messageId, number: phone, text, url: link, expires, happened });
      }
      const { ttl: _inputOnly, ...output } = parsed.message;
      const name = `phones/${phone}/agentMessages/${messageId}`;
      return { name, sendTime: new Date(now()).toISOString(), ...output };
    };
    traffic.record({
      carrier: 'rbm',
      operation: 'agentMessages.create',
      sender: agentId,
      address: phone,
      text: [text, link].filter(Boolean).join(' '),
      raw: body,
    });
    return { kind: 'fine', take };
  }

  return {
    tokens,
    webhooks,
    check,
    turnedAway({ phone, agentId, body }, status) {
      const parsed = parseAgentMessage(body, now());
      const text = parsed.kind === 'message' ? [parsed.text, parsed.url].filter(Boolean).join(' ') : '';
      traffic.record({
        carrier: 'rbm',
        operation: 'POST agentMessages',
        sender: agentId,
        address: phone,
        text,
        raw: body,
        refused: status,
      });
    },
    capabilities: (phone, agentId) => (agentId === options.agentId && phones.view(phone).rcs ? FEATURES : undefined),
    revoke(phone, messageId) {
      if (taken.get(messageId) !== phone) return false;
      phones.revoke('rbm', messageId);
      return true;
    },
    write(phone, written) {
      const common = { senderPhoneNumber: phone, sendTime: new Date(now()).toISOString(), agentId: options.agentId };
      webhooks.post({ ...common, ...saidBy(written, randomUuid(random)) });
    },
  };
}

function saidBy(written: WrittenOver<'rcs'>, id: string): Readonly<Record<string, unknown>> {
  switch (written.kind) {
    case 'text':
      return { messageId: id, text: written.text };
    case 'suggestion': {
      const { postbackData, text } = written;
      return { messageId: id, suggestionResponse: { postbackData, text, type: 'REPLY' } };
    }
    case 'unsubscribe':
    case 'subscribe':
      return { eventId: id, eventType: written.kind.toUpperCase() };
  }
}

function refused(status: 400 | 403 | 404, detail: string): Checked {
  return { kind: 'refused', status, detail };
}
