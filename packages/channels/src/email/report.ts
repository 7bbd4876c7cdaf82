/**
 * Delivery reports (RFC 3464): per recipient an action and a status. Ours name the attempt twice, by the envelope id we gave
 * (RFC 3461 section 4.4) and by the Message-ID in the header that comes back with them; some servers leave one of them out.
 */
import type { ProviderReceipt } from '@sealpost/protocol/carriage';
import { timeOf } from '../webhook-request.ts';
import { type Fields, fieldsOf, leavesOf, type MimePart, textOfPart } from './mime.ts';

/** `delayed`, `relayed` and `expanded` say that it is not over, or that nobody further on will tell (section 2.3.3). */
const STATUS_OF_ACTION: Readonly<Record<string, 'delivered' | 'failed'>> = { delivered: 'delivered', failed: 'failed' };
/** "Delivery time expired" and "message expired" (RFC 3463 section 3.5). */
const EXPIRED: ReadonlySet<string> = new Set(['4.4.7', '5.4.7']);
const RETURNED: ReadonlySet<string> = new Set(['text/rfc822-headers', 'message/rfc822']);

/** `undefined` when it is no delivery report; empty when it says nothing that counts. */
export function receiptsOfReport(mail: MimePart, domain: string): ProviderReceipt[] | undefined {
  const leaves = leavesOf(mail);
  const told = leaves.find(({ type }) => type === 'message/delivery-status');
  if (mail.type !== 'multipart/report' || told === undefined) return undefined;
  const [perMessage = new Map(), ...perRecipient] = textOfPart(told)
    .split(/\n{2,}/)
    .map(fieldsOf)
    .filter(({ size }) => size > 0);
  const header = fieldsOf((leaves.find(({ type }) => RETURNED.has(type))?.body ?? '').split(/\r?\n\r?\n/, 1)[0] ?? '');
  const providerMessageIds = namesOf(perMessage, header, domain);
  const at = timeOf(first(mail.fields, 'date'));
  if (providerMessageIds.length === 0) return [];
  return perRecipient.slice(0, 1).flatMap((fields) => {
    const action = first(fields, 'action')?.toLowerCase() ?? '';
    const status = Object.hasOwn(STATUS_OF_ACTION, action) ? STATUS_OF_ACTION[action] : undefined;
    if (status === undefined) return [];
    const code = /^[245]\.\d{1,3}\.\d{1,3}/.exec(first(fields, 'status') ?? '')?.[0] ?? '';
    const ended = status === 'failed' && EXPIRED.has(code) ? 'expired' : status;
    return [
      { providerMessageIds, status: ended, code: `${action} ${code}`.trim(), ...(at === undefined ? {} : { at }) },
    ];
  });
}

function namesOf(perMessage: Fields, header: Fields, domain: string): string[] {
  const envelope = first(perMessage, 'original-envelope-id') ?? '';
  const [, message] = /<([^<>\s]{1,256})>/.exec(first(header, 'message-id') ?? '') ?? [];
  const names = [/^[0-9a-f-]{36}$/.test(envelope) ? `${envelope}@${domain}` : undefined, message];
  return [...new Set(names)].filter((name) => name !== undefined);
}

function first(fields: Fields, name: string): string | undefined {
  return fields.get(name)?.[0];
}
