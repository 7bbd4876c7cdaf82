/**
 * A relay (RFC 5321) that does as a script says at one point of the dialogue, byte for byte, which mail servers made to work
 * cannot be brought to; and the reports (RFC 3464) other servers would send about what it took.
 */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

export interface RelayScript {
  readonly at: 'CONNECT' | 'MAIL' | 'RCPT' | 'end';
  /** A reply, or what comes in place of one. */
  readonly does: { readonly reply: string } | 'reset' | 'silence' | 'drip' | 'flood';
  /** Whether a mail that got that far is taken all the same. */
  readonly takes?: true;
}

export interface RelayedMail {
  readonly to: string;
  /** `ENVID` of RFC 3461. */
  readonly envelopeId: string;
  readonly messageId: string;
  readonly raw: string;
}

export interface ScriptedRelay {
  readonly port: number;
  readonly mails: readonly RelayedMail[];
  /** For every dialogue from now on, or for the next `times`. */
  play(script: RelayScript | undefined, times?: number): void;
  stop(): Promise<void>;
}

export interface RelayOptions {
  /** TLS from the first byte. */
  readonly certificate?: { readonly key: Buffer | string; readonly cert: Buffer | string };
  /** A mail was taken as it should be; `answer` says so to whoever sent it. */
  readonly taken?: (mail: RelayedMail, answer: () => void) => Promise<void>;
}

const answerOnly = async (_mail: RelayedMail, answer: () => void) => answer();
const REPLIES: Readonly<Record<string, string>> = {
  EHLO: '250-relay\r\n250-8BITMIME\r\n250 DSN',
  DATA: '354 go ahead',
  QUIT: '221 2.0.0 bye',
};
const END_OF_LINE = '\r\n';
const END_OF_MAIL = '\r\n.\r\n';
const DRIP_EACH_MS = 60;
const FLOOD = 'x'.repeat(256 * 1024);

export async function startRelay({ certificate, taken = answerOnly }: RelayOptions = {}): Promise<ScriptedRelay> {
  const mails: RelayedMail[] = [];
  const sockets = new Set<Socket>();
  const reporting = new Set<Promise<void>>();
  let script: RelayScript | undefined;
  let left = Number.POSITIVE_INFINITY;

  function converse(socket: Socket): void {
    const scripted = script;
    let rest = '';
    let isMail = false;
    let mail = { to: '', envelopeId: '' };

    /** Whether the script has its way here. */
    function interrupts(point: RelayScript['at']): boolean {
      if (scripted?.at !== point) return false;
      left -= 1;
      if (left <= 0) script = undefined;
      act(socket, scripted);
      return true;
    }
    const say = (reply: string) => void socket.write(reply + END_OF_LINE);

    function command(line: string): void {
      const [verb = ''] = line.toUpperCase().split(/[ :]/, 1);
      if ((verb === 'MAIL' || verb === 'RCPT') && interrupts(verb)) return;
      if (verb === 'MAIL') mail = { to: '', envelopeId: /ENVID=(\S+)/.exec(line)?.[1] ?? '' };
      if (verb === 'RCPT') mail = { ...mail, to: /<([^>]*)>/.exec(line)?.[1] ?? '' };
      if (verb === 'DATA') isMail = true;
      say(REPLIES[verb] ?? '250 2.0.0 ok');
      if (verb === 'QUIT') socket.end();
    }

    function whole(raw: string): void {
      isMail = false;
      const messageId = /^Message-ID: <([^>]+)>/im.exec(raw)?.[1] ?? '';
      const received = { ...mail, messageId, raw };
      if (scripted?.at !== 'end' || scripted.takes) mails.push(received);
      if (interrupts('end')) return;
      const answer = () => say('250 2.0.0 queued');
      const told = taken(received, answer).finally(() => reporting.delete(told));
      reporting.add(told);
    }

    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      rest += chunk;
      for (;;) {
        const end = isMail ? END_OF_MAIL : END_OF_LINE;
        const at = rest.indexOf(end);
        if (at < 0) return;
        const piece = rest.slice(0, at);
        rest = rest.slice(at + end.length);
        if (isMail) whole(piece);
        else command(piece);
      }
    });
    if (!interrupts('CONNECT')) say('220 relay ESMTP');
  }

  const server = certificate === undefined ? createServer(converse) : createTlsServer({ ...certificate }, converse);
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    mails,
    play(next, times = Number.POSITIVE_INFINITY) {
      script = next;
      left = times;
    },
    async stop() {
      if (!server.listening) return;
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
      await Promise.allSettled(reporting);
    },
  };
}

function act(socket: Socket, { does }: RelayScript): void {
  if (typeof does === 'object') return void socket.write(does.reply + END_OF_LINE);
  if (does === 'reset') return void socket.destroy();
  if (does === 'flood') return void socket.write(FLOOD);
  if (does === 'silence') return;
  const bytes = [...`250-${'.'.repeat(1000)}`];
  const timer = setInterval(() => socket.write(bytes.shift() ?? '.'), DRIP_EACH_MS);
  socket.on('close', () => clearInterval(timer));
}

/** That a mail was laid into its mailbox, as the server that did so reports it. */
export function reportOf({ envelopeId, messageId, to }: Omit<RelayedMail, 'raw'>): string {
  return [
    'Return-Path: <>',
    'From: Mail Delivery Subsystem <MAILER-DAEMON@mail.example>',
    'Subject: Delivered',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status; boundary="part"',
    '',
    '--part',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mail.example',
    `Original-Envelope-Id: ${envelopeId}`,
    '',
    `Final-Recipient: rfc822;${to}`,
    'Action: delivered',
    'Status: 2.0.0',
    '',
    '--part',
    'Content-Type: text/rfc822-headers',
    '',
    `Message-ID: <${messageId}>`,
    '',
    '--part--',
  ].join(END_OF_LINE);
}
