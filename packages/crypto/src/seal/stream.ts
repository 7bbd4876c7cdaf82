/**
 * Sealing what is too long for memory: the records of `sealBlob` (RFC 8188 section 2), given out as they fill. One record
 * is held back until it is known whether another follows, because the last one says so.
 */
import { concatBytes } from '@sealpost/protocol';
import { sealAesGcm } from '#primitives';
import { type BlobKey, header } from './blob.ts';
import { DELIMITER, KEY_LENGTH, RECORD_SIZE, recordKeys, SALT_LENGTH, TAG_LENGTH } from './records.ts';

const NO_DATA = new Uint8Array(0);
const ROOM = RECORD_SIZE - TAG_LENGTH - 1;

export async function* sealStream(
  plaintext: AsyncIterable<Uint8Array>,
  { key, salt }: BlobKey,
): AsyncGenerator<Uint8Array> {
  if (key.length !== KEY_LENGTH || salt.length !== SALT_LENGTH) throw new TypeError('key and salt have 16 bytes each');
  const { contentKey, nonceOf } = recordKeys(key, salt);
  let sequence = 0;
  const record = (data: Uint8Array, delimiter: number) =>
    sealAesGcm({
      key: contentKey,
      nonce: nonceOf(sequence++),
      additionalData: NO_DATA,
      plaintext: concatBytes(data, Uint8Array.of(delimiter)),
    });
  yield header(salt, RECORD_SIZE);
  let waiting: Uint8Array = NO_DATA;
  for await (const chunk of plaintext) {
    waiting = concatBytes(waiting, chunk);
    for (; waiting.length > ROOM; waiting = waiting.slice(ROOM))
      yield await record(waiting.subarray(0, ROOM), DELIMITER.more);
  }
  yield await record(waiting, DELIMITER.last);
}
