/**
 * E-mail through a relay of ours (SMTP, RFC 5321). The hop to the relay is encrypted and authenticated unless the settings
 * say otherwise; of the hops after it nobody can say so, and every mail server on the way and the mailbox's provider read the
 * mail: protection `none`. A Message-ID that stays the same lets some mailboxes hide a repeat and binds none: not idempotent.
 *
 * Delivery reports (RFC 3464) are asked for where the relay offers DSN, and come from those servers that give them; `delivered`
 * means laid into the mailbox, as that server says. SMTP has no time limit that servers keep: a mail may arrive after `expires`.
 */
import type { Outcome } from '@sealpost/protocol/carriage';
import type { Adapter, AdapterContext, Attempt, Capabilities } from '../adapter.ts';
import { fit } from '../fit.ts';
import { secretText } from '../secret-text.ts';
import { isMailAddress } from './address.ts';
import { classifyHanding } from './classify.ts';
import { compose, EMAIL_LIMITS, messageIdOf } from './compose.ts';
import type { EmailSettings } from './config.ts';
import { createRelay, type RelaySecrets } from './relay.ts';
import { readEmailWebhook } from './webhook.ts';

const CAPABILITIES: Capabilities = {
  protection: 'none',
  readers: ['our relay', 'every mail server on the way', 'the mailbox’s provider'],
  address: 'email',
  content: EMAIL_LIMITS,
  delivered: true,
  read: false,
  idempotent: false,
  maxTtl: 0,
  lookup: false,
  query: false,
  revoke: 'no',
  inbound: true,
  webhook: 'token',
};

export function createEmail(settings: EmailSettings, context: AdapterContext): Adapter {
  const relay = createRelay(settings);

  /** `undefined` when a file the settings name cannot be read. */
  async function readSecrets(): Promise<RelaySecrets | undefined> {
    const [password, ca] = await Promise.all(
      [settings.password_file, settings.ca_file].map((path) =>
        path === undefined ? undefined : secretText(context, path),
      ),
    );
    if (settings.password_file !== undefined && password === undefined) return undefined;
    if (settings.ca_file !== undefined && ca === undefined) return undefined;
    return { password, ca };
  }

  async function send(attempt: Attempt): Promise<Outcome> {
    if (attempt.expires <= context.now()) return { kind: 'permanent', reason: 'expired' };
    if (!isMailAddress(attempt.address)) return { kind: 'permanent', reason: 'no mail address' };
    const fitted = fit(attempt.payload, EMAIL_LIMITS, '');
    if (fitted.kind === 'refused') return { kind: 'permanent', reason: fitted.reason };
    const secrets = await readSecrets();
    if (secrets === undefined) return { kind: 'auth-broken', reason: 'password or authority file unreadable' };
    const mail = await compose(attempt, fitted.message, settings, context.now());
    const envelope = { from: settings.return_path ?? settings.from, to: attempt.address, id: attempt.id };
    const handing = await relay.hand(envelope, mail, secrets);
    return handing.kind === 'taken'
      ? { kind: 'accepted', providerMessageId: messageIdOf(attempt, settings) }
      : classifyHanding(handing);
  }

  return {
    capabilities: CAPABILITIES,
    async start() {},
    send,
    webhook: (request) => readEmailWebhook(request, settings, context),
    async stop() {
      relay.close();
    },
  };
}
