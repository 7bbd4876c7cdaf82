/**
 * One sync connection (protocol/sync.ts) from socket to end. Frames are handled in order; an item is acknowledged only
 * once it is stored. It ends for one reason, told once: the socket closed, the gateway said why, or we could not go on.
 */
import { signSyncHello } from '@sealpost/crypto/signer';
import { type ClientFrame, SealpostError, SYNC_SUBPROTOCOL } from '@sealpost/protocol';
import type { VerifiedIdentity } from '../enrollment/verified-identity.ts';
import type { QueuedReceipt, ReceiptResult } from '../inbox/receipts.ts';
import { createSerial } from '../serial.ts';
import { afterOf, type ClientSurroundings } from '../surroundings.ts';
import { type IncomingFrame, readFrame } from './frame-schema.ts';
import { type SyncSocketConstructor, syncUrl } from './socket.ts';

/** What the device does with what sync brings. Each may throw: the connection ends then. */
interface SyncWork {
  cursor(): Promise<number>;
  ready(keyPackages: number): void;
  /** Resolves once the item is stored. */
  take(cursor: number, item: unknown): Promise<void>;
  receipts(): Promise<readonly QueuedReceipt[]>;
  settle(sent: readonly QueuedReceipt[], results: readonly ReceiptResult[]): Promise<void>;
}

export interface SyncDeps {
  readonly verified: VerifiedIdentity;
  readonly surroundings: ClientSurroundings;
  readonly WebSocket: SyncSocketConstructor;
  readonly work: SyncWork;
}

export interface Connection {
  /** Resolves with the code of what went wrong, `undefined` when there is nothing to say. Never rejects. */
  readonly ended: Promise<string | undefined>;
  /** Sends queued receipts, if it is ready and none are under way. */
  sendReceipts(): void;
  close(): void;
}

/** Items the gateway may send ahead; half of it is granted again when half is used. */
const CREDIT = 32;
const READY_WITHIN = 15_000;
const PING_EVERY = 30_000;

export function openConnection(deps: SyncDeps): Connection {
  const { verified, surroundings, work } = deps;
  const after = afterOf(surroundings);
  const serial = createSerial();
  const socket = new deps.WebSocket(syncUrl(verified.gateway), SYNC_SUBPROTOCOL);
  const { promise: ended, resolve } = Promise.withResolvers<string | undefined>();
  let phase: 'opening' | 'proving' | 'ready' | 'ended' = 'opening';
  let used = 0;
  let heard = true;
  let batches = 0;
  let underWay: { readonly id: number; readonly sent: readonly QueuedReceipt[] } | undefined;
  let stopTimer = after(READY_WITHIN, () => end('ERR_CLIENT_AWAY'));

  const send = (frame: ClientFrame) => {
    if (phase !== 'ended') socket.send(JSON.stringify(frame));
  };
  const end = (code: string | undefined) => {
    if (phase === 'ended') return;
    phase = 'ended';
    stopTimer();
    socket.close();
    // What is being stored is finished first: then the next connection starts from the true cursor.
    void serial.idle().then(() => resolve(code));
  };
  const inOrder = (step: () => Promise<void>) => {
    serial
      .run(async () => (phase === 'ended' ? undefined : step()))
      .catch((error: unknown) => {
        end(error instanceof SealpostError ? error.code : 'ERR_CLIENT_STORE');
      });
  };
  const ping = () => {
    if (!heard) return end('ERR_CLIENT_AWAY');
    heard = false;
    send({ type: 'ping' });
    stopTimer = after(PING_EVERY, ping);
  };
  const sendReceipts = () => {
    if (phase !== 'ready') return;
    inOrder(async () => {
      if (underWay !== undefined) return;
      const sent = await work.receipts();
      if (sent.length === 0) return;
      underWay = { id: batches++, sent };
      send({ type: 'receipts', id: underWay.id, receipts: sent.map(({ jws }) => jws) });
    });
  };

  const prove = async (nonce: string) => {
    phase = 'proving';
    const { device } = verified.identity;
    const signature = await signSyncHello({ nonce, device }, verified.signer);
    send({ type: 'hello', version: 1, device, cursor: await work.cursor(), credit: CREDIT, signature });
  };
  const begin = (keyPackages: number) => {
    phase = 'ready';
    stopTimer();
    stopTimer = after(PING_EVERY, ping);
    work.ready(keyPackages);
    sendReceipts();
  };
  const takeItem = async (cursor: number, item: unknown) => {
    await work.take(cursor, item);
    send({ type: 'ack', cursor });
    used++;
    if (used === CREDIT / 2) {
      send({ type: 'credit', more: used });
      used = 0;
    }
    sendReceipts();
  };
  const settle = async (id: number, results: readonly ReceiptResult[]) => {
    if (underWay?.id !== id || underWay.sent.length !== results.length) return end('ERR_CLIENT_FRAME');
    await work.settle(underWay.sent, results);
    underWay = undefined;
    sendReceipts();
  };
  const handle = async (frame: IncomingFrame): Promise<void> => {
    if (frame.type === 'challenge' && phase === 'opening') return prove(frame.nonce);
    if (frame.type === 'ready' && phase === 'proving') return begin(frame.keyPackages);
    if (frame.type === 'item' && phase === 'ready') return takeItem(frame.cursor, frame.item);
    if (frame.type === 'receipts' && phase === 'ready') return settle(frame.id, frame.results);
    if (frame.type === 'error') return end(frame.code);
    if (frame.type !== 'pong') end('ERR_CLIENT_FRAME');
  };

  socket.addEventListener('message', ({ data }) => {
    heard = true;
    const frame = readFrame(data);
    if (frame === undefined) inOrder(async () => end('ERR_CLIENT_FRAME'));
    else inOrder(() => handle(frame));
  });
  socket.addEventListener('open', () => {
    if (socket.protocol !== SYNC_SUBPROTOCOL) end('ERR_CLIENT_ANSWER');
  });
  // In order too: the gateway's last frame, which says why, may still be waiting for its turn.
  const gone = () => inOrder(async () => end(phase === 'ready' ? undefined : 'ERR_CLIENT_AWAY'));
  socket.addEventListener('error', gone);
  socket.addEventListener('close', gone);
  return { ended, sendReceipts, close: () => end(undefined) };
}
