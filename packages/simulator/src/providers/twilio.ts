/**
 * Twilio: Messages and Content resources under HTTP Basic, and webhooks signed as "Webhooks security" says. Members that
 * the API reference does not name are refused, which Twilio itself leaves out silently: a test should hear of them.
 */
import { createHmac } from 'node:crypto';
import {
  type Call,
  jsonReply,
  type ProviderDefinition,
  type ProviderEvent,
  type Reply,
} from '../provider-kit/definition.ts';

export interface TwilioOptions {
  readonly accountSid: string;
  readonly apiKeySid: string;
  readonly apiKeySecret: string;
  readonly authToken: string;
  /** As it stands in `From`: `rcs:agent` or a number. */
  readonly sender: string;
  readonly webhookUrl: string;
}

const FIELDS: ReadonlySet<string> = new Set([
  'To',
  'From',
  'Body',
  'MediaUrl',
  'ContentSid',
  'ContentVariables',
  'ValidityPeriod',
  'StatusCallback',
]);

export function twilioDefinition(options: TwilioOptions): ProviderDefinition {
  const basic = `Basic ${Buffer.from(`${options.apiKeySid}:${options.apiKeySecret}`).toString('base64')}`;
  const scheme = options.sender.startsWith('rcs:') ? 'rcs:' : '';
  const idOf = (serial: number) => `SM${serial.toString(16).padStart(32, '0')}`;

  function validated(form: URLSearchParams): Reply | undefined {
    if ([...form.keys()].some((name) => !FIELDS.has(name))) return refusal(400, 21_620);
    if (form.get('From') !== options.sender) return refusal(400, 21_606);
    if (!new RegExp(`^${scheme}\\+[1-9]\\d{4,14}$`).test(form.get('To') ?? '')) return refusal(400, 21_211);
    const said = form.get('Body') ?? form.get('ContentVariables') ?? '';
    if (said === '') return refusal(400, 21_619);
    if ((form.get('Body') ?? '').length > 1600) return refusal(400, 21_617);
    const validity = Number(form.get('ValidityPeriod'));
    return validity >= 1 && validity <= 36_000 ? undefined : refusal(400, 21_616);
  }

  return {
    idOf,
    recognise({ method, path, headers, body }: Call) {
      if (headers.authorization !== basic) return { kind: 'refused', answer: refusal(401, 20_003) };
      if (method === 'POST' && path === '/v1/Content')
        return { kind: 'preparation', answer: jsonReply(201, { sid: `HX${'1'.repeat(32)}` }) };
      if (method !== 'POST' || path !== `/2010-04-01/Accounts/${options.accountSid}/Messages.json`)
        return { kind: 'refused', answer: refusal(404, 20_404) };
      const form = new URLSearchParams(body);
      const wrong = validated(form);
      if (wrong !== undefined) return { kind: 'refused', answer: wrong };
      const text = form.get('Body') ?? form.get('ContentVariables') ?? '';
      return { kind: 'message', address: (form.get('To') ?? '').slice(scheme.length), text };
    },
    answers: {
      taken: ({ id }) => jsonReply(201, { sid: id, status: 'queued' }),
      busy: jsonReply(429, { code: 20_429, status: 429 }, { 'retry-after': '7' }),
      failing: refusal(503, 20_503),
      unauthorized: refusal(401, 20_003),
      rejected: refusal(400, 21_617),
      unreachable: scheme === '' ? refusal(400, 21_614) : refusal(400, 63_106),
    },
    webhooks: {
      bodyOf: (event) => new URLSearchParams(fieldsOf(event, options, scheme)).toString(),
      prove: (body, genuine) => ({
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          'x-twilio-signature': signatureOf(options.webhookUrl, body, genuine ? options.authToken : 'another token'),
        },
      }),
    },
  };
}

function refusal(status: number, code: number): Reply {
  return jsonReply(status, { code, message: 'refused', more_info: 'https://www.twilio.com/docs/errors', status });
}

function fieldsOf(event: ProviderEvent, { accountSid, sender }: TwilioOptions, scheme: string): Record<string, string> {
  if (event.kind === 'said') {
    const sid = { MessageSid: event.id, AccountSid: accountSid };
    return { ...sid, From: scheme + event.address, To: sender, Body: event.text, NumMedia: '0', SmsStatus: 'received' };
  }
  const { id, address } = event.message;
  return { MessageSid: id, AccountSid: accountSid, MessageStatus: event.kind, From: sender, To: scheme + address };
}

function signatureOf(url: string, body: string, token: string): string {
  const pairs = [...new URLSearchParams(body)].sort(([a], [b]) => (a < b ? -1 : 1));
  return createHmac('sha1', token)
    .update(url + pairs.flat().join(''))
    .digest('base64');
}
