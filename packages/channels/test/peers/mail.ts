/**
 * Mail servers we did not write: Postfix's `smtp-sink`, which plays faults; maildev, whose parser reads mails back; and
 * `smtp-server`, for TLS, signing in and DSN.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MailDev } from 'maildev';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { until } from '../contract.ts';

export const SMTP_SINK = '/usr/sbin/smtp-sink';

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Answers as the options of smtp-sink(1) say; every mail it took whole is a file. */
export async function startSink(...options: string[]) {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'smtp-sink-'));
  // As root it insists on being somebody else, who must be able to write there.
  chmodSync(folder, 0o777);
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const dump = ['-d', join(folder, 'mail.')];
  const sink = spawn(SMTP_SINK, [...user, ...options, ...dump, `127.0.0.1:${port}`, '10'], { stdio: 'ignore' });
  const closed = once(sink, 'close');
  await until(() => listens(port), 'smtp-sink listens');
  const taken = () => readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1'));
  const stop = async () => {
    sink.kill();
    await closed;
    rmSync(folder, { recursive: true });
  };
  return { port, taken, stop };
}

async function listens(port: number): Promise<true | undefined> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

export interface ReadMail {
  readonly id: string;
  readonly subject: string;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly to: readonly { readonly address: string }[];
  readonly envelope: unknown;
  readonly attachments?: readonly {
    readonly fileName?: string;
    readonly contentType: string;
    readonly length: number;
  }[];
}

export async function startMaildev() {
  const [smtp, web] = [await freePort(), await freePort()];
  const maildev = new MailDev({ smtp, web, ip: '127.0.0.1', webIp: '127.0.0.1', silent: true });
  await maildev.start();
  const read = async (): Promise<ReadMail[]> => (await fetch(`http://127.0.0.1:${web}/api/email`)).json();
  /** The mail as it arrived. */
  const source = async (id: string) => (await fetch(`http://127.0.0.1:${web}/api/email/${id}/source`)).text();
  return { port: smtp, read, source, stop: () => maildev.stop() };
}

export interface TakenMail {
  readonly raw: string;
  readonly envelope: unknown;
  readonly secure: boolean;
  readonly user: string | undefined;
}

export async function startSmtpServer(options: SMTPServerOptions) {
  const taken: TakenMail[] = [];
  const server = new SMTPServer({
    logger: false,
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const raw = Buffer.concat(chunks).toString('latin1');
        const { envelope, secure, user } = session;
        taken.push({ raw, envelope, secure, user: user === undefined ? undefined : String(user) });
        done();
      });
    },
    ...options,
  });
  // A client that does not trust the certificate breaks off, which the server tells as an error.
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  const stop = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return { port, taken, stop };
}

/** A certificate for 127.0.0.1 that is its own authority. */
export function issueCertificate(): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'relay-'));
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=relay.test'];
  const files = ['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', 'key.pem', '-out', 'cert.pem'];
  execFileSync('openssl', [...request, ...files], { cwd: folder, stdio: 'ignore' });
  const [key = '', cert = ''] = ['key.pem', 'cert.pem'].map((name) => readFileSync(join(folder, name), 'utf8'));
  rmSync(folder, { recursive: true });
  return { key, cert };
}
