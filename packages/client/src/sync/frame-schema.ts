/**
 * Frames from the gateway. An item whose content no schema takes is kept as it came: the item is refused with a receipt,
 * which a refused frame could not be.
 */
import { type ServerFrame, SYNC_FRAME_LIMIT, serverFrameSchema } from '@sealpost/protocol';

export type IncomingFrame =
  | Exclude<ServerFrame, { type: 'item' }>
  | { readonly type: 'item'; readonly cursor: number; readonly item: unknown };

/** `undefined` for what is no frame of the protocol. */
export function readFrame(data: unknown): IncomingFrame | undefined {
  if (typeof data !== 'string' || data.length > SYNC_FRAME_LIMIT) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return undefined;
  }
  const frame = serverFrameSchema.safeParse(value);
  if (frame.success) return frame.data;
  if (typeof value !== 'object' || value === null || !('type' in value) || value.type !== 'item') return undefined;
  if (!('cursor' in value) || !('item' in value)) return undefined;
  const { cursor, item } = value;
  if (typeof cursor !== 'number' || !Number.isSafeInteger(cursor) || cursor < 0) return undefined;
  return { type: 'item', cursor, item };
}
