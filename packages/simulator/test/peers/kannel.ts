/**
 * Debian's Kannel as an ESME against our SMSC: a real SMPP client of somebody else, with its own codec, its own reading of
 * receipts and its own idea of when a link is up. Its ports cannot be 0, so free ones are asked of the system first.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../harness.ts';

/** Why the peer cannot run here; `undefined` when it can. */
export function kannelAbsent(): string | undefined {
  if (existsSync('/usr/sbin/bearerbox') && existsSync('/usr/sbin/smsbox')) return undefined;
  const reason = 'needs kannel: apt-get install kannel';
  if (process.env.SEALPOST_REQUIRE_PEERS === '1') throw new Error(reason);
  return reason;
}

export interface Kannel {
  /** Hands a text to Kannel's HTTP interface; answers its status. */
  send(to: string, text: string, change?: Readonly<Record<string, string>>): Promise<number>;
  /** What people wrote, as Kannel read it: `from`, `to`, `text`. */
  readonly written: readonly URLSearchParams[];
  /** What Kannel told the application: `dlr` with its kind (1 delivered, 2 failed, 8 taken by the SMSC), and the SMSC's id. */
  readonly told: readonly URLSearchParams[];
  stop(): Promise<void>;
}

export async function startKannel(smsc: { port: number; systemId: string; password: string }): Promise<Kannel> {
  const told: URLSearchParams[] = [];
  const written: URLSearchParams[] = [];
  const application = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://application');
    (pathname === '/written' ? written : told).push(searchParams);
    response.end();
  });
  application.listen(0, '127.0.0.1');
  await once(application, 'listening');
  const { port: applicationPort } = application.address() as AddressInfo;
  const [admin, smsbox, sendsms] = [await freePort(), await freePort(), await freePort()] as const;
  const folder = await mkdtemp(join(tmpdir(), 'sealpost-kannel-'));
  const file = join(folder, 'kannel.conf');
  await writeFile(file, configuration({ admin, smsbox, sendsms, smsc, application: applicationPort }));
  const children: ChildProcess[] = [];
  const run = (program: string) => children.push(spawn(program, ['-v', '4', file], { stdio: 'ignore', cwd: folder }));

  run('/usr/sbin/bearerbox');
  await until(() => isOpen(smsbox), 'bearerbox listens');
  run('/usr/sbin/smsbox');
  await until(() => isOpen(sendsms), 'smsbox listens');

  return {
    told,
    written,
    async send(to, text, change = {}) {
      const dlr = `http://127.0.0.1:${applicationPort}/?kind=%d&id=%F`;
      const query = new URLSearchParams({
        ...{ username: 'u', password: 'p', from: 'Acme', to, text },
        ...{ 'dlr-mask': '31', 'dlr-url': dlr },
        ...change,
      });
      const answer = await fetch(`http://127.0.0.1:${sendsms}/cgi-bin/sendsms?${query}`);
      await answer.arrayBuffer();
      return answer.status;
    },
    async stop() {
      for (const child of children.reverse()) {
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      }
      application.closeAllConnections();
      application.close();
      await once(application, 'close');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Ports {
  readonly admin: number;
  readonly smsbox: number;
  readonly sendsms: number;
  readonly application: number;
  readonly smsc: { readonly port: number; readonly systemId: string; readonly password: string };
}

function configuration({ admin, smsbox, sendsms, application, smsc }: Ports): string {
  const group = (name: string, members: Readonly<Record<string, string | number>>) =>
    [`group = ${name}`, ...Object.entries(members).map(([key, value]) => `${key} = ${value}`), ''].join('\n');
  return [
    group('core', {
      'admin-port': admin,
      'admin-password': 'admin',
      'admin-interface': '127.0.0.1',
      'smsbox-port': smsbox,
      'smsbox-interface': '127.0.0.1',
      'dlr-storage': 'internal',
      'box-allow-ip': '"127.0.0.1"',
    }),
    group('smsc', {
      smsc: 'smpp',
      'smsc-id': 'sealpost',
      host: '127.0.0.1',
      port: smsc.port,
      'transceiver-mode': 'true',
      'smsc-username': smsc.systemId,
      'smsc-password': smsc.password,
      'system-type': '""',
      'enquire-link-interval': 1,
      'interface-version': 34,
      'reconnect-delay': 1,
    }),
    group('smsbox', {
      'bearerbox-host': '127.0.0.1',
      'sendsms-port': sendsms,
      'sendsms-interface': '127.0.0.1',
    }),
    group('sms-service', {
      keyword: 'default',
      'get-url': `"http://127.0.0.1:${application}/written?from=%p&to=%P&text=%a"`,
      'catch-all': 'true',
      concatenation: 'true',
      'max-messages': 0,
    }),
    group('sendsms-user', { username: 'u', password: 'p', concatenation: 'true', 'max-messages': 10 }),
  ].join('\n');
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** `true` when something listens there; `undefined` otherwise, so that `until` asks again. */
async function isOpen(port: number): Promise<true | undefined> {
  const socket = connect({ host: '127.0.0.1', port });
  const open = await Promise.race([
    once(socket, 'connect').then(() => true as const),
    once(socket, 'error').then(() => undefined),
  ]).catch(() => undefined);
  socket.destroy();
  return open;
}
