/**
 * A small log made up for tests: fixed salts, times and keys, so that every run sees the same bytes. Ed25519 through
 * WebCrypto (RFC 8032 signatures are deterministic), so the same tests run in Node and in a browser.
 */
import {
  appendLeaf,
  appendSignature,
  commitRecord,
  cosignatureLine,
  type ExportEntry,
  emptyFrontier,
  encodeCheckpoint,
  encodeVerifierKey,
  frontierRoot,
  leafData,
  leafHash,
  type NoteSigner,
  signNote,
  verifierKey,
  writeExport,
} from '../src/index.ts';

/** PKCS #8 wrapping of an Ed25519 seed (RFC 8410 section 7). */
const PKCS8 = Uint8Array.from([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20]);

export function hex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function base64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export async function signerFrom(name: string, seed: Uint8Array): Promise<NoteSigner> {
  const pkcs8 = Uint8Array.from([...PKCS8, ...seed]);
  const key = await crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', true, ['sign']);
  const { x = '' } = await crypto.subtle.exportKey('jwk', key);
  return {
    name,
    publicKey: base64(`${x.replaceAll('-', '+').replaceAll('_', '/')}=`),
    sign: async (bytes) => new Uint8Array(await crypto.subtle.sign('Ed25519', key, new Uint8Array(bytes))),
  };
}

export const logSigner = (): Promise<NoteSigner> => signerFrom('log.example/shard-0', new Uint8Array(32).fill(1));
export const witnessSigner = (): Promise<NoteSigner> => signerFrom('control.example/w', new Uint8Array(32).fill(2));

/** Entry `position`; the third of every five is erased. Records hold text beyond ASCII on purpose. */
export function sampleEntry(position: number): ExportEntry {
  const salt = new Uint8Array(32).map((_, i) => (position * 7 + i) % 256);
  const record = `{"note":"réçu ✓ \\"${position}\\" 🙂","to":"device-${position}"}`;
  const commitment = commitRecord(salt, bytesOf(record));
  const leaf = leafData({ kind: 'receipt/delivered', time: 1_790_000_000_000 + position, commitment });
  const shared = { position, lane: position % 3, seq: Math.floor(position / 3), leaf };
  return position % 5 === 2 ? shared : { ...shared, opening: { salt, record } };
}

export type SampleLog = {
  readonly logKey: string;
  readonly witnessKey: string;
  readonly checkpoint: string;
  readonly entries: readonly ExportEntry[];
  readonly leafHashes: readonly Uint8Array[];
  readonly lines: readonly string[];
};

/** A log of `size` sample entries, signed, cosigned at 1_790_000_100 s, exported. */
export async function sampleLog(size: number, change = (entry: ExportEntry) => entry): Promise<SampleLog> {
  const [log, witness] = [await logSigner(), await witnessSigner()];
  const entries = Array.from({ length: size }, (_, i) => change(sampleEntry(i)));
  const leafHashes = entries.map((entry) => leafHash(entry.leaf));
  const frontier = leafHashes.reduce((before, hash) => appendLeaf(before, hash), emptyFrontier);
  const signed = await signNote(encodeCheckpoint({ origin: log.name, size, root: frontierRoot(frontier) }), log);
  const checkpoint = appendSignature(signed, await cosignatureLine(signed, witness, 1_790_000_100));
  const logKey = encodeVerifierKey(verifierKey(log.name, log.publicKey));
  const witnessKey = encodeVerifierKey(verifierKey(witness.name, witness.publicKey, 'cosignature/v1'));
  const lines = await collect(writeExport({ logKey, checkpoint, entries }));
  return { logKey, witnessKey, checkpoint, entries, leafHashes, lines };
}

export function fileOf(lines: readonly string[]): Uint8Array {
  return bytesOf(lines.map((line) => `${line}\n`).join(''));
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
