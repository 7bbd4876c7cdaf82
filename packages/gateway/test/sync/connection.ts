/** A device's end of a sync connection: real `ws`, frames awaited one by one, nothing timed. */
import { signSyncHello } from '@sealpost/crypto/signer';
import { type ServerFrame, SYNC_SUBPROTOCOL, serverFrameSchema } from '@sealpost/protocol';
import { WebSocket } from 'ws';
import type { Person } from '../directory/people.ts';
import type { Listener } from './listener.ts';

export interface Connection {
  /** The next frame, checked against the protocol; `undefined` once the gateway has closed. */
  next(): Promise<ServerFrame | undefined>;
  items(count: number): Promise<number[]>;
  send(frame: unknown): void;
  sendRaw(data: string | Uint8Array, binary?: boolean): void;
  /** The code of the error frame, which must be the last frame before the close. */
  ended(): Promise<string>;
  close(): Promise<void>;
  /** Stops reading from the network; `resume` goes on. */
  pause(): void;
  resume(): void;
  readonly closed: Promise<void>;
}

export async function connect({ url }: Pick<Listener, 'url'>): Promise<Connection> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/sync`, SYNC_SUBPROTOCOL);
  const frames: (ServerFrame | undefined)[] = [];
  const waiting: ((frame: ServerFrame | undefined) => void)[] = [];
  const push = (frame: ServerFrame | undefined) => {
    const first = waiting.shift();
    if (first === undefined) frames.push(frame);
    else first(frame);
  };
  socket.on('message', (data) => push(serverFrameSchema.parse(JSON.parse(String(data)))));
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  void closed.then(() => push(undefined));
  await new Promise<void>((resolve, reject) => {
    socket.on('open', resolve);
    socket.on('error', reject);
  });
  const next = () =>
    frames.length > 0
      ? Promise.resolve(frames.shift())
      : new Promise<ServerFrame | undefined>((resolve) => waiting.push(resolve));
  return {
    next,
    async items(count) {
      const cursors: number[] = [];
      while (cursors.length < count) {
        const frame = await next();
        if (frame?.type !== 'item') throw new Error(`not an item: ${JSON.stringify(frame)}`);
        cursors.push(frame.cursor);
      }
      return cursors;
    },
    send: (frame) => socket.send(JSON.stringify(frame)),
    sendRaw: (data, binary = false) => socket.send(data, { binary }),
    async ended() {
      for (;;) {
        const frame = await next();
        if (frame === undefined) throw new Error('closed without a reason');
        if (frame.type !== 'error') continue;
        if ((await next()) !== undefined) throw new Error('a frame after the error');
        return frame.code;
      }
    },
    closed,
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    async close() {
      socket.close();
      await closed;
    },
  };
}

export interface HelloWishes {
  readonly cursor?: number;
  readonly credit?: number;
}

/** The hello frame of this person over the connection's challenge. */
export async function helloFor(
  connection: Connection,
  person: Pick<Person, 'device' | 'signer'>,
  { cursor = 0, credit = 100 }: HelloWishes = {},
) {
  const challenge = await connection.next();
  if (challenge?.type !== 'challenge') throw new Error('no challenge');
  const signature = await signSyncHello({ nonce: challenge.nonce, device: person.device }, person.signer);
  return { type: 'hello', version: 1, device: person.device, cursor, credit, signature };
}

/** A connection that is past `ready`. */
export async function open(listener: Listener, person: Person, wishes: HelloWishes = {}): Promise<Connection> {
  const connection = await connect(listener);
  connection.send(await helloFor(connection, person, wishes));
  const ready = await connection.next();
  if (ready?.type !== 'ready') throw new Error(`not ready: ${JSON.stringify(ready)}`);
  return connection;
}
