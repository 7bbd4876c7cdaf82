/**
 * Opening what `seal/stream.ts` sealed, record by record. What it gives out is authentic to its place but not yet known to
 * be whole: act on nothing before the end is reached.
 */
import { concatBytes } from '@sealpost/protocol';
import { openAesGcm } from '#primitives';
import { DELIMITER, HEADER_LENGTH, KEY_LENGTH, RECORD_SIZE, recordKeys, SALT_LENGTH } from '../seal/records.ts';

/** `truncated`: it ends before its last record; `not-authentic`: wrong key or changed bytes. */
export class StreamRefused extends Error {
  override readonly name = 'StreamRefused';
  readonly reason: 'malformed' | 'truncated' | 'not-authentic';

  constructor(reason: StreamRefused['reason']) {
    super(`the sealed stream is ${reason}`);
    this.reason = reason;
  }
}

const NO_DATA = new Uint8Array(0);

/** Throws StreamRefused. */
export async function* openStream(sealed: AsyncIterable<Uint8Array>, key: Uint8Array): AsyncGenerator<Uint8Array> {
  if (key.length !== KEY_LENGTH) throw new TypeError('a stream key has 16 bytes');
  let open: ((record: Uint8Array) => Promise<{ data: Uint8Array; last: boolean }>) | undefined;
  let [waiting, ended]: [Uint8Array, boolean] = [NO_DATA, false];
  const step = async (record: Uint8Array): Promise<Uint8Array> => {
    if (ended || open === undefined) throw new StreamRefused('malformed');
    const { data, last } = await open(record);
    ended = last;
    return data;
  };
  for await (const chunk of sealed) {
    waiting = concatBytes(waiting, chunk);
    if (open === undefined) {
      if (waiting.length < HEADER_LENGTH) continue;
      open = recordOpener(waiting.subarray(0, HEADER_LENGTH), key);
      waiting = waiting.slice(HEADER_LENGTH);
    }
    for (; waiting.length > RECORD_SIZE; waiting = waiting.slice(RECORD_SIZE))
      yield await step(waiting.subarray(0, RECORD_SIZE));
  }
  if (open === undefined || waiting.length === 0) throw new StreamRefused('truncated');
  // What is left of a record that was cut does not open either; only a whole one says that more would follow.
  yield await step(waiting);
  if (!ended) throw new StreamRefused('truncated');
}

function recordOpener(header: Uint8Array, key: Uint8Array) {
  const recordSize = new DataView(header.buffer, header.byteOffset).getUint32(SALT_LENGTH);
  if (recordSize !== RECORD_SIZE || header[HEADER_LENGTH - 1] !== 0) throw new StreamRefused('malformed');
  const { contentKey, nonceOf } = recordKeys(key, header.slice(0, SALT_LENGTH));
  let sequence = 0;
  return async (ciphertext: Uint8Array) => {
    const nonce = nonceOf(sequence++);
    const record = await openAesGcm({ key: contentKey, nonce, additionalData: NO_DATA, ciphertext });
    if (record === undefined) throw new StreamRefused('not-authentic');
    const end = record.findLastIndex((octet) => octet !== 0);
    const last = record[end] === DELIMITER.last;
    if (!last && record[end] !== DELIMITER.more) throw new StreamRefused('malformed');
    return { data: record.slice(0, end), last };
  };
}
