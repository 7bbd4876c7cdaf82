/**
 * The standing link to one SMSC: connects, binds as transceiver, and after every end binds again with growing pauses
 * until it is closed. A refused bind is kept apart from an SMSC that is away, because only an operator can mend it.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { PDU } from 'smpp';
import type { AdapterContext } from '../adapter.ts';
import type { SmsSmppSettings } from './config.ts';
import { openSession, type SmppSession } from './session.ts';
import { refusalOf } from './status.ts';

const SMPP_3_4 = 0x34;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;
/** A session shorter than this counts as one more failure, so that a flapping SMSC is not hammered. */
const STEADY_MS = 5_000;
const UNBIND_PATIENCE_MS = 2_000;

export type LinkState =
  | { readonly kind: 'bound'; readonly session: SmppSession }
  | { readonly kind: 'away'; readonly until: number; readonly reason: string }
  /** The SMSC, or our own password file, says that these credentials do not work. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface Link {
  /** How the link stands; waits while a bind is being tried. */
  ready(): Promise<LinkState>;
  close(): Promise<void>;
}

type Bind = Exclude<LinkState, { kind: 'away' }> | { readonly kind: 'failed'; readonly reason: string };

export function openLink(
  settings: SmsSmppSettings,
  context: AdapterContext,
  onDelivery: (pdu: PDU) => Promise<boolean>,
): Link {
  const closing = new AbortController();
  let standing: Promise<LinkState> | LinkState = { kind: 'away', until: 0, reason: 'not started' };

  async function stay(): Promise<void> {
    for (let failures = 0; !closing.signal.aborted; ) {
      const settled = Promise.withResolvers<LinkState>();
      standing = settled.promise;
      const started = context.now();
      const bind = await bindOnce(settings, context, onDelivery, closing.signal);
      if (bind.kind === 'bound') settled.resolve(bind);
      const reason = bind.kind === 'bound' ? await bind.session.ended : bind.reason;
      failures = bind.kind === 'bound' && context.now() - started >= STEADY_MS ? 0 : failures + 1;
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 10), LONGEST_PAUSE_MS);
      standing = bind.kind === 'refused' ? bind : { kind: 'away', until: context.now() + pauseMs, reason };
      settled.resolve(standing);
      await pause(Math.max(pauseMs, FIRST_PAUSE_MS), closing.signal);
    }
  }

  const staying = stay();
  return {
    async ready() {
      return await standing;
    },
    async close() {
      const state = await Promise.race([standing, Promise.resolve(undefined)]);
      if (state?.kind === 'bound') await part(state.session);
      closing.abort();
      await staying;
    },
  };
}

async function part(session: SmppSession): Promise<void> {
  const patience = setTimeout(() => session.destroy('unbind unanswered'), UNBIND_PATIENCE_MS);
  await session.unbind();
  clearTimeout(patience);
}

async function bindOnce(
  settings: SmsSmppSettings,
  context: AdapterContext,
  onDelivery: (pdu: PDU) => Promise<boolean>,
  signal: AbortSignal,
): Promise<Bind> {
  const password = await readPassword(settings, context);
  if (password === undefined) return { kind: 'refused', reason: 'password file unreadable or too long' };
  const socket = await connect(settings, signal);
  if (socket === undefined) return { kind: 'failed', reason: 'no connection' };
  const session = openSession(socket, {
    responseTimeoutMs: settings.response_timeout,
    enquireLinkMs: settings.enquire_link,
    onDelivery,
  });
  const destroy = (): void => session.destroy('closing');
  signal.addEventListener('abort', destroy, { once: true });
  void session.ended.then(() => signal.removeEventListener('abort', destroy));
  const reply = await session.request(bindTransceiver(settings, password));
  if (reply.kind === 'answered' && reply.pdu.command_status === 0) return { kind: 'bound', session };
  session.destroy('bind failed');
  if (reply.kind !== 'answered') return { kind: 'failed', reason: `bind ${reply.reason}` };
  const refusal = refusalOf(reply.pdu.command_status);
  return { kind: refusal.kind === 'retry-after' ? 'failed' : 'refused', reason: `bind ${refusal.reason}` };
}

/** At most eight octets beside the NUL (SMPP 3.4 section 5.2.2). */
async function readPassword(settings: SmsSmppSettings, context: AdapterContext): Promise<string | undefined> {
  try {
    const password = new TextDecoder().decode(await context.readSecret(settings.password_file));
    return /^[\x20-\x7e]{0,8}$/.test(password) ? password : undefined;
  } catch {
    return undefined;
  }
}

function bindTransceiver(settings: SmsSmppSettings, password: string): PDU {
  const { system_id, system_type } = settings;
  return new PDU('bind_transceiver', { system_id, password, system_type, interface_version: SMPP_3_4 });
}

/** A connected socket; `undefined` when the SMSC cannot be reached in time. */
function connect(settings: SmsSmppSettings, signal: AbortSignal): Promise<Socket | undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  const { host, port } = settings;
  // RFC 6066 section 3: an address is no server name; the certificate is held against it all the same.
  const named = isIP(host) === 0 ? { servername: host } : {};
  const socket = settings.tls ? connectTls({ host, port, ...named }) : connectTcp({ host, port });
  return new Promise((resolve) => {
    const settle = (connected: boolean): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', fail);
      socket.off('close', fail);
      if (!connected) socket.destroy();
      resolve(connected ? socket : undefined);
    };
    const fail = (): void => settle(false);
    const timer = setTimeout(fail, settings.response_timeout);
    signal.addEventListener('abort', fail, { once: true });
    socket.on('error', () => undefined);
    socket.on('close', fail);
    socket.once(settings.tls ? 'secureConnect' : 'connect', () => settle(true));
  });
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done, { once: true });
  });
}
