/**
 * What the simulated SMSC delivers to its clients by deliver_sm: receipts, with the informal text of SMPP 3.4 appendix B and
 * the TLVs beside it, and what people write. It waits until a receiver is bound and is sent again until it is acknowledged.
 */
import { PDU, type Session } from 'smpp';
import type { Delays } from '../delays.ts';

const RETRY_MS = 300;
const PATIENCE_MS = 5_000;

export interface Receipt {
  readonly id: string;
  readonly status: 'delivered' | 'expired';
  readonly source: string;
  readonly destination: string;
  readonly text: string;
  readonly at: number;
}

/** One short message of a person; a long text is several with a header each (3GPP TS 23.040 section 9.2.3.24.1). */
export interface FromPhone {
  readonly from: string;
  readonly to: string;
  readonly dataCoding: 0 | 8;
  readonly udh: boolean;
  readonly bytes: Uint8Array;
}

export interface ReceiptQueue {
  send(receipt: Receipt | FromPhone): void;
  /** A session that takes receipts was bound: what waits may go. */
  pump(): void;
  /** Hands over a deliver_sm_resp. */
  answered(session: Session, pdu: PDU): void;
  /** The session is gone, and with it every acknowledgement it owed. */
  lost(session: Session): void;
  /** Resolves when every receipt has been acknowledged, or the simulator stops. */
  idle(): Promise<void>;
}

export function createReceiptQueue(receiver: () => Session | undefined, delays: Delays): ReceiptQueue {
  const waiting: (Receipt | FromPhone)[] = [];
  const sent = new Map<string, (acknowledged: boolean) => void>();
  const idlers = new Set<() => void>();
  const keys = new WeakMap<Session, number>();
  let sessions = 0;

  const keyOf = (session: Session, sequence: number): string => {
    const known = keys.get(session) ?? ++sessions;
    keys.set(session, known);
    return `${known} ${sequence}`;
  };

  async function submit(session: Session, receipt: Receipt | FromPhone): Promise<void> {
    const pdu = 'status' in receipt ? receiptPdu(receipt) : messagePdu(receipt);
    const acknowledged = session.send(pdu) && (await acknowledgement(keyOf(session, pdu.sequence_number)));
    if (acknowledged) settle();
    else if (await delays.pause(RETRY_MS)) {
      waiting.push(receipt);
      pump();
    }
  }

  async function acknowledgement(key: string): Promise<boolean> {
    const answer = Promise.withResolvers<boolean>();
    sent.set(key, answer.resolve);
    const timer = setTimeout(answer.resolve, PATIENCE_MS, false);
    delays.signal.addEventListener('abort', () => answer.resolve(false), { once: true });
    const acknowledged = await answer.promise;
    clearTimeout(timer);
    sent.delete(key);
    return acknowledged;
  }

  function settle(): void {
    if (waiting.length + sent.size > 0) return;
    for (const idler of idlers) idler();
    idlers.clear();
  }

  function pump(): void {
    const session = receiver();
    if (session === undefined) return;
    for (const receipt of waiting.splice(0)) void submit(session, receipt);
  }

  return {
    send(receipt) {
      waiting.push(receipt);
      pump();
    },
    pump,
    answered(session, pdu) {
      sent.get(keyOf(session, pdu.sequence_number))?.(pdu.command_status === 0);
    },
    lost(session) {
      const prefix = `${keys.get(session)} `;
      for (const [key, settled] of [...sent]) if (key.startsWith(prefix)) settled(false);
    },
    idle() {
      if (waiting.length + sent.size === 0 || delays.signal.aborted) return Promise.resolve();
      return new Promise((resolve) => void idlers.add(resolve));
    },
  };
}

function messagePdu({ from, to, dataCoding, udh, bytes }: FromPhone): PDU {
  return new PDU('deliver_sm', {
    ...{ source_addr_ton: 1, source_addr_npi: 1, source_addr: from, destination_addr: to },
    esm_class: udh ? 0x40 : 0,
    data_coding: dataCoding,
    short_message: Buffer.from(bytes),
  });
}

function receiptPdu({ id, status, source, destination, text, at }: Receipt): PDU {
  const [stat, state, delivered] = status === 'delivered' ? ['DELIVRD', 2, '001'] : ['EXPIRED', 3, '000'];
  const date = new Date(at).toISOString().replace(/\D/g, '').slice(2, 12);
  const excerpt = text.replace(/[^\x20-\x7e]/g, '?').slice(0, 20);
  const receipt = `id:${id} sub:001 dlvrd:${delivered} submit date:${date} done date:${date} stat:${stat} err:000 text:${excerpt}`;
  return new PDU('deliver_sm', {
    source_addr_ton: 1,
    source_addr_npi: 1,
    source_addr: destination,
    destination_addr: source,
    esm_class: 0x04,
    data_coding: 0,
    short_message: Buffer.from(receipt, 'ascii'),
    receipted_message_id: id,
    message_state: state,
  });
}
