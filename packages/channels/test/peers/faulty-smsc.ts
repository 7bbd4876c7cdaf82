/** An SMSC (SMPP 3.4) that has one fault of test/faults/kinds.ts for as long as it stands, to the bytes of its answers. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { PDU, Session } from 'smpp';

interface Certificate {
  readonly key: Buffer;
  readonly cert: Buffer;
}

export interface Smsc {
  readonly port: number;
  taken(): number;
  close(): Promise<void>;
}

const SUBMIT_SM_RESP = 0x80000004;
const INVALID_PASSWORD = 0x0e;
/** command_status of a refused submit_sm (SMPP 3.4 section 5.1.3). */
const REFUSALS: Readonly<Record<string, number>> = { 'rate-limited': 0x58, failing: 0x08, unavailable: 0x14 };
const DRIP_EACH_MS = 50;
const HUGE = 4 * 1024 * 1024;

export async function openSmsc(fault: string, certificate: Certificate | undefined): Promise<Smsc> {
  let taken = 0;
  const sockets = new Set<Socket>();

  function serve(socket: Socket): void {
    const session = new Session({ socket });
    const acknowledged = new Map<number, () => void>();
    sockets.add(socket);
    session.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));

    /** Resolves when the receipt has been acknowledged. */
    function report(id: string): Promise<void> {
      const text = `id:${id} sub:001 dlvrd:001 submit date:2611240000 done date:2611240000 stat:DELIVRD err:000 text:`;
      const addresses = { source_addr: '4915112341001', destination_addr: 'Acme' };
      const receipt = new PDU('deliver_sm', {
        ...addresses,
        esm_class: 0x04,
        short_message: Buffer.from(text, 'ascii'),
      });
      session.send(receipt);
      return new Promise((resolve) => acknowledged.set(receipt.sequence_number, resolve));
    }

    async function submit(pdu: PDU): Promise<void> {
      const refusal = REFUSALS[fault];
      if (refusal !== undefined) return void session.send(pdu.response({ command_status: refusal }));
      if (fault === 'reset') return session.destroy();
      if (fault === 'silent-before-effect') return;
      taken += 1;
      const id = randomBytes(6).toString('hex');
      if (answersBadly(fault, socket, responseOf(pdu.sequence_number, id))) return;
      if (fault === 'receipt-early') await report(id);
      session.send(pdu.response({ message_id: id }));
      if (fault === 'receipt-unknown') await report(randomBytes(6).toString('hex'));
      if (fault !== 'receipt-early') await report(id);
      if (fault === 'receipt-twice') await report(id);
    }

    session.on('pdu', (pdu: PDU) => {
      if (pdu.isResponse()) return acknowledged.get(pdu.sequence_number)?.();
      if (pdu.command === 'submit_sm') return void submit(pdu);
      const isRefused = fault === 'unauthorized' && pdu.command === 'bind_transceiver';
      session.send(pdu.response(isRefused ? { command_status: INVALID_PASSWORD } : {}));
    });
  }

  const server = certificate === undefined ? createServer(serve) : createTlsServer({ ...certificate }, serve);
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const close = async () => {
    if (!server.listening) return;
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  if (fault === 'refused') await close();
  return { port: typeof address === 'object' && address !== null ? address.port : 0, taken: () => taken, close };
}

/** Whether the answer to what was taken is none that can be read. */
function answersBadly(fault: string, socket: Socket, answer: Buffer): boolean {
  switch (fault) {
    case 'silent-after-effect':
      return true;
    case 'drip':
      drip(socket, [...answer]);
      return true;
    case 'malformed':
      socket.write(Buffer.alloc(16, 0xff));
      return true;
    case 'oversized':
      answer.writeUInt32BE(HUGE, 0);
      socket.write(Buffer.concat([answer, Buffer.alloc(HUGE)]));
      return true;
    default:
      return false;
  }
}

function drip(socket: Socket, bytes: number[]): void {
  const timer = setInterval(() => socket.write(Buffer.from(bytes.splice(0, 1))), DRIP_EACH_MS);
  socket.on('close', () => clearInterval(timer));
}

function responseOf(sequence: number, id: string): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32BE(header.length + id.length + 1, 0);
  header.writeUInt32BE(SUBMIT_SM_RESP, 4);
  header.writeUInt32BE(sequence, 12);
  return Buffer.concat([header, Buffer.from(`${id}\0`, 'latin1')]);
}
