/**
 * SMS through Twilio: one text, with links and suggestions written out in it. Twilio and every carrier on the way read
 * it, so this is `none`. MMS is left out: Twilio sends it in the United States, Canada and Australia alone ("MMS"), and
 * elsewhere turns it into a link of its own; a file with a URL becomes a line of the text instead.
 * No `query`: a message can be asked for by its SID only, and an ambiguous attempt has none. No `revoke`: only scheduled
 * messages can be canceled ("Update a Message resource").
 */
import type { Adapter, AdapterContext, Capabilities } from '../adapter.ts';
import { fit } from '../fit.ts';
import { hasTime, MAX_VALIDITY_MS, sendThroughTwilio } from '../twilio/messages.ts';
import { readTwilioWebhook } from '../twilio/webhook.ts';
import type { SmsTwilioSettings } from './config.ts';

const CAPABILITIES: Capabilities = {
  protection: 'none',
  readers: ['Twilio', 'carriers on the way', 'the SMS centre'],
  address: 'phone',
  content: {
    /** Messages resource, `Body`; longer than one segment is billed by segment and shown as one. */
    text: 1600,
    textUnit: 'characters',
    title: 0,
    suggestions: 0,
    suggestionText: 0,
    openLinks: false,
    file: 'none',
    fileBytes: 0,
    fileTypes: [],
  },
  delivered: true,
  read: false,
  idempotent: false,
  maxTtl: MAX_VALIDITY_MS,
  lookup: false,
  query: false,
  revoke: 'no',
  inbound: true,
  webhook: 'signed',
};

export function createSmsTwilio(settings: SmsTwilioSettings, context: AdapterContext): Adapter {
  return {
    capabilities: CAPABILITIES,
    async start() {},
    async send(attempt) {
      if (!hasTime(attempt, context)) return { kind: 'permanent', reason: 'expires too soon to send' };
      const fitted = fit(attempt.payload, CAPABILITIES.content, '');
      if (fitted.kind === 'refused') return { kind: 'permanent', reason: fitted.reason };
      const ends = { from: settings.sender, to: attempt.address };
      return sendThroughTwilio(settings, context, ends, { Body: fitted.message.text }, attempt);
    },
    webhook: (request) => readTwilioWebhook(request, settings, settings.sender, context),
    async stop() {},
  };
}
