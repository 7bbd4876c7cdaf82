/**
 * One connection of one device, as a small machine: challenged, ready, over. Frames are handled one at a time and in
 * order; anything that is not allowed ends the connection and changes nothing. Items go out one after another, each once
 * the one before has left, and never more than the device granted.
 */
import { verifySyncHello } from '@sealpost/crypto/verify';
import type { Database, Logger, Surroundings } from '@sealpost/platform';
import { type ClientFrame, type DeviceId, type ServerFrame, toBase64url } from '@sealpost/protocol';
import type { RawData } from 'ws';
import { reached } from '../../points.ts';
import type { Directory } from '../directory/index.ts';
import type { Groups } from '../groups/index.ts';
import type { ReceiptIntake } from './receipt-intake.ts';
import type { SyncCode } from './sync-errors.ts';
import { itemFrame, readFrame, type SyncSocket } from './sync-socket.ts';
import { type NumberedSession, takeNumber } from './sync-store.ts';

export interface SessionDeps {
  readonly database: Database;
  readonly surroundings: Surroundings;
  readonly directory: Pick<Directory, 'device' | 'inactive'>;
  readonly groups: Pick<Groups, 'acknowledge' | 'available' | 'cursors' | 'queue'>;
  readonly receipts: ReceiptIntake;
  readonly logger: Logger;
}

/** A proven connection, as the registry sees it. */
export interface ReadySession extends NumberedSession {
  /** Sends what is new, as far as credit reaches. */
  pump(): void;
  end(code: SyncCode): void;
}

export interface Registry {
  /** Makes this the connection of its device and ends the one before. */
  add(session: ReadySession): void;
  remove(session: ReadySession): void;
}

type Phase = 'challenged' | 'ready' | 'over';
type Hello = Extract<ClientFrame, { type: 'hello' }>;
type Receipts = Extract<ClientFrame, { type: 'receipts' }>;

export const CREDIT_LIMIT = 1000;
const HELLO_TIMEOUT = 10_000;
/** A frame that has not left by then never will. */
const SEND_TIMEOUT = 30_000;
const BATCH = 32;
/** Frames read ahead of the one being handled; after that TCP holds the device back. */
const INBOX = 32;
const NONCE_LENGTH = 32;

/** Challenges the device and serves it until the socket closes. */
export function serveSession(socket: SyncSocket, deps: SessionDeps, registry: Registry): void {
  const { database, surroundings, directory, groups, receipts, logger } = deps;
  const nonce = toBase64url(surroundings.random(NONCE_LENGTH));
  let phase: Phase = 'challenged';
  let session: ReadySession | undefined;
  let credit = 0;
  let sent = 0;
  let inbox = 0;
  let tail: Promise<void> = Promise.resolve();
  let pumping = false;
  let again = false;

  const end = (code: SyncCode) => {
    phase = 'over';
    clearTimeout(helloTimer);
    socket.end(code);
  };
  const helloTimer = setTimeout(() => end('ERR_SYNC_TIMEOUT'), HELLO_TIMEOUT);

  const deliver = async (frame: ServerFrame): Promise<void> => {
    const slow = setTimeout(() => {
      end('ERR_SYNC_SLOW');
      socket.terminate();
    }, SEND_TIMEOUT);
    // A socket that broke is told by its close event.
    await socket.deliver(frame).catch(() => undefined);
    clearTimeout(slow);
  };

  const onHello = async (hello: Hello): Promise<void> => {
    const device = await directory.device(hello.device);
    const proof = { nonce, device: hello.device, signature: hello.signature };
    if (device === undefined || !(await verifySyncHello(proof, device.publicJwk))) return end('ERR_SYNC_SIGNATURE');
    if (!device.active) return end('ERR_SYNC_REVOKED');
    const { given, acknowledged } = await groups.cursors(hello.device);
    if (hello.cursor > given) return end('ERR_SYNC_CURSOR');
    const number = await takeNumber(database, hello.device);
    if (phase !== 'challenged') return;
    const own = { device: hello.device, number, pump: () => void pump(own.device), end };
    session = own;
    registry.add(own);
    // Only now does a revocation find this connection, so look once more for one that came in between.
    if ((await directory.inactive([own.device])).length > 0) return end('ERR_SYNC_REVOKED');
    if (hello.cursor > acknowledged) await groups.acknowledge(own.device, hello.cursor);
    const keyPackages = await groups.available(own.device);
    if (phase !== 'challenged') return;
    clearTimeout(helloTimer);
    phase = 'ready';
    credit = hello.credit;
    sent = Math.max(hello.cursor, acknowledged);
    await deliver({ type: 'ready', cursor: sent, keyPackages });
    own.pump();
  };

  const onReceipts = async (device: DeviceId, { id, receipts: given }: Receipts): Promise<void> => {
    const results: Extract<ServerFrame, { type: 'receipts' }>['results'] = [];
    for (const jws of given) {
      // A device that was revoked meanwhile has nothing more to say.
      if (phase !== 'ready') return;
      const { outcome, code } = await receipts.deviceReceipt(jws, device);
      results.push(code === undefined ? { outcome } : { outcome, code });
    }
    await deliver({ type: 'receipts', id, results });
  };

  const onFrame = async (frame: ClientFrame | undefined): Promise<void> => {
    if (frame === undefined) return end('ERR_SYNC_FRAME');
    if (phase === 'challenged' && frame.type === 'hello') return await onHello(frame);
    if (phase !== 'ready' || session === undefined || frame.type === 'hello') return end('ERR_SYNC_ORDER');
    const { device, pump: more } = session;
    switch (frame.type) {
      case 'ack':
        return frame.cursor > sent ? end('ERR_SYNC_CURSOR') : await groups.acknowledge(device, frame.cursor);
      case 'credit':
        if (credit + frame.more > CREDIT_LIMIT) return end('ERR_SYNC_CREDIT');
        credit += frame.more;
        return more();
      case 'receipts':
        return await onReceipts(device, frame);
      case 'ping':
        return await deliver({ type: 'pong' });
    }
  };

  const pump = async (device: DeviceId): Promise<void> => {
    again = true;
    if (pumping) return;
    pumping = true;
    try {
      while (again && phase === 'ready') {
        again = false;
        while (await sendBatch(device));
      }
    } catch (cause) {
      fail(cause);
    } finally {
      pumping = false;
    }
  };

  /** Answers whether there may be more to send. */
  const sendBatch = async (device: DeviceId): Promise<boolean> => {
    if (phase !== 'ready' || credit === 0) return false;
    const { entries, through } = await groups.queue(device, sent, Math.min(credit, BATCH));
    const moved = through > sent;
    for (const { cursor, item } of entries) {
      if (phase !== 'ready') return false;
      credit -= 1;
      sent = cursor;
      await deliver(itemFrame(cursor, item));
      reached('queue.sent');
    }
    sent = Math.max(sent, through);
    return moved;
  };

  const fail = (cause: unknown): void => {
    logger.warn('sync failed', { reason: cause instanceof Error ? cause.name : 'unknown' });
    end('ERR_SYNC_UNAVAILABLE');
  };

  const take = async (data: RawData, isBinary: boolean): Promise<void> => {
    try {
      if (phase !== 'over') await onFrame(readFrame(data, isBinary));
    } catch (cause) {
      fail(cause);
    }
    inbox -= 1;
    if (inbox === 0 && socket.isPaused) socket.resume();
  };

  socket.on('message', (data, isBinary) => {
    inbox += 1;
    if (inbox >= INBOX) socket.pause();
    tail = tail.then(() => take(data, isBinary));
  });
  socket.on('close', () => {
    phase = 'over';
    clearTimeout(helloTimer);
    if (session !== undefined) registry.remove(session);
  });
  // What the library refused was answered by the socket; a broken connection has nobody to tell.
  socket.on('error', () => {
    phase = 'over';
  });

  void deliver({ type: 'challenge', version: 1, nonce, at: surroundings.now() });
}
