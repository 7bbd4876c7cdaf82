/** A log export of any size in a file, as a gateway would write it: the events are invented, the tree and signature real. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createSigningKey } from '@sealpost/crypto/signer';
import { sha256 } from '@sealpost/crypto/verify';
import { canonicalJson, eventSchema, fromBase64url, type LogEvent, utf8 } from '@sealpost/protocol';
import {
  appendLeaf,
  commitRecord,
  type ExportEntry,
  emptyFrontier,
  encodeCheckpoint,
  encodeVerifierKey,
  frontierRoot,
  leafData,
  leafHash,
  signNote,
  verifierKey,
  writeExport,
} from '@sealpost/tlog';

const ORIGIN = 'bench.example/log';
const LANES = 64;

/** Answers the key to verify it with. */
export async function writeExportFile(path: string, size: number, message: string): Promise<{ logKey: string }> {
  const event = routeStep(1_800_000_000_000, message);
  const { signer } = await createSigningKey('EdDSA');
  const publicKey = fromBase64url(signer.publicJwk.x) ?? new Uint8Array();
  const logKey = encodeVerifierKey(verifierKey(ORIGIN, publicKey));
  let frontier = emptyFrontier;
  for (const { leaf } of entries(size, event)) frontier = appendLeaf(frontier, leafHash(leaf, sha256), sha256);
  const checkpoint = encodeCheckpoint({ origin: ORIGIN, size, root: frontierRoot(frontier, sha256) });
  const noteSigner = { name: ORIGIN, publicKey, sign: (bytes: Uint8Array) => signer.sign(bytes) };
  const note = await signNote(checkpoint, noteSigner);
  const lines = writeExport({ logKey, checkpoint: note, entries: entries(size, event) }, sha256);
  await pipeline(Readable.from(pages(lines)), createWriteStream(path));
  return { logKey };
}

/** As many events of a life are: a step of the ladder. */
export function routeStep(at: number, message: string): LogEvent {
  return eventSchema.parse({
    ...{ v: 1, kind: 'route.step', at, message, step: 1, channel: 'rcs-main', adapter: 'rcs-google' },
    ...{ use: 'notice', decision: 'taken', reason: 'due' },
  });
}

/** The same each time it is asked; salts that repeat are no secret here. */
function* entries(size: number, event: LogEvent): Generator<ExportEntry & { leaf: Uint8Array }> {
  for (let position = 0; position < size; position++) {
    const at = event.at + position;
    const record = canonicalJson({ ...event, at });
    const salt = sha256(utf8(`salt ${position}`));
    const commitment = commitRecord(salt, utf8(record), sha256);
    const leaf = leafData({ kind: event.kind, time: at, commitment });
    const place = { lane: position % LANES, seq: Math.floor(position / LANES) + 1 };
    yield { position, ...place, leaf, opening: { salt, record } };
  }
}

async function* pages(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let page = '';
  for await (const line of lines) {
    page += `${line}\n`;
    if (page.length < 65_536) continue;
    yield page;
    page = '';
  }
  yield page;
}
