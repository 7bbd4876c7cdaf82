/**
 * A gateway and control in one process: real signatures checked, real frames, queues kept until acknowledged; the network
 * is a `fetch` and a `WebSocket` of its own, which tests can cut.
 */
import type { PublicJwk } from '@sealpost/crypto/signer';
import {
  keyIdOf,
  sha256,
  verifyCertificateRequest,
  verifyJws,
  verifyRequest,
  verifySyncHello,
} from '@sealpost/crypto/verify';
import {
  type ClientFrame,
  clientFrameSchema,
  DEVICE_RECEIPT_TYPE,
  type DeviceId,
  type DeviceReceipt,
  deviceIdSchema,
  deviceReceiptSchema,
  fromBase64url,
  type MemberId,
  memberIdSchema,
  SYNC_SUBPROTOCOL,
  toBase64url,
} from '@sealpost/protocol';
import type { SyncSocketConstructor } from '../src/index.ts';
import { DAY, NOW, type Organisation, random } from './organisation.ts';

export const CONTROL = 'https://control.acme.example';
export const GATEWAY = 'https://gateway.acme.example';
export const ALICE = memberIdSchema.parse('alice');

interface Known {
  readonly key: PublicJwk;
  readonly pool: { keyPackage: string; lastResort: boolean }[];
  readonly queue: { cursor: number; item: unknown }[];
  given: number;
  highestAck: number;
}

class Socket {
  readonly protocol = SYNC_SUBPROTOCOL;
  readonly #listeners = new Map<string, ((event: { data: unknown }) => void)[]>();
  readonly #server: (frame: ClientFrame, socket: Socket) => Promise<void>;
  readonly nonce = toBase64url(random(32));
  #handled: Promise<void> = Promise.resolve();
  device: DeviceId | undefined;
  credit = 0;
  sent = 0;
  open = true;

  constructor(server: (frame: ClientFrame, socket: Socket) => Promise<void>) {
    this.#server = server;
  }

  addEventListener(type: string, listener: (event: { data: unknown }) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  send(text: string): void {
    if (!this.open) return;
    const frame = clientFrameSchema.parse(JSON.parse(text));
    this.#handled = this.#handled.then(() => this.#server(frame, this));
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    this.hear('close', undefined);
  }

  hear(type: string, data: unknown): void {
    queueMicrotask(() => {
      for (const listener of this.#listeners.get(type) ?? []) listener({ data });
    });
  }

  tell(frame: unknown): void {
    if (this.open) this.hear('message', typeof frame === 'string' ? frame : JSON.stringify(frame));
  }
}

export class Gateway {
  readonly organisation: Organisation;
  readonly devices = new Map<DeviceId, Known>();
  readonly blobs = new Map<string, Uint8Array>();
  readonly receipts: DeviceReceipt[] = [];
  readonly receiptsByHttp: string[] = [];
  readonly acknowledged: number[] = [];
  readonly connections: string[] = [];
  readonly codes = new Map<string, { device: DeviceId; key: string }>();
  /** Nothing reaches it. */
  away = false;
  /** Answers a `hello` with this instead of `ready`. */
  refuses: string | undefined;
  /** Answers receipts as refused. */
  refusesReceipts = false;
  readonly #sockets = new Set<Socket>();
  readonly WebSocket: SyncSocketConstructor;

  constructor(organisation: Organisation) {
    this.organisation = organisation;
    const connect = (url: string) => this.#connect(url);
    this.WebSocket = class {
      constructor(url: string) {
        // biome-ignore lint/correctness/noConstructorReturn: the socket is the gateway's, whatever the class
        return connect(url);
      }
    } as unknown as SyncSocketConstructor;
  }

  readonly fetch: typeof fetch = async (input, init) => {
    if (this.away) throw new TypeError('network is down');
    const url = new URL(String(input));
    const body = init?.body instanceof Uint8Array ? new Uint8Array(init.body) : undefined;
    const answer = url.origin === CONTROL ? await this.#enrol(body) : await this.#device(url, init, body);
    return answer instanceof Uint8Array
      ? new Response(new Uint8Array(answer))
      : new Response(JSON.stringify(answer.body), { status: answer.status });
  };

  known(device: DeviceId): Known {
    const found = this.devices.get(device);
    if (found === undefined) throw new Error(`no device ${device}`);
    return found;
  }

  claim(device: DeviceId): Uint8Array {
    const { pool } = this.known(device);
    const at = pool.findIndex(({ lastResort }) => !lastResort);
    const [claimed] = at < 0 ? pool.slice(0, 1) : pool.splice(at, 1);
    const bytes = fromBase64url(claimed?.keyPackage ?? '');
    if (claimed === undefined || bytes === undefined) throw new Error('no key package');
    return bytes;
  }

  queue(device: DeviceId, item: unknown): number {
    const known = this.known(device);
    known.given++;
    known.queue.push({ cursor: known.given, item });
    this.flush();
    return known.given;
  }

  flush(): void {
    for (const socket of this.#sockets) this.#push(socket);
  }

  /** Says something to every device that is connected. */
  say(frame: unknown): void {
    for (const socket of this.#sockets) socket.tell(frame);
  }

  cut(): void {
    for (const socket of this.#sockets) socket.close();
    this.#sockets.clear();
  }

  kinds(message: string): string[] {
    return this.receipts.filter((receipt) => receipt.message === message).map(({ kind }) => kind);
  }

  async #enrol(body: Uint8Array | undefined) {
    const { code, request } = JSON.parse(new TextDecoder().decode(body)) as { code: string; request: string };
    const proved = await verifyCertificateRequest(fromBase64url(request) ?? new Uint8Array());
    if (proved === undefined || code === 'wrong') return problem(403, 'ERR_ENROLLMENT_CODE');
    const key = await keyIdOf(proved.publicJwk);
    const device = deviceIdSchema.parse(`dev_${key.slice(0, 22)}`);
    const used = this.codes.get(code);
    if (used !== undefined && used.key !== key) return problem(409, 'ERR_ENROLLMENT_USED');
    this.codes.set(code, { device, key });
    if (!this.devices.has(device))
      this.devices.set(device, { key: proved.publicJwk, pool: [], queue: [], given: 0, highestAck: 0 });
    const leaf = await this.organisation.issueDevice(proved.publicJwk, ALICE, device);
    const answer = {
      device,
      member: ALICE,
      chain: [toBase64url(leaf)],
      trust: this.organisation.trustJws,
      gateway: GATEWAY,
      expires: NOW + 30 * DAY,
    };
    return { status: 200, body: answer };
  }

  async #device(url: URL, init: RequestInit | undefined, body: Uint8Array | undefined) {
    const caller = await this.#caller(url, init, body);
    if (caller === undefined) return problem(401, 'ERR_HTTP_SIGNATURE');
    const [device, known] = caller;
    if (url.pathname.startsWith('/v1/blobs/'))
      return this.blobs.get(url.pathname.slice('/v1/blobs/'.length)) ?? problem(404, 'ERR_BLOBS_MISSING');
    const asked = JSON.parse(new TextDecoder().decode(body)) as {
      packages?: Known['pool'];
      receipts?: string[];
    };
    for (const uploaded of asked.packages ?? []) {
      const again = known.pool.some(({ keyPackage }) => keyPackage === uploaded.keyPackage);
      if (!again) known.pool.push(uploaded);
    }
    if (asked.packages !== undefined) return { status: 200, body: { available: this.#available(known) } };
    this.receiptsByHttp.push(...(asked.receipts ?? []));
    return { status: 200, body: { results: await this.#record(device, asked.receipts ?? []) } };
  }

  async #caller(url: URL, init: RequestInit | undefined, body: Uint8Array | undefined) {
    const headers = Object.fromEntries(new Headers(init?.headers).entries());
    const request = { method: init?.method ?? 'GET', url: url.pathname + url.search, headers };
    for (const [device, known] of this.devices) {
      const signed = body === undefined ? request : { ...request, body };
      const verdict = await verifyRequest(signed, known.key, { now: NOW, maxAge: 60_000 });
      if (verdict.kind === 'ok') return [device, known] as const;
    }
    return undefined;
  }

  #available({ pool }: Known): number {
    return pool.filter(({ lastResort }) => !lastResort).length;
  }

  #connect(url: string): Socket {
    this.connections.push(url);
    const socket = new Socket((frame, from) => this.#hear(frame, from));
    if (this.away) {
      queueMicrotask(() => socket.close());
      return socket;
    }
    this.#sockets.add(socket);
    socket.hear('open', undefined);
    socket.tell({ type: 'challenge', version: 1, nonce: socket.nonce, at: NOW });
    return socket;
  }

  async #hear(frame: ClientFrame, socket: Socket): Promise<void> {
    if (frame.type === 'hello') return this.#greet(frame, socket);
    if (frame.type === 'ping') return socket.tell({ type: 'pong' });
    const { device } = socket;
    if (device === undefined) return;
    const known = this.known(device);
    if (frame.type === 'credit') socket.credit += frame.more;
    if (frame.type === 'ack') {
      this.acknowledged.push(frame.cursor);
      known.highestAck = Math.max(known.highestAck, frame.cursor);
      known.queue.splice(0, known.queue.findLastIndex(({ cursor }) => cursor <= frame.cursor) + 1);
    }
    if (frame.type === 'receipts')
      socket.tell({ type: 'receipts', id: frame.id, results: await this.#record(device, frame.receipts) });
    this.#push(socket);
  }

  async #greet(frame: Extract<ClientFrame, { type: 'hello' }>, socket: Socket): Promise<void> {
    const known = this.devices.get(frame.device);
    const { device, signature } = frame;
    const proved =
      known !== undefined && (await verifySyncHello({ nonce: socket.nonce, device, signature }, known.key));
    const code = this.refuses ?? (proved ? undefined : 'ERR_SYNC_SIGNATURE');
    if (known === undefined || code !== undefined) {
      socket.tell({ type: 'error', code: code ?? 'ERR_SYNC_SIGNATURE', hint: 'no' });
      return socket.close();
    }
    socket.device = device;
    socket.credit = frame.credit;
    socket.sent = frame.cursor;
    socket.tell({ type: 'ready', cursor: known.highestAck, keyPackages: this.#available(known) });
    this.#push(socket);
  }

  #push(socket: Socket): void {
    if (socket.device === undefined) return;
    for (const { cursor, item } of this.known(socket.device).queue) {
      if (cursor <= socket.sent || socket.credit === 0) continue;
      socket.credit--;
      socket.sent = cursor;
      socket.tell({ type: 'item', cursor, item });
    }
  }

  async #record(device: DeviceId, receipts: readonly string[]) {
    const results: { outcome: 'recorded' | 'duplicate' | 'refused'; code?: string }[] = [];
    for (const jws of receipts) {
      const verdict = await verifyJws(jws, {
        typ: DEVICE_RECEIPT_TYPE,
        key: this.known(device).key,
        schema: deviceReceiptSchema,
      });
      if (verdict.kind === 'refused' || verdict.payload.device !== device || this.refusesReceipts) {
        results.push({ outcome: 'refused', code: 'ERR_DELIVERY_RECEIPT' });
        continue;
      }
      const { kind, message } = verdict.payload;
      const repeated = this.receipts.some(
        (one) => one.device === device && one.kind === kind && one.message === message,
      );
      if (!repeated) this.receipts.push(verdict.payload);
      results.push({ outcome: repeated ? 'duplicate' : 'recorded' });
    }
    return results;
  }
}

function problem(status: number, code: string) {
  const body = { type: `urn:sealpost:error:${code}`, title: 'Refused.', status, code, hint: 'no' };
  return { status, body };
}

export function blobIdOf(sealed: Uint8Array): string {
  return toBase64url(sha256(sealed));
}

export type { MemberId };
