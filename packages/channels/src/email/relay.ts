/**
 * One dialogue with the relay (RFC 5321), one connection for each mail, and how it ended: taken, refused by a reply, or broken
 * off. Whether the relay may have taken a mail turns on one moment: it must not act before the end of the data (section
 * 4.1.1.4), so a dialogue that broke before our last byte was given has no effect, and one that broke after it may have.
 */
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { EmailSettings } from './config.ts';
import { parseFailure, type RelayFailure } from './failure-schema.ts';

export interface Envelope {
  readonly from: string;
  readonly to: string;
  /** What a delivery report names the mail by (RFC 3461 section 4.4). */
  readonly id: string;
}

export interface RelaySecrets {
  readonly password: string | undefined;
  readonly ca: string | undefined;
}

export type Handing =
  | { readonly kind: 'taken' }
  /** `given`: the whole mail had left us. `connected`: the relay had let us in. */
  | { readonly kind: 'failed'; readonly connected: boolean; readonly given: boolean; readonly failure: RelayFailure };

export interface Relay {
  hand(envelope: Envelope, mail: Uint8Array, secrets: RelaySecrets): Promise<Handing>;
  close(): void;
}

/** Waits of one dialogue: to be let in, to sign in, for the envelope, for the mail. Bounds a relay that answers by drips. */
const WAITS = 4;

export function createRelay(settings: EmailSettings): Relay {
  const open = new Set<SMTPConnection>();

  return {
    async hand(envelope, mail, secrets) {
      const connection = new SMTPConnection(optionsOf(settings, secrets));
      open.add(connection);
      connection.once('end', () => open.delete(connection));
      let connected = false;
      let given = false;
      /** Runs on to the flag only when the last of the mail has been asked for. */
      function* whole() {
        yield mail;
        given = true;
      }
      async function dialogue(): Promise<void> {
        await promisify<void>((done) => connection.connect(done))();
        connected = true;
        if (settings.username !== undefined) await login(connection, settings.username, secrets.password ?? '');
        await send(connection, envelope, mail.byteLength, Readable.from(whole()));
      }
      try {
        await Promise.race([dialogue(), brokenOff(connection, settings.timeout * WAITS)]);
        connection.quit();
        return { kind: 'taken' };
      } catch (error) {
        connection.close();
        return { kind: 'failed', connected, given, failure: parseFailure(error) };
      }
    },
    close() {
      for (const connection of open) connection.close();
    },
  };
}

function optionsOf(settings: EmailSettings, { ca }: RelaySecrets): SMTPConnection.Options {
  const { host, port, tls, unsafe_plaintext: plain, from, timeout } = settings;
  return {
    host,
    port,
    name: from.slice(from.lastIndexOf('@') + 1),
    secure: tls === 'implicit' && !plain,
    requireTLS: !plain,
    ignoreTLS: plain,
    tls: { minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) },
    connectionTimeout: timeout,
    greetingTimeout: timeout,
    dnsTimeout: timeout,
    socketTimeout: timeout,
    // Replies are short; a relay that never ends one is not heard out.
    maxResponseSize: 65_536,
    logger: false,
  };
}

function login(connection: SMTPConnection, user: string, pass: string): Promise<void> {
  return promisify<void>((done) => connection.login({ user, pass }, (error) => done(error)))();
}

function send(connection: SMTPConnection, { from, to, id }: Envelope, size: number, mail: Readable): Promise<void> {
  const dsn = { ret: 'HDRS', envid: id, notify: ['SUCCESS', 'FAILURE'], orcpt: `rfc822;${to}` };
  return promisify<void>((done) => connection.send({ from, to, size, dsn }, mail, (error) => done(error)))();
}

/** Never resolves. What breaks outside a command is told by events, which must be listened to to the end. */
function brokenOff(connection: SMTPConnection, limitMs: number): Promise<never> {
  return new Promise((_resolve, reject) => {
    connection.on('error', reject);
    connection.once('end', () => reject(Object.assign(new Error('ended'), { code: 'ECONNECTION' })));
    AbortSignal.timeout(limitMs).addEventListener('abort', () =>
      reject(Object.assign(new Error('too slow'), { code: 'ETIMEDOUT' })),
    );
  });
}
