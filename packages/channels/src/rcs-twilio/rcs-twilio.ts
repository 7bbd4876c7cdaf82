/**
 * RCS through Twilio, and RCS only: `To=rcs:+…` from one RCS sender, never a Messaging Service, whose pool would carry
 * the same text by SMS to whoever has no RCS (Twilio, "Send an RCS message"). Plain text and a file go as they are; a
 * title or buttons go as a `twilio/card`. Twilio and Google read it: `transport`, never more.
 * No `lookup`: Twilio publishes none for RCS; who cannot be reached is known from the attempt (63106 and its kin).
 * No `query` and no `revoke`, as with SMS.
 */
import type { Adapter, AdapterContext, Attempt, Capabilities } from '../adapter.ts';
import { type Fitted, fit } from '../fit.ts';
import { RCS_FILE_TYPES } from '../rcs-content.ts';
import { hasTime, MAX_VALIDITY_MS, type MessageFields, sendThroughTwilio } from '../twilio/messages.ts';
import { readTwilioWebhook } from '../twilio/webhook.ts';
import type { RcsTwilioSettings } from './config.ts';
import { fitsTwilioReplies, templateOf } from './content-template.ts';
import { createTemplates, type TemplateResult } from './templates.ts';

const CAPABILITIES: Capabilities = {
  protection: 'transport',
  readers: ['Twilio', 'Google or the carrier’s RCS platform'],
  address: 'phone',
  content: {
    /** `Body` of the Messages resource and `body` of `twilio/card`. */
    text: 1600,
    textUnit: 'characters',
    /** A longer card title is moved to the description (Twilio changelog, 4 August 2025). */
    title: 200,
    /** A rich card shows four. */
    suggestions: 4,
    suggestionText: 25,
    openLinks: true,
    file: 'url',
    /** "Accepted content types for media", RCS. */
    fileBytes: 16 * 1024 * 1024,
    fileTypes: RCS_FILE_TYPES,
  },
  delivered: true,
  read: true,
  idempotent: false,
  maxTtl: MAX_VALIDITY_MS,
  lookup: false,
  query: false,
  revoke: 'no',
  inbound: true,
  webhook: 'signed',
};

export function createRcsTwilio(settings: RcsTwilioSettings, context: AdapterContext): Adapter {
  const templates = createTemplates(settings, context);
  const sender = `rcs:${settings.sender}`;

  async function deliver(fields: MessageFields, attempt: Attempt) {
    return sendThroughTwilio(settings, context, { from: sender, to: `rcs:${attempt.address}` }, fields, attempt);
  }

  async function deliverCard(message: Fitted, attempt: Attempt) {
    if (!fitsTwilioReplies(message.suggestions)) return refused('suggestion-data-too-long');
    const template = templateOf(message);
    const made: TemplateResult = await templates.sidOf(template);
    if (made.kind !== 'template') return made;
    return deliver({ ContentSid: made.sid, ContentVariables: JSON.stringify(template.variables) }, attempt);
  }

  return {
    capabilities: CAPABILITIES,
    async start() {},
    async send(attempt) {
      if (!hasTime(attempt, context)) return refused('expires too soon to send');
      const fitted = fit(attempt.payload, CAPABILITIES.content, settings.button_text);
      if (fitted.kind === 'refused') return refused(fitted.reason);
      const { message } = fitted;
      if (message.title !== undefined || message.suggestions.length > 0) return deliverCard(message, attempt);
      const source = message.file?.source;
      return deliver({ Body: message.text, ...(source?.kind === 'url' ? { MediaUrl: source.url } : {}) }, attempt);
    },
    webhook: (request) => readTwilioWebhook(request, settings, sender, context),
    async stop() {},
  };
}

const refused = (reason: string) => ({ kind: 'permanent', reason }) as const;
