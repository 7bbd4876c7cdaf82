/** `email` against a relay that does as a script says, and a mail server of ours that hands in reports and replies. */
import { createAdapter, type RawWebhook } from '../../src/index.ts';
import { type RelayedMail, type RelayScript, reportOf, startRelay } from '../peers/scripted-relay.ts';
import { contextOf } from '../recorded-provider.ts';
import type { Condition, Provider, Stage } from '../stage.ts';
import { recordingSink } from '../stages.ts';
import { startWebhookServer } from '../webhook-server.ts';

const ALICE = 'alice@example.net';
const files = { token: 'hook-token-1' };
const NO_USER: RelayScript = { at: 'RCPT', does: { reply: '550 5.1.1 no such user' } };

const SCRIPTS: Partial<Record<Condition, RelayScript>> = {
  busy: { at: 'RCPT', does: { reply: '450 4.2.1 later' } },
  'busy-once': { at: 'CONNECT', does: { reply: '421 4.3.2 too many' } },
  failing: { at: 'end', does: { reply: '451 4.3.0 queue file write error' } },
  'silent-before-effect': { at: 'end', does: 'silence' },
  'silent-after-effect': { at: 'end', does: 'silence', takes: true },
  'link-dropped': { at: 'end', does: 'reset', takes: true },
  'nonsense-after-effect': { at: 'end', does: { reply: 'It works!' }, takes: true },
  'oversized-after-effect': { at: 'end', does: 'flood', takes: true },
  'drip-after-effect': { at: 'end', does: 'drip', takes: true },
  'never-takes': { at: 'end', does: { reply: '554 5.7.1 spam' } },
  'cannot-reach': NO_USER,
  'credentials-refused': { at: 'MAIL', does: { reply: '530 5.7.0 sign in first' } },
};

function handedIn(mail: string, token = files.token): RawWebhook {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'message/rfc822' };
  return { method: 'POST', query: '', headers, body: new TextEncoder().encode(mail) };
}

const replyOf = (id: string, text: string) =>
  `From: Alice <${ALICE}>\r\nTo: alerts@sealpost.example\r\nSubject: Re\r\nMessage-ID: <${id}@example.net>\r\n\r\n${text}`;

/** What a mail program shows: the subject and the text, which our mails have in quoted-printable. */
function shownOf({ raw }: RelayedMail): string {
  const [head = '', ...body] = raw.split('\r\n\r\n');
  const subject = /^Subject: (.*)$/im.exec(head)?.[1] ?? '';
  const bytes = body
    .join('\r\n\r\n')
    .replaceAll('=\r\n', '')
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return `${subject}\n${Buffer.from(bytes, 'latin1').toString('utf8')}`;
}

async function open(condition: Condition): Promise<Stage | { cannot: string }> {
  const sink = recordingSink();
  const hook = await startWebhookServer(() => adapter, sink);
  const late: RelayedMail[] = [];

  async function handIn(mail: string, token = files.token): Promise<void> {
    const headers = { authorization: `Bearer ${token}` };
    await (await fetch(hook.url, { method: 'POST', headers, body: mail })).arrayBuffer();
  }
  async function report(mail: RelayedMail): Promise<void> {
    if (condition === 'receipt-forged') return handIn(reportOf(mail), 'another token');
    const unknown = '00000000-0000-4000-8000-000000000000';
    const stranger = { ...mail, envelopeId: unknown, messageId: `${unknown}@sealpost.example` };
    if (condition === 'receipt-unknown') await handIn(reportOf(stranger));
    await handIn(reportOf(mail));
    if (condition === 'receipt-twice') await handIn(reportOf(mail));
  }
  const relay = await startRelay({
    async taken(mail, answer) {
      if (condition === 'receipt-early') await report(mail);
      answer();
      if (condition === 'receipt-late') late.push(mail);
      else if (condition !== 'receipt-early') await report(mail);
    },
  });
  relay.play(SCRIPTS[condition], condition === 'busy-once' ? 1 : undefined);
  if (condition === 'connection-refused') await relay.stop();
  const settings = {
    host: '127.0.0.1',
    port: relay.port,
    from: 'alerts@sealpost.example',
    webhook_token_file: 'token',
    unsafe_plaintext: true,
    timeout: '400ms',
  };
  const adapter = createAdapter('email', settings, contextOf(files));
  await adapter.start(sink);
  return {
    adapter,
    address: ALICE,
    receipts: sink.receipts,
    inbound: sink.inbound,
    shown: async () => relay.mails.length,
    texts: () => relay.mails.map(shownOf),
    async release() {
      for (const mail of late.splice(0)) await report(mail);
    },
    async withdraw() {
      relay.play(NO_USER);
    },
    say: (id, text) => handIn(replyOf(id, text)),
    forgeries: hook.forgeries,
    secrets: Object.values(files),
    elsewhere: { name: 'email', settings, files },
    webhooks: {
      forged: [handedIn(replyOf('1', 'Hi'), 'another token'), { ...handedIn(replyOf('1', 'Hi')), headers: {} }],
      malformed: ['', 'x', 'From: a@b.example, c@d.example\r\n\r\nHi', 'A'.repeat(600_000)].map((mail) =>
        handedIn(mail),
      ),
    },
    async close() {
      await relay.stop();
      await hook.close();
    },
  };
}

/** A relay that answers 4yz has not taken the mail (RFC 5321 section 4.2.5), so its failure is no doubt. */
export const email: Provider = {
  name: 'email against a scripted relay',
  adapter: 'email',
  failing: 'retry-after',
  open,
};
