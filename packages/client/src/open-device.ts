/**
 * The composition of a device from its parts. Everything that changes what is stored goes through one queue, so that no
 * two changes are ever made from the same state.
 */
import { gatewayApi, type MessageId } from '@sealpost/protocol';
import { clientError } from './client-errors.ts';
import { createConversations } from './conversations/conversations.ts';
import type { Device, DeviceChange } from './device.ts';
import { fingerprintOf } from './enrollment/fingerprint.ts';
import { decodeIdentity, IDENTITY } from './enrollment/identity-schema.ts';
import { type VerifiedIdentity, verifyIdentity } from './enrollment/verified-identity.ts';
import { createHttp } from './http.ts';
import { fetchAttachment } from './inbox/attachment.ts';
import { createMarking } from './inbox/marking.ts';
import { allMessages, readableMessage } from './inbox/messages.ts';
import { readersInWords } from './inbox/readers.ts';
import { nextReceipts, type QueuedReceipt, queuedCount, type ReceiptResult, settleReceipts } from './inbox/receipts.ts';
import { createReceiving } from './inbox/receiving.ts';
import { createKeyPackages } from './key-packages/key-packages.ts';
import { createListeners } from './listeners.ts';
import { createDeviceEngine } from './mls-engine.ts';
import { createSerial } from './serial.ts';
import type { DeviceStore } from './store/store.ts';
import type { ClientSurroundings } from './surroundings.ts';
import { createOnline } from './sync/keep-online.ts';
import type { SyncSocketConstructor } from './sync/socket.ts';

export interface OpenDeviceOptions {
  readonly store: DeviceStore;
  readonly surroundings: ClientSurroundings;
  /** The platform's when absent. */
  readonly WebSocket?: SyncSocketConstructor;
}

/** Opens an enrolled device, offline. The device closes the store with itself. */
export async function openDevice(options: OpenDeviceOptions): Promise<Device> {
  const { store, surroundings } = options;
  const verified = await identityIn(store, surroundings);
  return deviceOver(verified, options);
}

async function identityIn(store: DeviceStore, { now }: ClientSurroundings): Promise<VerifiedIdentity> {
  const [stored, signer] = [await store.read(IDENTITY), await store.signer()];
  if (stored === undefined || signer === undefined) throw clientError('ERR_CLIENT_NOT_ENROLLED');
  const identity = decodeIdentity(stored);
  // What was received stays readable after the certificate has lapsed; connecting does not.
  return verifyIdentity(identity, signer, Math.min(now(), identity.expires));
}

function deviceOver(verified: VerifiedIdentity, { store, surroundings, WebSocket }: OpenDeviceOptions): Device {
  const http = createHttp(verified.gateway, surroundings, verified.signer);
  const engine = createDeviceEngine(verified, surroundings);
  const conversations = createConversations(store, engine);
  const keyPackages = createKeyPackages({ store, http, engine, verified, surroundings });
  const receiving = createReceiving({ store, engine, verified, conversations, keyPackages, surroundings });
  const marking = createMarking({ store, verified, surroundings });
  const { tell, on } = createListeners<DeviceChange>();
  const serial = createSerial();
  let closed = false;

  const change = <T>(work: () => Promise<T>): Promise<T> =>
    closed ? Promise.reject(clientError('ERR_CLIENT_CLOSED')) : serial.run(work);
  const refill = (available: number) => {
    change(() => keyPackages.fill(available)).catch((error: unknown) => {
      tell({ kind: 'problem', code: codeOf(error) });
    });
  };
  const settle = async (sent: readonly QueuedReceipt[], results: readonly ReceiptResult[]) => {
    for (const code of await settleReceipts(store, sent, results)) tell({ kind: 'problem', code });
  };
  const online = createOnline({
    verified,
    surroundings,
    WebSocket: WebSocket ?? globalThis.WebSocket,
    tell,
    work: {
      cursor: receiving.cursor,
      ready: refill,
      take: async (cursor, item) => {
        for (const told of await change(() => receiving.take(cursor, item))) tell(told);
      },
      receipts: () => nextReceipts(store),
      settle: (sent, results) => change(() => settle(sent, results)),
    },
  });
  const mark = async (message: MessageId, as: 'read' | 'acknowledged') => {
    const { shown, told } = await change(() => marking.mark(message, as));
    for (const one of told) tell(one);
    online.sendReceipts();
    return shown;
  };

  return {
    identity: verified.identity,
    rootFingerprint: fingerprintOf(verified.anchors.root),
    get online() {
      return online.online;
    },
    on,
    async connect() {
      if (closed) throw clientError('ERR_CLIENT_CLOSED');
      if (surroundings.now() > verified.expires) throw clientError('ERR_CLIENT_EXPIRED');
      await online.connect();
    },
    disconnect: () => online.disconnect(),
    async close() {
      if (closed) return;
      await online.disconnect();
      closed = true;
      await serial.idle();
      await store.close();
    },
    inbox: () => change(() => allMessages(store)),
    open: (message) => mark(message, 'read'),
    acknowledge: async (message) => void (await mark(message, 'acknowledged')),
    async attachment(message, index) {
      const { content } = await change(() => readableMessage(store, message));
      const attachment = content.attachments[index];
      if (attachment === undefined) throw clientError('ERR_CLIENT_ATTACHMENT_MISSING');
      return fetchAttachment(http, attachment);
    },
    async readers(message) {
      const { readers } = await change(() => readableMessage(store, message));
      return readersInWords(readers, verified.identity);
    },
    waitingReceipts: () => change(() => queuedCount(store)),
    async sendReceipts() {
      for (;;) {
        const sent = await change(() => nextReceipts(store));
        if (sent.length === 0) return change(() => queuedCount(store));
        const body = { receipts: sent.map(({ jws }) => jws) };
        const { results } = await http.post('/v1/receipts', body, gatewayApi.receiptUploadResultSchema);
        if (results.length !== sent.length) throw clientError('ERR_CLIENT_ANSWER');
        await change(() => settle(sent, results));
      }
    },
  };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'ERR_CLIENT_STORE';
}
