/**
 * Mail to us, handed in by our own mail server as the raw bytes of one mail (for Postfix a `pipe` that posts them): delivery
 * reports and replies. Nothing in a mail proves who wrote it. The token proves that our server handed it in; whose words they
 * are is known only where that server checked DMARC and the settings name it (`authserv_id`, RFC 8601).
 */
import { createHash } from 'node:crypto';
import type { Inbound } from '@sealpost/protocol/carriage';
import type { AdapterContext, RawWebhook, WebhookResult } from '../adapter.ts';
import { secretText } from '../secret-text.ts';
import { sameSecret } from '../signature.ts';
import { headerOf, MAX_WEBHOOK_BYTES, timeOf } from '../webhook-request.ts';
import { addressOfField, domainOf } from './address.ts';
import type { EmailSettings } from './config.ts';
import { type MimePart, parseMime } from './mime.ts';
import { contentsOfReply } from './reply.ts';
import { receiptsOfReport } from './report.ts';

/** What one inbound text may hold. */
const MAX_TEXT = 200_000;

export async function readEmailWebhook(
  request: RawWebhook,
  settings: EmailSettings,
  context: AdapterContext,
): Promise<WebhookResult> {
  if (request.body.byteLength > MAX_WEBHOOK_BYTES) return { kind: 'malformed', reason: 'body too large' };
  const secret = (await secretText(context, settings.webhook_token_file)) ?? '';
  const [, token = ''] = /^Bearer (\S{1,1024})$/i.exec(headerOf(request, 'authorization') ?? '') ?? [];
  if (!sameSecret(token, new TextEncoder().encode(secret))) return { kind: 'forged' };
  const mail = request.method === 'POST' ? parseMime(request.body) : undefined;
  if (mail === undefined) return { kind: 'malformed', reason: 'no mail' };
  const receipts = receiptsOfReport(mail, domainOf(settings.from));
  if (receipts !== undefined)
    return receipts.length === 0
      ? { kind: 'ignored', reason: 'a report that ends nothing' }
      : { kind: 'events', receipts, inbound: [] };
  if (isAutomatic(mail)) return { kind: 'ignored', reason: 'written by a program' };
  if (!isAuthentic(mail, settings.authserv_id)) return { kind: 'ignored', reason: 'its sender is not proved' };
  return wordsOf(mail);
}

/** RFC 3834 section 5, and reports that are about no delivery. */
function isAutomatic({ type, fields }: MimePart): boolean {
  const [submitted = 'no'] = fields.get('auto-submitted') ?? [];
  return type === 'multipart/report' || !/^no\b/i.test(submitted) || fields.get('return-path')?.[0] === '<>';
}

/** Our server's own field stands above any the sender wrote, and it removes those in its name (RFC 8601 section 5). */
function isAuthentic({ fields }: MimePart, authserv: string | undefined): boolean {
  if (authserv === undefined) return true;
  const [ours = ''] = (fields.get('authentication-results') ?? []).filter(
    (field) => /^[^\s;]+/.exec(field)?.[0].toLowerCase() === authserv.toLowerCase(),
  );
  return /;\s*dmarc\s*=\s*pass\b/i.test(ours);
}

function wordsOf(mail: MimePart): WebhookResult {
  const [from = '', ...others] = mail.fields.get('from') ?? [];
  const address = others.length === 0 ? addressOfField(from) : undefined;
  if (address === undefined) return { kind: 'malformed', reason: 'no one sender' };
  const contents = contentsOfReply(mail);
  if (contents.length === 0) return { kind: 'ignored', reason: 'nothing was said' };
  if (contents.some((content) => content.kind === 'text' && content.text.length > MAX_TEXT))
    return { kind: 'malformed', reason: 'text too long' };
  const id = nameOf(mail, address);
  const at = timeOf(mail.fields.get('date')?.[0]);
  const [, about] = /<([^<>\s]{1,256})>/.exec(mail.fields.get('in-reply-to')?.[0] ?? '') ?? [];
  const common = { address, ...(at === undefined ? {} : { at }), ...(about === undefined ? {} : { about }) };
  const inbound = contents.map(
    (content, index): Inbound => ({ id: index === 0 ? id : `${id}-${index}`, ...common, content }),
  );
  return { kind: 'events', receipts: [], inbound };
}

/** A sender's own Message-ID is theirs to choose, so it counts only beside their address. */
function nameOf({ fields, body }: MimePart, address: string): string {
  const own = fields.get('message-id')?.[0] ?? body;
  return createHash('sha256').update(`${address.toLowerCase()}\n${own}`).digest('hex');
}
