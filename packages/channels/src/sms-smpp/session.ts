/**
 * One SMPP session over one connected socket, with guards around npm `smpp`: its response callbacks are never called when
 * the link drops, it neither answers nor watches `enquire_link`, and it leaves a socket open after a decoding error. Here
 * every request ends (answered, unsent or unanswered), and the session ends once, for a stated reason.
 */
import type { Socket } from 'node:net';
import { PDU, Session } from 'smpp';

const ESME_ROK = 0x00;
const ESME_RINVCMDID = 0x03;
/** Temporary application error: the SMSC keeps the message and tries again (SMPP 3.4 section 5.1.3). */
const ESME_RX_T_APPN = 0x64;

export type Reply =
  | { readonly kind: 'answered'; readonly pdu: PDU }
  /** Nothing left us. */
  | { readonly kind: 'unsent'; readonly reason: string }
  /** Sent, and no answer will come. */
  | { readonly kind: 'unanswered'; readonly reason: string };

export interface SessionOptions {
  readonly responseTimeoutMs: number;
  readonly enquireLinkMs: number;
  /** Resolves to whether the delivery may be acknowledged. */
  readonly onDelivery: (pdu: PDU) => Promise<boolean>;
}

export interface SmppSession {
  request(pdu: PDU): Promise<Reply>;
  /** Asks the SMSC to part, waits for its answer, then closes. */
  unbind(): Promise<void>;
  destroy(reason: string): void;
  /** Resolves once, when the session is over. */
  readonly ended: Promise<string>;
}

export function openSession(socket: Socket, options: SessionOptions): SmppSession {
  const session = new Session({ socket });
  const inFlight = new Map<number, (reply: Reply) => void>();
  const ended = Promise.withResolvers<string>();
  let over: string | undefined;

  function end(reason: string): void {
    if (over !== undefined) return;
    over = reason;
    clearInterval(enquiring);
    session.destroy();
    for (const settle of inFlight.values()) settle({ kind: 'unanswered', reason });
    ended.resolve(reason);
  }

  function send(pdu: PDU): boolean {
    try {
      return over === undefined && session.send(pdu);
    } catch {
      return false;
    }
  }

  function request(pdu: PDU): Promise<Reply> {
    if (over !== undefined) return Promise.resolve({ kind: 'unsent', reason: over });
    if (!send(pdu)) return Promise.resolve({ kind: 'unsent', reason: 'not writable' });
    const sequence = pdu.sequence_number;
    return new Promise((resolve) => {
      const settle = (reply: Reply): void => {
        clearTimeout(timer);
        inFlight.delete(sequence);
        resolve(reply);
      };
      const timer = setTimeout(settle, options.responseTimeoutMs, { kind: 'unanswered', reason: 'response timeout' });
      inFlight.set(sequence, settle);
    });
  }

  async function deliver(pdu: PDU): Promise<void> {
    const stored = await options.onDelivery(pdu).catch(() => false);
    send(pdu.response({ command_status: stored ? ESME_ROK : ESME_RX_T_APPN }));
  }

  function receive(pdu: PDU): void {
    if (pdu.isResponse()) {
      inFlight.get(pdu.sequence_number)?.({ kind: 'answered', pdu });
      return;
    }
    switch (pdu.command) {
      case 'enquire_link':
        send(pdu.response());
        return;
      case 'deliver_sm':
      case 'data_sm':
        void deliver(pdu);
        return;
      case 'unbind':
        send(pdu.response());
        end('unbound by the SMSC');
        return;
      case 'alert_notification':
      case 'outbind':
        return;
      default:
        send(new PDU('generic_nack', { command_status: ESME_RINVCMDID, sequence_number: pdu.sequence_number }));
    }
  }

  /** The link is alive only while enquiries are answered (node-smpp issue 204: its own enquiry has no time-out). */
  async function enquire(): Promise<void> {
    const reply = await request(new PDU('enquire_link'));
    if (reply.kind !== 'answered') end('enquire_link unanswered');
  }

  const enquiring = setInterval(() => void enquire(), options.enquireLinkMs);
  session.on('pdu', receive);
  session.on('error', () => end('link broken'));
  session.on('close', () => end('connection closed'));

  return {
    request,
    async unbind() {
      await request(new PDU('unbind'));
      end('unbound');
    },
    destroy: end,
    ended: ended.promise,
  };
}
