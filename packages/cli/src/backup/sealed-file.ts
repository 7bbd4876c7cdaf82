/**
 * A backup as a file: `sealpost-backup/1`, one line of JSON with the sealed file key, then the lines of the contents under
 * that key in 64 KiB records (RFC 8188). Written beside its place and moved there once it is on disk.
 */
import { randomBytes } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { openStream, StreamRefused, type UnwrappingKey, unwrapKey } from '@sealpost/crypto/open';
import { sealStream, wrapKey } from '@sealpost/crypto/seal';
import { fromUtf8, utf8 } from '@sealpost/protocol';
import { backupErrorAt } from './backup-errors.ts';
import type { Recipient } from './backup-key-schema.ts';
import { FORMAT, type Head, headSchema } from './sealed-head-schema.ts';

const KEY_LENGTH = 16;
const PURPOSE = 'sealpost/backup/v1';
/** Lines are gathered so that a record is not assembled from hundreds of pieces. */
const GATHERED = 65_536;
const HEAD_LIMIT = 4096;
/** A row holds at most an envelope or a welcome, each of which has a limit far below, in hexadecimal. */
const LINE_LIMIT = 64 * 1024 * 1024;

/** Throws ERR_BACKUP_EXISTS; leaves no half file. Answers its size. */
export async function writeSealedFile(
  path: string,
  recipient: Recipient,
  zone: Head['zone'],
  lines: AsyncIterable<string>,
): Promise<number> {
  if (existsSync(path)) throw backupErrorAt('ERR_BACKUP_EXISTS', path, 'exists');
  const [key, salt] = [new Uint8Array(randomBytes(KEY_LENGTH)), new Uint8Array(randomBytes(KEY_LENGTH))];
  const wrapped = await wrapKey(key, recipient.publicKey, { purpose: PURPOSE, binding: { key: recipient.id, zone } });
  const head: Head = { key: recipient.id, zone, ...wrapped };
  const part = `${path}.part-${process.pid}`;
  const file = await open(part, 'wx', 0o600);
  try {
    await file.appendFile(`${FORMAT}\n${JSON.stringify(head)}\n`);
    for await (const record of sealStream(gathered(lines), { key, salt })) await file.appendFile(record);
    await file.sync();
    const { size } = await file.stat();
    await file.close();
    await rename(part, path);
    return size;
  } catch (cause) {
    await file.close().catch(() => undefined);
    await rm(part, { force: true });
    throw cause;
  }
}

/** What stands outside the seal. Throws ERR_BACKUP_FILE, ERR_BACKUP_NEWER. */
export async function readHead(path: string): Promise<Head & { readonly length: number }> {
  const text = await readStart(path);
  const [format = '', json = ''] = text.split('\n');
  if (!format.startsWith('sealpost-backup/')) throw backupErrorAt('ERR_BACKUP_FILE', path, 'begins otherwise');
  if (format !== FORMAT)
    throw backupErrorAt('ERR_BACKUP_NEWER', path, `${format.slice(0, 40)}; this one reads ${FORMAT}`);
  const head = headSchema.safeParse(jsonOf(json)).data;
  if (head === undefined) throw backupErrorAt('ERR_BACKUP_FILE', path, 'has no readable head');
  return { ...head, length: format.length + json.length + 2 };
}

/** Lines without their newlines. Throws ERR_BACKUP_WRONG_KEY, _CUT, _ALTERED: act on no line before the last was read. */
export async function* readSealedFile(path: string, key: UnwrappingKey): AsyncGenerator<string> {
  const { length, zone, encapsulated, ciphertext, key: recipient } = await readHead(path);
  const context = { purpose: PURPOSE, binding: { key: key.id, zone } };
  const fileKey = recipient === key.id ? await unwrapKey({ encapsulated, ciphertext }, key, context) : undefined;
  if (fileKey === undefined) throw backupErrorAt('ERR_BACKUP_WRONG_KEY', path, `is sealed to ${recipient}`);
  try {
    yield* linesIn(openStream(createReadStream(path, { start: length }), fileKey), path);
  } catch (cause) {
    if (!(cause instanceof StreamRefused)) throw cause;
    const code = cause.reason === 'truncated' ? 'ERR_BACKUP_CUT' : 'ERR_BACKUP_ALTERED';
    throw backupErrorAt(code, path, cause.message, cause);
  }
}

async function* gathered(lines: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  let text = '';
  for await (const line of lines) {
    text += `${line}\n`;
    if (text.length < GATHERED) continue;
    yield utf8(text);
    text = '';
  }
  yield utf8(text);
}

async function* linesIn(chunks: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let waiting = '';
  for await (const chunk of chunks) {
    const pieces = (waiting + decoder.decode(chunk, { stream: true })).split('\n');
    waiting = pieces.pop() ?? '';
    if (waiting.length > LINE_LIMIT) throw backupErrorAt('ERR_BACKUP_ALTERED', path, 'a line is too long');
    yield* pieces;
  }
  if (waiting !== '') throw backupErrorAt('ERR_BACKUP_CUT', path, 'ends within a line');
}

async function readStart(path: string): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      const { bytesRead, buffer } = await file.read(new Uint8Array(HEAD_LIMIT), 0, HEAD_LIMIT, 0);
      const bytes = buffer.subarray(0, bytesRead);
      // Only the two lines are text.
      const end = bytes.indexOf(10, bytes.indexOf(10) + 1);
      return fromUtf8(bytes.subarray(0, end === -1 ? 0 : end));
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw backupErrorAt('ERR_BACKUP_FILE', path, 'cannot be read', cause);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
