/** Mail that is handed in: whose it is, delivery reports in the form of RFC 3464, and what people write back. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAdapter, type RawWebhook } from '../src/index.ts';
import { contextOf } from './recorded-provider.ts';

const ID = '7f000000-0000-4000-8000-000000000001';
const NAME = `${ID}@sealpost.example`;
const SETTINGS = { host: '127.0.0.1', from: 'alerts@sealpost.example', webhook_token_file: 'token' };
const AT = Date.UTC(2026, 10, 24, 5, 0, 0);
const bytes = (text: string) => new TextEncoder().encode(text);

function post(mail: string, token = 'token-1'): RawWebhook {
  return { method: 'POST', query: '', headers: { Authorization: `Bearer ${token}` }, body: bytes(mail) };
}
async function read(request: RawWebhook, change: object = {}) {
  const adapter = createAdapter('email', { ...SETTINGS, ...change }, contextOf({ token: 'token-1' }));
  return adapter.webhook?.(request);
}
const crlf = (lines: readonly string[]) => lines.join('\r\n');

/** RFC 3464 appendix E, "simple DSN", with our names in it. */
function report(
  perMessage: readonly string[],
  perRecipient: readonly string[],
  returned: readonly string[] = [],
): string {
  return crlf([
    'Return-Path: <>',
    'Date: Tue, 24 Nov 2026 05:00:00 +0000',
    'From: Mail Delivery Subsystem <MAILER-DAEMON@cs.utk.example>',
    'To: <alerts@sealpost.example>',
    'Subject: Returned mail: Cannot send message for 5 days',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status;',
    '\tboundary="RAA14128.773615765/CS.UTK.EDU"',
    'Auto-Submitted: auto-replied',
    '',
    'preamble',
    '--RAA14128.773615765/CS.UTK.EDU',
    '',
    'The original message was received a while ago. alice@example.net',
    '--RAA14128.773615765/CS.UTK.EDU',
    'content-type: message/delivery-status',
    '',
    ...perMessage,
    '',
    ...perRecipient,
    '',
    '--RAA14128.773615765/CS.UTK.EDU',
    'content-type: text/rfc822-headers',
    '',
    ...returned,
    '',
    '--RAA14128.773615765/CS.UTK.EDU--',
  ]);
}
const recipient = (action: string, status: string) => [
  'Final-Recipient: rfc822;alice@example.net',
  `Action: ${action}`,
  `Status: ${status}`,
  'Diagnostic-Code: smtp; 550 user alice unknown',
];
const envelope = ['Reporting-MTA: dns; cs.utk.example', `Original-Envelope-Id: ${ID}`];

describe('a delivery report', () => {
  it.each([
    ['failed', '5.1.1', 'failed'],
    ['failed', '4.4.7', 'expired'],
    ['Failed', '5.4.7 (expired)', 'expired'],
    ['delivered', '2.1.5', 'delivered'],
  ])('of %s with %s is %s, by codes alone', async (action, code, status) => {
    expect(await read(post(report(envelope, recipient(action, code))))).toEqual({
      kind: 'events',
      receipts: [{ providerMessageIds: [NAME], status, at: AT, code: `${action.toLowerCase()} ${code.split(' ')[0]}` }],
      inbound: [],
    });
  });

  it.each(['delayed', 'relayed', 'expanded', 'constructor'])('of %s ends nothing', async (action) => {
    expect((await read(post(report(envelope, recipient(action, '4.4.1')))))?.kind).toBe('ignored');
  });

  it('that leaves out the envelope id names the mail by the header it returns', async () => {
    const mail = report(['Reporting-MTA: dns; x'], recipient('failed', '5.1.1'), [
      `Message-ID: <${NAME}>`,
      'To: alice',
    ]);
    expect(await read(post(mail))).toMatchObject({ receipts: [{ providerMessageIds: [NAME], status: 'failed' }] });
  });

  it('that names nothing is ignored', async () => {
    expect((await read(post(report(['Reporting-MTA: dns; x'], recipient('failed', '5.1.1')))))?.kind).toBe('ignored');
  });
});

describe('a reply', () => {
  const HEAD = [
    'From: "Smith, Alice <x@y.example>" <Alice@example.net>',
    'To: alerts@sealpost.example',
    'Date: Tue, 24 Nov 2026 06:00:00 +0100',
    'Message-ID: <reply-1@example.net>',
    `In-Reply-To: <${NAME}>`,
    'Subject: Re: A message for you',
  ];
  const reply = (body: readonly string[], head: readonly string[] = []) => post(crlf([...HEAD, ...head, '', ...body]));
  async function said(request: RawWebhook, change: object = {}) {
    const result = await read(request, change);
    return result?.kind === 'events' ? result.inbound : result?.kind;
  }
  const contents = async (request: RawWebhook) => {
    const inbound = await said(request);
    return Array.isArray(inbound) ? inbound.map(({ content }) => content) : inbound;
  };

  it('is told with who wrote it, when, and about what', async () => {
    expect(await said(reply(['On it.']))).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f]{64}$/),
        address: 'Alice@example.net',
        at: AT,
        about: NAME,
        content: { kind: 'text', text: 'On it.' },
      },
    ]);
  });

  it('is told once however often it is handed in, and a Message-ID taken from another sender hides nobody', async () => {
    const id = async (request: RawWebhook) => {
      const inbound = await said(request);
      return Array.isArray(inbound) ? inbound[0]?.id : undefined;
    };
    const first = await id(reply(['On it.'], ['Received: by mx1']));
    expect(await id(reply(['On it.'], ['Received: by mx2']))).toBe(first);
    const stolen = crlf(['From: mallory@example.org', 'Message-ID: <reply-1@example.net>', '', 'On it.']);
    expect(await id(post(stolen))).not.toBe(first);
  });

  it.each([
    ['above what a program quoted', ['STOP', '', 'On Tue, 24 Nov 2026 Acme wrote:', '> Disk full', '>', '> STOP it']],
    [
      'above a folded attribution',
      ['Stop.', '', 'On Tue, 24 Nov 2026 at 05:00,', 'Acme <a@b.c> wrote:', '> Disk full'],
    ],
    ['above Outlook’s header', ['unsubscribe', '', '________________________________', 'From: Acme', 'Sent: Tuesday']],
    ['above a divider', ['STOP', '-----Original Message-----', 'From: Acme', 'Disk full']],
    ['above a signature', ['STOP', '-- ', 'Alice Smith', 'Example Ltd']],
    ['alone', ['', '  stop  ', '']],
  ])('of STOP %s ends the mail', async (_where, body) => {
    expect(await contents(reply(body))).toEqual([{ kind: 'opt-out' }]);
  });

  it('of STOP inside a sentence, or only in what is quoted, ends nothing', async () => {
    expect(await contents(reply(['Stop the server']))).toEqual([{ kind: 'text', text: 'Stop the server' }]);
    const quoted = ['Which one?', '> STOP'];
    expect(await contents(reply(quoted))).toEqual([{ kind: 'text', text: quoted.join('\n') }]);
  });

  it('of STOP is read out of HTML, base64, quoted-printable and other charsets', async () => {
    const html =
      '<html><head><style>p{}</style></head><body><div>Stop</div><blockquote><p>Disk full</p></blockquote></body></html>';
    expect(await contents(reply([html], ['Content-Type: text/html; charset=utf-8']))).toEqual([{ kind: 'opt-out' }]);
    const base64 = ['Content-Type: text/plain; charset="utf-16le"', 'Content-Transfer-Encoding: base64'];
    expect(await contents(reply([Buffer.from('stop', 'utf16le').toString('base64')], base64))).toEqual([
      { kind: 'opt-out' },
    ]);
    const quoted = ['Content-Type: text/plain; charset=iso-8859-1', 'Content-Transfer-Encoding: quoted-printable'];
    expect(await contents(reply(['Gr=FC=DFe, =', 'ok'], quoted))).toEqual([{ kind: 'text', text: 'Grüße, ok' }]);
  });

  it('by the button List-Unsubscribe gives is an opt-out, whatever the program adds', async () => {
    const mail = crlf(['From: alice@example.net', 'Subject: =?utf-8?Q?unsubscribe?=', '', 'Sent by a mail program.']);
    expect(await contents(post(mail))).toEqual([
      { kind: 'opt-out' },
      { kind: 'text', text: 'Sent by a mail program.' },
    ]);
  });

  it('brings the names of its files', async () => {
    const body = [
      '--b',
      'Content-Type: multipart/alternative; boundary=c',
      '',
      '--c',
      'Content-Type: text/plain',
      '',
      'Look',
      '--c',
      'Content-Type: text/html',
      '',
      '<p>Look</p>',
      '--c--',
      '--b',
      'Content-Type: image/png',
      'Content-Disposition: attachment; filename="=?utf-8?B?w7wucG5n?="',
      '',
      'AAAA',
      '--b--',
    ];
    expect(await contents(reply(body, ['Content-Type: multipart/mixed; boundary=b']))).toEqual([
      { kind: 'text', text: 'Look' },
      { kind: 'file', name: 'ü.png', mediaType: 'image/png' },
    ]);
  });

  it.each([
    ['Auto-Submitted: auto-replied'],
    ['Return-Path: <>'],
    ['Content-Type: multipart/report; report-type=disposition-notification; boundary=x'],
  ])('written by a program (%s) is nobody’s words', async (header) => {
    expect(await said(reply(['STOP'], [header]))).toBe('ignored');
  });

  it('counts only if our own server proved its sender, where the settings name that server', async () => {
    const named = { authserv_id: 'mx.sealpost.example' };
    const proved = 'Authentication-Results: mx.sealpost.example; spf=pass; dmarc=pass header.from=example.net';
    const failed = 'Authentication-Results: mx.sealpost.example; dmarc=fail header.from=example.net';
    const forged = 'Authentication-Results: mx.other.example; dmarc=pass';
    expect(await said(reply(['STOP'], [proved]), named)).toMatchObject([{ content: { kind: 'opt-out' } }]);
    for (const headers of [[], [failed], [forged], [failed, proved], [forged, failed]])
      expect(await said(reply(['STOP'], headers), named)).toBe('ignored');
  });

  it('of no one sender is malformed', async () => {
    for (const from of ['nobody', 'a@b.example, c@d.example', 'undisclosed:;', ''])
      expect((await read(post(crlf([`From: ${from}`, '', 'STOP']))))?.kind).toBe('malformed');
    expect((await read(post(crlf(['From: a@b.example', 'From: c@d.example', '', 'STOP']))))?.kind).toBe('malformed');
  });
});

describe('what is handed in', () => {
  it('without the token is forged, and too much of it malformed', async () => {
    const mail = crlf(['From: alice@example.net', '', 'STOP']);
    expect(await read(post(mail, 'token-2'))).toEqual({ kind: 'forged' });
    expect(await read({ ...post(mail), headers: {} })).toEqual({ kind: 'forged' });
    expect((await read({ ...post(mail), body: new Uint8Array(600_000) }))?.kind).toBe('malformed');
    expect((await read({ ...post(mail), method: 'GET' }))?.kind).toBe('malformed');
    const adapter = createAdapter('email', SETTINGS, contextOf({}));
    expect(await adapter.webhook?.(post(mail, ''))).toEqual({ kind: 'forged' });
  });

  it('never makes it throw, whatever the bytes', async () => {
    const piece = fc.constantFrom(
      'Content-Type: multipart/report; boundary=b\r\n',
      'Content-Type: text/html; charset=\xff\r\n',
      'From: a@b.example\r\n',
      '\r\n',
      '--b\r\n',
      '--b--\r\n',
      'Content-Type: message/delivery-status\r\n',
      'Action: failed\r\n',
      '> x\r\n',
      '=?utf-8?Q?=ZZ?=',
      '<blockquote',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(piece, fc.string({ unit: 'binary' })), { maxLength: 40 }), async (pieces) => {
        expect((await read(post(pieces.join(''))))?.kind).toMatch(/events|ignored|malformed/);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['one field many times', `From: a@b.example\n${'a:\n'.repeat(150_000)}\nx`],
    ['marks before a word', `From: a@b.example\n\n${'!'.repeat(190_000)}x`],
    [
      'blanks before an equals sign',
      `From: a@b.example\nContent-Transfer-Encoding: quoted-printable\n\n${' '.repeat(190_000)}x`,
    ],
    ['tags that never end', `From: a@b.example\nContent-Type: text/html\n\n${'<style '.repeat(60_000)}`],
    ['quotes that never end', `From: a@b.example\nContent-Type: text/html\n\n${'<blockquote '.repeat(40_000)}`],
    ['dashes', `From: a@b.example\n\n${'-'.repeat(190_000)}x`],
    [
      'delimiters within delimiters',
      `From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n${'--b\nContent-Type: multipart/mixed; boundary=b\n\n'.repeat(10_000)}`,
    ],
  ])(
    'is read in one pass, though it be made to take longer: %s',
    async (_what, mail) => {
      expect((await read(post(mail)))?.kind).toMatch(/events|ignored|malformed/);
    },
    10_000,
  );
});
