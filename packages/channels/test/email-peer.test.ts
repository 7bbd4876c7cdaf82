/**
 * `email` against mail servers we did not write: what a relay is given, how each of its answers ends an attempt, and that
 * nothing is said to a relay whose certificate does not hold.
 */
import { existsSync } from 'node:fs';
import type { Payload } from '@sealpost/protocol/carriage';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createAdapter } from '../src/index.ts';
import { attemptTo, until } from './contract.ts';
import { clearOf, PAYLOAD_NAMES, PAYLOADS } from './payloads.ts';
import {
  freePort,
  issueCertificate,
  SMTP_SINK,
  startMaildev,
  startSink,
  startSmtpServer,
  type TakenMail,
} from './peers/mail.ts';
import { contextOf } from './recorded-provider.ts';

const ALICE = 'alice@example.net';
const PLAIN = {
  host: '127.0.0.1',
  from: 'alerts@sealpost.example',
  from_name: 'Acme Alerts',
  webhook_token_file: 'token',
  unsafe_plaintext: true,
  timeout: '2s',
};
const AUTHORITY = issueCertificate();
const FILES = { token: 't', password: 'no outcome may hold this', ca: AUTHORITY.cert };

const adapterAt = (port: number, change: object = {}) =>
  createAdapter('email', { ...PLAIN, port, ...change }, contextOf(FILES));

/** One attempt; its outcome gives nobody away. */
async function sendTo(port: number, change: object = {}, payload: Payload = PAYLOADS.text, address = ALICE) {
  const adapter = adapterAt(port, change);
  const attempt = attemptTo(address, { payload });
  const outcome = await adapter.send(attempt);
  await adapter.stop();
  expect(JSON.stringify(outcome)).not.toMatch(/alice@|Disk full|no outcome may hold/);
  return { attempt, outcome };
}

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});
function closing<T extends { stop: () => Promise<unknown> }>(peer: T): T {
  stops.push(peer.stop);
  return peer;
}

describe.skipIf(!existsSync(SMTP_SINK))(`a relay played by Postfix's smtp-sink (${SMTP_SINK})`, () => {
  it('takes a mail once, named by the attempt', async () => {
    const { port, taken } = closing(await startSink());
    const { attempt, outcome } = await sendTo(port);
    expect(outcome).toEqual({ kind: 'accepted', providerMessageId: `${attempt.id}@sealpost.example` });
    const mails = await until(() => (taken().length === 1 ? taken() : undefined), 'a mail is there');
    expect(mails[0]).toContain(`Message-ID: <${attempt.id}@sealpost.example>`);
    expect(mails[0]).toContain('Disk full on db1');
  });

  it.each([
    ['MAIL', '451 4.3.0 later', 'retry-after', '451 4.3.0'],
    ['RCPT', '450 4.2.1 greylisted', 'retry-after', '450 4.2.1'],
    ['DATA', '452 4.3.1 disk full', 'retry-after', '452 4.3.1'],
    ['.', '451 4.3.0 queue full', 'retry-after', '451 4.3.0'],
    ['EHLO,HELO', '421 4.3.2 busy', 'retry-after', '421 4.3.2'],
  ])('puts off at %s with %s, which is %s', async (command, reply, kind, reason) => {
    const { port } = closing(await startSink('-r', command, '-b', reply));
    const { outcome } = await sendTo(port);
    expect(outcome).toMatchObject({ kind, reason, afterMs: expect.toSatisfy((wait: number) => wait > 0) });
  });

  it.each([
    ['MAIL', '550 5.7.1 sender not allowed', 'auth-broken', '550 5.7.1'],
    ['MAIL', '552 5.3.4 too big', 'permanent', '552 5.3.4'],
    ['RCPT', '550 5.1.1 no such user', 'downgrade', '550 5.1.1'],
    ['RCPT', '530 5.7.0 sign in first', 'auth-broken', '530 5.7.0'],
    ['DATA', '554 5.5.1 no', 'permanent', '554 5.5.1'],
    ['.', '554 5.7.1 spam', 'permanent', '554 5.7.1'],
    ['.', '550 5.1.1 no such user after all', 'downgrade', '550 5.1.1'],
    ['CONNECT', '554 5.3.2 not you', 'auth-broken', '554 5.3.2'],
  ])('refuses at %s with %s, which is %s', async (command, reply, kind, reason) => {
    const { port } = closing(await startSink('-f', command, '-B', reply));
    expect((await sendTo(port)).outcome).toEqual({ kind, reason });
  });

  it.each([
    ['CONNECT', 'retry-after'],
    ['EHLO,HELO', 'retry-after'],
    ['MAIL', 'retry-after'],
    ['RCPT', 'retry-after'],
    ['DATA', 'retry-after'],
    ['.', 'ambiguous'],
  ])('breaks off at %s, which is %s', async (command, kind) => {
    const { port } = closing(await startSink('-q', command));
    expect((await sendTo(port)).outcome.kind).toBe(kind);
  });

  it('says nothing after the end of the mail, which is ambiguous', async () => {
    const { port } = closing(await startSink('-W', '.:30'));
    expect((await sendTo(port, { timeout: '300ms' })).outcome).toEqual({
      kind: 'ambiguous',
      reason: 'no answer ETIMEDOUT',
    });
  });

  it('says nothing before it takes the mail, which may be tried again', async () => {
    const { port, taken } = closing(await startSink('-W', 'DATA:30'));
    expect((await sendTo(port, { timeout: '300ms' })).outcome).toMatchObject({
      kind: 'retry-after',
      reason: 'before the mail ETIMEDOUT',
    });
    expect(taken().join('')).not.toContain('Disk full');
  });
});

describe('a mail read back by maildev', () => {
  let maildev: Awaited<ReturnType<typeof startMaildev>>;
  beforeAll(async () => {
    maildev = await startMaildev();
  });
  afterAll(() => maildev.stop());

  async function readBack(payload: Payload, change: object = {}) {
    const { attempt, outcome } = await sendTo(maildev.port, change, payload);
    expect(outcome.kind).toBe('accepted');
    const mine = async () =>
      (await maildev.read()).find(({ headers }) => headers['message-id'] === `<${attempt.id}@sealpost.example>`);
    const mail = await until(mine, 'maildev has the mail');
    const [head = ''] = (await maildev.source(mail.id)).split(/\r?\n\r?\n/, 1);
    const headers = head.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/);
    return { attempt, mail, headers };
  }

  it.each(PAYLOAD_NAMES)('holds a %s whole, with the headers of a program', async (kind) => {
    const { mail } = await readBack(PAYLOADS[kind]);
    expect(mail.to).toMatchObject([{ address: ALICE }]);
    expect(mail.headers).toMatchObject({ 'auto-submitted': 'auto-generated' });
    const payload: Payload = PAYLOADS[kind];
    expect(mail.text).toContain(payload.text);
    if (payload.kind !== 'clear') expect(mail.text.split('\n')).toContain(payload.url);
    expect(mail.subject).toBe((payload.kind === 'clear' ? payload.title : undefined) ?? 'A message for you');
  });

  it('has a file as an attachment, byte for byte in its length', async () => {
    const data = Buffer.alloc(1000, 7).toString('base64url');
    const file = { name: 'grüße.bin', mediaType: 'application/octet-stream', source: { kind: 'bytes' as const, data } };
    const { mail } = await readBack(clearOf({ file }));
    expect(JSON.stringify(mail.attachments)).toContain('grüße.bin');
    expect(mail.attachments).toMatchObject([{ contentType: 'application/octet-stream' }]);
  });

  it('lets nothing a person wrote become a header, whatever its characters', async () => {
    const hostile = fc.string({
      unit: fc.constantFrom('a', '\r', '\n', ':', ' ', 'Bcc: x@y.z', '\u2028', 'ü', '=?utf-8?Q?=0D=0A?='),
    });
    const known = new Set(KNOWN_HEADERS);
    await fc.assert(
      fc.asyncProperty(hostile, async (written) => {
        const title = `T${written}`.slice(0, 300);
        const name = `N${written}`.slice(0, 200);
        const file = { name, mediaType: 'text/plain', source: { kind: 'bytes' as const, data: 'YQ' } };
        const { mail, headers } = await readBack(clearOf({ title, text: `x${written}`, file }));
        const names = headers.map((header) => header.slice(0, header.indexOf(':')).toLowerCase());
        expect(names.filter((header, index) => !known.has(header) || names.indexOf(header) !== index)).toEqual([]);
        expect(mail.to).toMatchObject([{ address: ALICE }]);
      }),
      { numRuns: 15 },
    );
  });

  it('says how to end the mail, at one POST where the sender has a page for it', async () => {
    const bare = await readBack(PAYLOADS.text);
    expect(bare.headers.join('\n')).toContain('alerts%40sealpost.example?subject=unsubscribe');
    expect(bare.headers.join('\n')).not.toContain('One-Click');
    const { attempt, headers } = await readBack(PAYLOADS.text, {
      unsubscribe_url: 'https://acme.example/end?of={attempt}',
    });
    expect(headers.join('\n')).toContain(`https://acme.example/end?of=${attempt.id}`);
    expect(headers.join('\n')).toContain('List-Unsubscribe=One-Click');
  });
});

const KNOWN_HEADERS = [
  'from',
  'to',
  'reply-to',
  'subject',
  'date',
  'message-id',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
  'auto-submitted',
  'list-unsubscribe',
  'list-unsubscribe-post',
  'received',
];

describe('TLS and signing in, with smtp-server', () => {
  const SECURE = { unsafe_plaintext: false, ca_file: 'ca', username: 'sealpost', password_file: 'password' };
  const onAuth = (
    { username, password }: { username?: string | undefined; password?: string | null | undefined },
    _session: unknown,
    done: (error: Error | null, answer?: { user: string }) => void,
  ) =>
    username === 'sealpost' && password === FILES.password
      ? done(null, { user: 'sealpost' })
      : done(Object.assign(new Error('no'), { responseCode: 535 }));
  const server = (options: object = {}) => startSmtpServer({ ...AUTHORITY, onAuth, ...options });

  it.each([
    ['starttls', false],
    ['implicit', true],
  ] as const)('are done before anything is said (%s), and a delivery report is asked for', async (tls, secure) => {
    const { port, taken } = closing(await server({ secure, hideDSN: false }));
    const { attempt, outcome } = await sendTo(port, { ...SECURE, tls, return_path: 'bounces@sealpost.example' });
    expect(outcome.kind).toBe('accepted');
    const [mail] = taken as [TakenMail];
    expect([mail.secure, mail.user]).toEqual([true, 'sealpost']);
    expect(mail.envelope).toMatchObject({
      mailFrom: { address: 'bounces@sealpost.example' },
      rcptTo: [{ address: ALICE, dsn: { notify: ['SUCCESS', 'FAILURE'], orcpt: `rfc822;${ALICE}` } }],
      dsn: { ret: 'HDRS', envid: attempt.id },
    });
  });

  it('are not left out for a relay that offers no STARTTLS, and it is told neither address nor password', async () => {
    const { port, taken } = closing(await server({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'] }));
    const { outcome } = await sendTo(port, SECURE);
    expect(outcome.kind).not.toBe('accepted');
    expect(taken).toEqual([]);
  });

  it.each(['starttls', 'implicit'] as const)(
    'break off before a relay whose certificate does not hold (%s)',
    async (tls) => {
      const { port, taken } = closing(await server({ ...issueCertificate(), secure: tls === 'implicit' }));
      const { outcome } = await sendTo(port, { ...SECURE, tls });
      expect(outcome).toMatchObject({ kind: 'retry-after', reason: expect.stringMatching(/^connection /) });
      expect(taken).toEqual([]);
    },
  );

  it('refused are auth-broken', async () => {
    const { port } = closing(await server());
    expect((await sendTo(port, { ...SECURE, username: 'other' })).outcome).toMatchObject({
      kind: 'auth-broken',
      reason: expect.stringMatching(/^535/),
    });
    expect((await sendTo(port, { ...SECURE, password_file: 'gone' })).outcome.kind).toBe('auth-broken');
  });

  it('a mail larger than the relay takes is not begun', async () => {
    const { port, taken } = closing(await server({ size: 200 }));
    expect((await sendTo(port, SECURE)).outcome).toEqual({ kind: 'permanent', reason: 'larger than the relay takes' });
    expect(taken).toEqual([]);
  });
});

describe('an attempt', () => {
  it('may be made again when nobody listens', async () => {
    expect((await sendTo(await freePort())).outcome).toMatchObject({
      kind: 'retry-after',
      reason: 'connection ECONNREFUSED',
    });
  });

  it('is not made once its time has passed, nor to what is no address', async () => {
    const { port, taken } = closing(await startSmtpServer({ disabledCommands: ['AUTH', 'STARTTLS'] }));
    const adapter = adapterAt(port);
    expect(await adapter.send(attemptTo(ALICE, { expires: Date.now() - 1 }))).toEqual({
      kind: 'permanent',
      reason: 'expired',
    });
    for (const address of [
      'alice',
      'a@b@c.example',
      'alice@example.net, bob@example.net',
      'alice@example.net\r\nRCPT TO:<bob@example.net>',
      '<alice@example.net>',
      '"a b"@example.net',
      'älice@example.net',
      `${'a'.repeat(65)}@example.net`,
    ])
      expect([address, await adapter.send(attemptTo(address))]).toEqual([
        address,
        { kind: 'permanent', reason: 'no mail address' },
      ]);
    expect(taken).toEqual([]);
  });
});
