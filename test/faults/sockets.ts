/**
 * The adapters that speak no HTTP. Each fault has a peer and a vendor of its own from the start to the end: a standing link
 * remembers how the last one ended, and waits.
 */
import { openSmsc } from '../../packages/channels/test/peers/faulty-smsc.ts';
import {
  type RelayedMail,
  type RelayScript,
  reportOf,
  startRelay,
} from '../../packages/channels/test/peers/scripted-relay.ts';
import type { Certificate } from './certificate.ts';
import type { FaultName } from './kinds.ts';
import type { Hook } from './providers.ts';

export interface Peer {
  readonly port: number;
  /** How many messages it took. */
  taken(): number;
  close(): Promise<void>;
}

export interface Around {
  /** Where the fault is in the certificate. */
  readonly certificate: Certificate | undefined;
  readonly report: (hook: Hook) => Promise<number>;
}

export interface SocketProvider {
  readonly name: 'sms-smpp' | 'email';
  readonly files: Readonly<Record<string, string>>;
  settings(port: number, tls: boolean): object;
  address(number: number): string;
  /** Faults that have no form here, and why. */
  readonly cannot: Partial<Record<FaultName, string>>;
  open(fault: FaultName, around: Around): Promise<Peer>;
}

const TIMEOUT = '300ms';

const smsSmpp: SocketProvider = {
  name: 'sms-smpp',
  files: { password: 'secret' },
  settings: (port, tls) => ({
    host: '127.0.0.1',
    port,
    tls,
    system_id: 'sealpost',
    password_file: 'password',
    source_address: 'Acme',
    response_timeout: TIMEOUT,
  }),
  address: (number) => `+491511234${String(1000 + number)}`,
  cannot: { 'receipt-forged': 'nothing is signed: receipts come over a link we opened ourselves' },
  open: (fault, { certificate }) => openSmsc(fault, certificate),
};

const HOOK_TOKEN = 'hook-token-1';
const SCRIPTS: Partial<Record<FaultName, RelayScript>> = {
  'rate-limited': { at: 'RCPT', does: { reply: '450 4.7.1 slow down' } },
  failing: { at: 'end', does: { reply: '451 4.3.0 queue file write error' } },
  unavailable: { at: 'CONNECT', does: { reply: '421 4.3.2 shutting down' } },
  unauthorized: { at: 'MAIL', does: { reply: '530 5.7.0 sign in first' } },
  reset: { at: 'end', does: 'reset' },
  'silent-before-effect': { at: 'end', does: 'silence' },
  'silent-after-effect': { at: 'end', does: 'silence', takes: true },
  drip: { at: 'end', does: 'drip', takes: true },
  malformed: { at: 'end', does: { reply: 'It works!' }, takes: true },
  oversized: { at: 'end', does: 'flood', takes: true },
};

const email: SocketProvider = {
  name: 'email',
  files: { token: HOOK_TOKEN },
  settings: (port, tls) => ({
    host: '127.0.0.1',
    port,
    ...(tls ? { tls: 'implicit' } : { unsafe_plaintext: true }),
    from: 'alerts@sealpost.example',
    webhook_token_file: 'token',
    timeout: TIMEOUT,
  }),
  address: (number) => `person-${number}@example.net`,
  cannot: {},
  async open(fault, { certificate, report }) {
    const handIn = async (mail: Omit<RelayedMail, 'raw'>) => {
      const token = fault === 'receipt-forged' ? 'another token' : HOOK_TOKEN;
      const answer = await report({ headers: { authorization: `Bearer ${token}` }, body: reportOf(mail) });
      if (answer !== (fault === 'receipt-forged' ? 401 : 200)) throw new Error(`a report was answered ${answer}`);
    };
    const relay = await startRelay({
      ...(certificate === undefined ? {} : { certificate }),
      async taken(mail, answer) {
        if (fault === 'receipt-early') await handIn(mail);
        answer();
        const unknown = '00000000-0000-4000-8000-000000000000';
        const stranger = { ...mail, envelopeId: unknown, messageId: `${unknown}@sealpost.example` };
        if (fault === 'receipt-unknown') await handIn(stranger);
        if (fault !== 'receipt-early') await handIn(mail);
        if (fault === 'receipt-twice') await handIn(mail);
      },
    });
    relay.play(SCRIPTS[fault]);
    if (fault === 'refused') await relay.stop();
    return { port: relay.port, taken: () => relay.mails.length, close: () => relay.stop() };
  },
};

export const SOCKET_PROVIDERS: readonly SocketProvider[] = [smsSmpp, email];
