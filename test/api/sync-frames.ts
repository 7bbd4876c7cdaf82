/** Conversations over sync that must end, and how: frames out of form, out of order, out of bounds, and not by the device. */
import { connect } from 'node:net';
import fc from 'fast-check';
import { type Signer, signSyncHello } from '../../packages/crypto/src/signer/index.ts';
import {
  clientFrameSchema,
  type DeviceId,
  type ServerFrame,
  SYNC_SUBPROTOCOL,
  serverFrameSchema,
} from '../../packages/protocol/src/index.ts';
import { brokenOf } from './broken.ts';
import type { Description } from './description.ts';
import type { Codes } from './judge.ts';
import type { Json, JsonSchema } from './schema.ts';
import { validOf } from './valid.ts';

export interface Peer {
  readonly device: DeviceId;
  readonly signer: Signer;
}

/** Frames to send, made once the challenge is known. */
type Script = (
  hello: (change?: Readonly<Record<string, Json>>, peer?: Peer) => Promise<string>,
) => Promise<(string | Uint8Array<ArrayBuffer>)[]>;

export interface SyncCase {
  readonly what: string;
  readonly script: Script;
  /** Codes one of which must end it; `undefined` where it may go on, and answers a last ping. */
  readonly codes: readonly string[] | undefined;
}

/** RFC 6455 section 7.4.1: protocol, data, policy, size, try again later. */
const CLOSES = [1002, 1003, 1007, 1008, 1009, 1013];
const PATIENCE = 8000;
const FRAME = ['ERR_SYNC_FRAME'];
const PING = JSON.stringify({ type: 'ping' });

export function syncCases(
  description: Description,
  peers: { own: Peer; strange: Peer; revoked: Peer },
  seed: number,
  draws: number,
): SyncCase[] {
  const schema: JsonSchema = JSON.parse(JSON.stringify(clientFrameSchema.toJSONSchema()));
  const valid = validOf(schema, description.schemas, {});
  const complete = fc.sample(validOf(schema, description.schemas, {}, '', true), { seed, numRuns: 30 });
  const broken = new Map(
    complete.flatMap((frame) =>
      brokenOf(schema, frame, description).map(
        ({ where, how, value }) => [`${typeOf(frame)} ${where}: ${how}`, JSON.stringify(value)] as const,
      ),
    ),
  );
  const texts = fc.sample(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), { seed, numRuns: draws });
  const bytes = fc.sample(fc.uint8Array({ maxLength: 200 }), { seed, numRuns: draws });
  const whole = fc.sample(valid, { seed, numRuns: draws });
  const { own, strange, revoked } = peers;
  let replayed: string | undefined;
  return [
    ...[...broken].flatMap(([what, frame]): SyncCase[] => [
      { what: `first, ${what}`, script: async () => [frame], codes: FRAME },
      { what: `after ready, ${what}`, script: async (hello) => [await hello(), frame], codes: FRAME },
    ]),
    ...texts.map((text): SyncCase => ({ what: 'any text', script: async () => [text], codes: FRAME })),
    ...bytes.map((each): SyncCase => ({ what: 'bytes', script: async () => [each], codes: FRAME })),
    ...whole
      .filter((frame) => typeOf(frame) !== 'hello')
      .map(
        (frame): SyncCase => ({
          what: 'before hello',
          script: async () => [JSON.stringify(frame)],
          codes: ['ERR_SYNC_ORDER'],
        }),
      ),
    ...whole.map(
      (frame): SyncCase => ({
        what: 'whole, after ready',
        script: async (hello) => [await hello(), JSON.stringify(frame), PING],
        codes: typeOf(frame) === 'hello' ? ['ERR_SYNC_ORDER'] : undefined,
      }),
    ),
    { what: 'hello twice', script: async (hello) => [await hello(), await hello()], codes: ['ERR_SYNC_ORDER'] },
    { what: 'larger than any frame', script: async () => ['x'.repeat(300_000)], codes: ['ERR_SYNC_TOO_LARGE'] },
    {
      what: 'larger than any frame, after ready',
      script: async (hello) => [await hello(), JSON.stringify({ type: 'ping', more: 'x'.repeat(300_000) })],
      codes: ['ERR_SYNC_TOO_LARGE'],
    },
    {
      what: 'a hello of an earlier connection',
      script: async (hello) => {
        const fresh = await hello();
        replayed ??= fresh;
        return replayed === fresh ? ['{'] : [replayed];
      },
      codes: ['ERR_SYNC_SIGNATURE', 'ERR_SYNC_FRAME'],
    },
    {
      what: 'the same hello again, on another connection',
      script: async (hello) => [replayed ?? (await hello({ signature: 'A'.repeat(86) }))],
      codes: ['ERR_SYNC_SIGNATURE'],
    },
    {
      what: 'another key',
      script: async (hello) => [await hello({ device: own.device }, { ...strange, device: own.device })],
      codes: ['ERR_SYNC_SIGNATURE'],
    },
    { what: 'an unknown device', script: async (hello) => [await hello({}, strange)], codes: ['ERR_SYNC_SIGNATURE'] },
    { what: 'a revoked device', script: async (hello) => [await hello({}, revoked)], codes: ['ERR_SYNC_REVOKED'] },
    { what: 'no signature', script: async (hello) => [await hello({ signature: '' })], codes: ['ERR_SYNC_SIGNATURE'] },
    {
      what: 'a cursor ahead',
      script: async (hello) => [await hello({ cursor: Number.MAX_SAFE_INTEGER })],
      codes: ['ERR_SYNC_CURSOR'],
    },
    {
      what: 'an ack ahead',
      script: async (hello) => [await hello(), JSON.stringify({ type: 'ack', cursor: 1e9 })],
      codes: ['ERR_SYNC_CURSOR'],
    },
    {
      what: 'credit without end',
      script: async (hello) => [await hello({ credit: 1000 }), JSON.stringify({ type: 'credit', more: 1000 })],
      codes: ['ERR_SYNC_CREDIT'],
    },
  ];
}

/** Every way in which a conversation did not go as it must. */
export async function syncFaults(
  url: string,
  peer: Peer,
  { what, script, codes }: SyncCase,
  reference: Codes,
): Promise<string[]> {
  const { frames, close } = await converse(url, peer, script);
  const faults: string[] = frames.flatMap((frame) =>
    serverFrameSchema.safeParse(frame).success
      ? []
      : [`${JSON.stringify(frame).slice(0, 200)} is no frame of the protocol`],
  );
  const last = frames.at(-1) as ServerFrame | undefined;
  if (last?.type === 'error') {
    if (!reference.has(last.code)) faults.push(`${last.code} is not in the reference`);
    if (close !== undefined && !CLOSES.includes(close)) faults.push(`closed with ${close}`);
    if (codes?.includes(last.code) === false) faults.push(`ended with ${last.code}, not ${codes.join(' or ')}`);
    if (last.code === 'ERR_SYNC_UNAVAILABLE') faults.push('is our fault');
  } else if (codes !== undefined) faults.push(`went on: ${last?.type ?? 'nothing'}`);
  else if (last?.type !== 'pong') faults.push(`no pong: ${last?.type ?? 'nothing'}`);
  return faults.map((fault) => `sync, ${what}: ${fault}`);
}

/** Ends with the gateway's last word: an error, or a pong to the last ping. */
function converse(url: string, peer: Peer, script: Script): Promise<{ frames: unknown[]; close: number | undefined }> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, SYNC_SUBPROTOCOL);
    const frames: unknown[] = [];
    const finish = (close: number | undefined) => {
      clearTimeout(patience);
      resolve({ frames, close });
      socket.close();
    };
    const patience = setTimeout(() => finish(undefined), PATIENCE);
    socket.addEventListener('message', ({ data }) => {
      const frame = JSON.parse(String(data)) as { type?: string; nonce?: string };
      frames.push(frame);
      if (frame.type === 'pong') return finish(undefined);
      if (frame.type !== 'challenge') return;
      script((change, by = peer) => helloOf(frame.nonce ?? '', by, change)).then(
        (sent) => sent.forEach((each) => void socket.send(each)),
        reject,
      );
    });
    socket.addEventListener('close', ({ code }) => finish(code));
  });
}

async function helloOf(
  nonce: string,
  { device, signer }: Peer,
  change: Readonly<Record<string, Json>> = {},
): Promise<string> {
  const signature = await signSyncHello({ nonce, device }, signer);
  return JSON.stringify({ type: 'hello', version: 1, device, cursor: 0, credit: 1, signature, ...change });
}

function typeOf(frame: Json): string {
  return String((frame as { type?: unknown }).type);
}

/** Answers everything the server said to these bytes after the handshake, as text. */
export function afterHandshake(port: number, bytes: Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    const head = [
      'GET /v1/sync HTTP/1.1',
      'host: 127.0.0.1',
      'connection: upgrade',
      'upgrade: websocket',
      'sec-websocket-version: 13',
      'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==',
      `sec-websocket-protocol: ${SYNC_SUBPROTOCOL}`,
    ];
    const socket = connect(port, '127.0.0.1', () => socket.write(`${head.join('\r\n')}\r\n\r\n`));
    socket.once('data', () => socket.write(bytes));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
    socket.on('error', (cause) => (chunks.length === 0 ? reject(cause) : undefined));
  });
}
