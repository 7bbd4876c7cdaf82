/** The leaf hash of an entry's line in an export that was verified before (tlog, sealpost-log/1). */
import { z } from 'zod';

const entrySchema = z.object({ leafHash: z.base64() });

/** `undefined` for a header, a block line and the end. */
export function leafHashOf(line: string): Uint8Array | undefined {
  const entry = entrySchema.safeParse(JSON.parse(line)).data;
  return entry === undefined ? undefined : new Uint8Array(Buffer.from(entry.leafHash, 'base64'));
}
