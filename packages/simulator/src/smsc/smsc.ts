/**
 * The simulated SMSC: an SMPP 3.4 server that binds clients, takes submit_sm, hands messages to phones and reports what
 * became of them. Receipts follow the submit response, unless a fault says otherwise.
 */
import { once } from 'node:events';
import { createServer, PDU, type Server, type Session } from 'smpp';
import type { Delays } from '../delays.ts';
import type { Fault, FaultKind, Faults } from '../faults.ts';
import type { PhoneEvent, Phones } from '../phones.ts';
import type { Traffic } from '../traffic.ts';
import type { WrittenOver } from '../written.ts';
import { fromPhone } from './from-phone.ts';
import { createMessageIds, type IdDialect, type IssuedId } from './message-ids.ts';
import { createReassembly, type WholeMessage } from './reassembly.ts';
import { createReceiptQueue, type Receipt } from './receipts.ts';
import { parseBind, parseSubmit, type Submit } from './submit-schema.ts';

export interface SmscOptions {
  readonly systemId: string;
  readonly password: string;
  readonly idDialect?: IdDialect | undefined;
}

export interface SmscSurroundings {
  readonly host: string;
  readonly port: number;
  readonly random: () => number;
  readonly phones: Phones;
  readonly traffic: Traffic;
  readonly faults: Faults;
  readonly delays: Delays;
}

export interface Smsc {
  readonly port: number;
  /** How many clients are bound. */
  bound(): number;
  /** A person's text, to whichever client is bound. */
  write(number: string, written: WrittenOver<'sms'>): void;
  stop(): Promise<void>;
}

const STATUS = {
  ROK: 0x00,
  RINVBNDSTS: 0x04,
  RALYBND: 0x05,
  RINVPASWD: 0x0e,
  RINVSYSID: 0x0f,
  RINVDSTADR: 0x0b,
} as const;
/** What a fault named after an HTTP status is called here (SMPP 3.4 section 5.1.3). */
const REFUSALS: Partial<Record<FaultKind, number>> = {
  '400': 0x45,
  '403': 0x101,
  '404': STATUS.RINVDSTADR,
  '429': 0x58,
  '500': 0x08,
  '503': 0x14,
};
const SLOW_MS = 1_000;
const EARLY_PATIENCE_MS = 2_000;
const BINDS = ['bind_transceiver', 'bind_transmitter', 'bind_receiver'];

export async function startSmsc(options: SmscOptions, around: SmscSurroundings): Promise<Smsc> {
  const { random, phones, traffic, faults, delays } = around;
  const nextId = createMessageIds(options.idDialect ?? 'same', random);
  const reassemble = createReassembly();
  const sessions = new Set<Session>();
  const modes = new Map<Session, string>();
  const receiver = (): Session | undefined => [...modes].find(([, mode]) => mode !== 'bind_transmitter')?.[0];
  const receipts = createReceiptQueue(receiver, delays);
  let held: Receipt[] = [];

  function bind(session: Session, pdu: PDU): number {
    const { systemId, password } = parseBind(pdu);
    if (modes.has(session)) return STATUS.RALYBND;
    if (faults.strike('connection').kind === 'unauthorized') return STATUS.RINVPASWD;
    if (systemId !== options.systemId) return STATUS.RINVSYSID;
    if (password !== options.password) return STATUS.RINVPASWD;
    modes.set(session, pdu.command);
    return STATUS.ROK;
  }

  async function submit(session: Session, pdu: PDU): Promise<void> {
    const fault = faults.strike('call');
    const parsed = parseSubmit(pdu);
    const mode = modes.get(session);
    const refusal = mode === undefined || mode === 'bind_receiver' ? STATUS.RINVBNDSTS : REFUSALS[fault.kind];
    if (refusal !== undefined) return answer(session, pdu, refusal);
    if (parsed === undefined) return answer(session, pdu, STATUS.RINVDSTADR);
    if (fault.kind === 'reset') return session.destroy();
    if (fault.kind === 'timeout-before-effect') return;
    const id = nextId();
    await takeWith(fault, parsed, id, () => answer(session, pdu, STATUS.ROK, id.inResponse), session);
  }

  async function takeWith(
    fault: Fault,
    parsed: Submit,
    id: IssuedId,
    respond: () => void,
    session: Session,
  ): Promise<void> {
    switch (fault.kind) {
      case 'timeout-after-effect':
        return take(parsed, id);
      case 'malformed':
        take(parsed, id);
        session.socket.write(Buffer.alloc(16, 0xff));
        return;
      case 'early-receipt':
        take(parsed, id);
        await Promise.race([receipts.idle(), delays.pause(EARLY_PATIENCE_MS)]);
        return respond();
      case 'slow':
        if (await delays.pause(fault.delayMs ?? SLOW_MS)) respond();
        return take(parsed, id);
      default:
        respond();
        return take(parsed, id);
    }
  }

  function take(parsed: Submit, id: IssuedId): void {
    const address = `+${parsed.destination}`;
    const { source: sender, text, dataCoding, concatenation } = parsed;
    traffic.record({
      carrier: 'smsc',
      operation: 'submit_sm',
      sender,
      address,
      text,
      raw: JSON.stringify({ dataCoding, concatenation, text }),
    });
    const message = reassemble(parsed, id);
    if (message === undefined) return;
    if (concatenation !== undefined)
      traffic.record({ carrier: 'smsc', operation: 'message', sender, address, text: message.text, raw: message.text });
    const happened = (event: PhoneEvent, at: number): void => report(message, event, at);
    const { id: shownId, text: whole } = message;
    const url = /https?:\/\/\S+/.exec(whole)?.[0];
    phones.accept({
      carrier: 'smsc',
      id: shownId,
      number: address,
      text: whole,
      url,
      expires: parsed.expires,
      happened,
    });
  }

  /** SMS knows no read receipts. */
  function report(
    { submit: { source, destination }, text, receiptIds }: WholeMessage,
    status: PhoneEvent,
    at: number,
  ): void {
    if (status === 'read') return;
    for (const { inReceipt } of receiptIds) {
      const receipt = { id: inReceipt, status, source, destination, text, at };
      const fault = faults.strike('receipt');
      if (fault.kind === 'late-receipt') holdBack(receipt, fault);
      else {
        if (fault.kind === 'unknown-receipt') receipts.send({ ...receipt, id: nextId().inReceipt });
        if (fault.kind === 'duplicate-receipt') receipts.send(receipt);
        receipts.send(receipt);
      }
    }
  }

  function holdBack(receipt: Receipt, { delayMs }: Fault): void {
    if (delayMs === undefined) held = [...held, receipt];
    else void delays.pause(delayMs).then((passed) => passed && receipts.send(receipt));
  }

  function receive(session: Session, pdu: PDU): void {
    if (pdu.command === 'deliver_sm_resp') receipts.answered(session, pdu);
    if (pdu.isResponse()) return;
    if (BINDS.includes(pdu.command)) {
      answer(session, pdu, bind(session, pdu), undefined, { system_id: 'SIMULATOR', sc_interface_version: 0x34 });
      if (modes.has(session)) receipts.pump();
    } else if (pdu.command === 'submit_sm') void submit(session, pdu);
    else if (pdu.command === 'enquire_link') answer(session, pdu, STATUS.ROK);
    else if (pdu.command === 'unbind') {
      modes.delete(session);
      answer(session, pdu, STATUS.ROK);
    } else session.send(new PDU('generic_nack', { command_status: 0x03, sequence_number: pdu.sequence_number }));
  }

  function accept(session: Session): void {
    const forget = (): void => {
      sessions.delete(session);
      modes.delete(session);
      receipts.lost(session);
      session.destroy();
    };
    sessions.add(session);
    session.on('pdu', (pdu: PDU) => receive(session, pdu));
    session.on('error', forget);
    session.on('close', forget);
  }

  const server = createServer(accept);
  const drop = (): void => {
    for (const session of sessions) session.destroy();
  };
  await listen(server, around.host, around.port);
  const { port } = addressOf(server);
  faults.onChange(async () => {
    const refusing = faults.holds('refuse');
    if (refusing || faults.holds('unauthorized')) drop();
    if (refusing && server.listening) await close(server);
    if (!refusing && !server.listening && !delays.signal.aborted) await listen(server, around.host, port);
    if (!faults.holds('late-receipt')) for (const receipt of held.splice(0)) receipts.send(receipt);
  });
  return {
    port,
    bound: () => modes.size,
    write(number, written) {
      for (const part of fromPhone(number, written, Math.floor(random() * 256))) receipts.send(part);
    },
    async stop() {
      drop();
      if (server.listening) await close(server);
    },
  };
}

function answer(
  session: Session,
  pdu: PDU,
  command_status: number,
  message_id?: string,
  fields: Readonly<Record<string, unknown>> = {},
): void {
  session.send(pdu.response(message_id === undefined ? { command_status, ...fields } : { command_status, message_id }));
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  server.listen(port, host);
  await once(server, 'listening');
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  await closed;
}

function addressOf(server: Server): { port: number } {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the SMSC is not listening on TCP');
  return address;
}
