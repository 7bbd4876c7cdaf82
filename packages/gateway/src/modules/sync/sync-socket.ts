/**
 * A WebSocket that never ends without saying why: also where the library itself refuses a frame (too large, not text, bad
 * framing: RFC 6455 section 7.4.1), the error frame goes out before the close frame.
 */
import { type ClientFrame, clientFrameSchema, fromUtf8, type ServerFrame, type SyncItem } from '@sealpost/protocol';
import { type RawData, WebSocket } from 'ws';
import { SYNC_ERRORS, type SyncCode } from './sync-errors.ts';

/** No frame a device may send is larger (100 receipts of 2048 letters); DESIGN 3.1: bounded before it is decoded. */
export const DEVICE_FRAME_LIMIT = 262_144;

const TOO_LARGE = 1009;
const BY_LIBRARY: readonly (number | undefined)[] = [1002, 1003, 1007, TOO_LARGE];
const CLOSE_CODES: Readonly<Partial<Record<SyncCode, number>>> = {
  ERR_SYNC_TOO_LARGE: TOO_LARGE,
  ERR_SYNC_UNAVAILABLE: 1013,
  ERR_SYNC_FULL: 1013,
};
const POLICY_VIOLATION = 1008;

export class SyncSocket extends WebSocket {
  #ended = false;

  /** Sends the reason as the last frame and closes. Repeating it does nothing. */
  end(code: SyncCode): void {
    if (this.#ended || this.readyState !== WebSocket.OPEN) return;
    this.#ended = true;
    const frame: ServerFrame = { type: 'error', code, hint: SYNC_ERRORS[code].hint };
    this.send(JSON.stringify(frame));
    super.close(CLOSE_CODES[code] ?? POLICY_VIOLATION);
  }

  override close(code?: number, data?: string | Buffer): void {
    if (BY_LIBRARY.includes(code)) this.end(code === TOO_LARGE ? 'ERR_SYNC_TOO_LARGE' : 'ERR_SYNC_FRAME');
    super.close(code, data);
  }

  /** Resolves once the bytes have left for the kernel; rejects when they cannot. */
  deliver(frame: ServerFrame): Promise<void> {
    const text = JSON.stringify(frame);
    return new Promise((resolve, reject) => this.send(text, (error) => (error ? reject(error) : resolve())));
  }
}

export function itemFrame(cursor: number, item: SyncItem): ServerFrame {
  return { type: 'item', cursor, item };
}

/** `undefined` for anything that is not exactly one frame of the protocol. */
export function readFrame(data: RawData, isBinary: boolean): ClientFrame | undefined {
  if (isBinary || !(data instanceof Uint8Array)) return undefined;
  try {
    return clientFrameSchema.safeParse(JSON.parse(fromUtf8(data))).data;
  } catch {
    return undefined;
  }
}
