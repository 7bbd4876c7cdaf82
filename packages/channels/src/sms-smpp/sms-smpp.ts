/**
 * SMS over SMPP 3.4 as a channel: everything becomes one text, in as many parts as it takes. Every network on the way
 * reads it: protection `none`. An SMSC has no idempotency key, so whatever was submitted and not answered is `ambiguous`
 * and stays so until a receipt or the flow's policy decides.
 */
import type { Inbound, Outcome } from '@sealpost/protocol/carriage';
import { PDU } from 'smpp';
import type { Adapter, AdapterContext, Attempt, Capabilities, ContentLimits, EventSink } from '../adapter.ts';
import { contentOfText } from '../consent.ts';
import { fit } from '../fit.ts';
import { e164Of } from '../webhook-request.ts';
import type { SmsSmppSettings } from './config.ts';
import { type Link, type LinkState, openLink } from './link.ts';
import { type Delivery, parseDelivery, parseMessageId } from './pdu-schema.ts';
import { isReceipt, parseReceipt } from './receipt.ts';
import type { Reply } from './session.ts';
import { refusalOf } from './status.ts';
import { isSingle, type ShortMessage, toPayload, toShortMessages } from './text.ts';
import { createSendWindow } from './window.ts';

const DAY_MS = 86_400_000;
const INTERNATIONAL = 1;
const ISDN = 1;
/** Receipt for success and failure (SMPP 3.4 section 5.2.17). */
const RECEIPT_ALWAYS = 1;

/** Text alone: what it cannot show is written out. */
const LIMITS: ContentLimits = {
  text: 2400,
  textUnit: 'characters',
  title: 0,
  suggestions: 0,
  suggestionText: 0,
  openLinks: false,
  file: 'none',
  fileBytes: 0,
  fileTypes: [],
};

const CAPABILITIES: Capabilities = {
  protection: 'none',
  readers: ['the SMSC', 'every network on the way'],
  address: 'phone',
  content: LIMITS,
  delivered: true,
  read: false,
  idempotent: false,
  maxTtl: 7 * DAY_MS,
  lookup: false,
  query: false,
  revoke: 'no',
  inbound: true,
  webhook: 'none',
};

export function createSmsSmpp(settings: SmsSmppSettings, context: AdapterContext): Adapter {
  const window = createSendWindow(settings.window);
  let link: Link | undefined;

  async function deliver(sink: EventSink, pdu: PDU): Promise<boolean> {
    const delivery = parseDelivery(pdu);
    const receipt = parseReceipt(delivery, settings.receipt_id);
    const inbound = receipt === undefined ? messageOf(delivery, context) : undefined;
    const events = {
      receipts: receipt === undefined ? [] : [receipt],
      inbound: inbound === undefined ? [] : [inbound],
    };
    if (receipt !== undefined || inbound !== undefined) await sink.receive(events);
    return true;
  }

  async function submitAll(through: Link, attempt: Attempt, messages: readonly ShortMessage[]): Promise<Outcome> {
    let outcome: Outcome = { kind: 'permanent', reason: 'empty text' };
    for (const [index, message] of messages.entries()) {
      const last = index === messages.length - 1;
      const state = await through.ready();
      outcome =
        state.kind === 'bound'
          ? outcomeOf(await state.session.request(submitSm(settings, context, attempt, message, last)), attempt)
          : outcomeOfLink(state, context.now());
      if (outcome.kind !== 'accepted') return index === 0 ? outcome : afterPart(outcome, index);
    }
    return outcome;
  }

  return {
    capabilities: CAPABILITIES,
    async start(sink) {
      link = openLink(settings, context, (pdu) => deliver(sink, pdu));
    },
    async send(attempt) {
      if (link === undefined) throw new Error('send before start');
      if (attempt.expires <= context.now()) return { kind: 'permanent', reason: 'expired before it was sent' };
      const messages = shortMessages(settings, attempt);
      if (messages === undefined) return { kind: 'permanent', reason: 'text too long' };
      if (!(await window.enter(settings.response_timeout)))
        return { kind: 'retry-after', afterMs: settings.response_timeout, reason: 'window full' };
      try {
        return await submitAll(link, attempt, messages);
      } finally {
        window.leave();
      }
    },
    async stop() {
      await link?.close();
    },
  };
}

/**
 * What a person wrote. An SMSC names no message of theirs, so a delivery repeated because our answer was lost is told twice
 * rather than never; the parts of a long one are told each for itself.
 */
function messageOf(delivery: Delivery, { random }: AdapterContext): Inbound | undefined {
  if (isReceipt(delivery)) return undefined;
  const address = e164Of(delivery.source);
  const content = contentOfText(delivery.written ?? '');
  if (address === undefined || content === undefined) return undefined;
  return { id: Buffer.from(random(16)).toString('hex'), address, content };
}

function shortMessages(settings: SmsSmppSettings, { id, payload }: Attempt): readonly ShortMessage[] | undefined {
  const fitted = fit(payload, LIMITS, '');
  if (fitted.kind === 'refused') return undefined;
  const { text } = fitted.message;
  if (settings.long_text === 'message_payload') {
    const whole = toPayload(text);
    return whole === undefined ? undefined : [whole];
  }
  /** Stable over retries of one attempt, so that a phone joins a repeated part to the same message. */
  return toShortMessages(text, Number.parseInt(id.slice(-2), 16));
}

/** Only the last part asks for a receipt: it carries the id the attempt is known by. */
function submitSm(
  settings: SmsSmppSettings,
  context: AdapterContext,
  attempt: Attempt,
  message: ShortMessage,
  last: boolean,
): PDU {
  const bytes = Buffer.from(message.bytes);
  const until = Math.min(attempt.expires, context.now() + CAPABILITIES.maxTtl);
  const asPayload = settings.long_text === 'message_payload' && !isSingle(message);
  return new PDU('submit_sm', {
    source_addr_ton: settings.source_ton,
    source_addr_npi: settings.source_npi,
    source_addr: settings.source_address,
    dest_addr_ton: INTERNATIONAL,
    dest_addr_npi: ISDN,
    destination_addr: attempt.address.replace(/^\+/, ''),
    esm_class: message.esmClass,
    registered_delivery: last ? RECEIPT_ALWAYS : 0,
    data_coding: message.dataCoding,
    validity_period: absoluteTime(until),
    ...(asPayload ? { short_message: Buffer.alloc(0), message_payload: bytes } : { short_message: bytes }),
  });
}

/** "YYMMDDhhmmsstnnp" in UTC (SMPP 3.4 section 7.1.1.1). */
function absoluteTime(at: number): string {
  return `${new Date(at).toISOString().replace(/\D/g, '').slice(2, 15)}00+`;
}

function outcomeOf(reply: Reply, attempt: Attempt): Outcome {
  switch (reply.kind) {
    case 'unsent':
      return { kind: 'retry-after', afterMs: 1_000, reason: reply.reason };
    case 'unanswered':
      return { kind: 'ambiguous', reason: reply.reason };
    case 'answered': {
      if (reply.pdu.command_status !== 0) return refusalOf(reply.pdu.command_status);
      /** Some SMSCs name nothing: the message was taken all the same, and no receipt can be matched to it. */
      return { kind: 'accepted', providerMessageId: parseMessageId(reply.pdu) ?? `unnamed-${attempt.id}` };
    }
  }
}

function outcomeOfLink(state: Exclude<LinkState, { kind: 'bound' }>, now: number): Outcome {
  return state.kind === 'refused'
    ? { kind: 'auth-broken', reason: state.reason }
    : { kind: 'retry-after', afterMs: Math.max(state.until - now, 250), reason: state.reason };
}

/** Earlier parts are already with the SMSC, so "certainly not taken" would be untrue. */
function afterPart(outcome: Outcome, taken: number): Outcome {
  return outcome.kind === 'retry-after'
    ? { kind: 'ambiguous', reason: `after part ${taken}: ${outcome.reason}`.slice(0, 120) }
    : outcome;
}
