/** The proof: the whole log and one read receipt verified offline, and the same file refused once a byte is changed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MessageId } from '@sealpost/protocol';
import { findReceipt, type LogKeys, verifyLogFile } from '../log/verify-log.ts';
import { timelineHas } from './acts.ts';
import type { Stage } from './stage.ts';
import { must, type Steps, until } from './steps.ts';

export async function proveIt(
  stage: Stage,
  steps: Steps,
  folder: string,
  keys: LogKeys,
  message: MessageId,
): Promise<string> {
  const file = join(folder, 'log-export.jsonl');
  const receipt = await steps.run('proof.export', 'the log, exported once the read receipt was sequenced', async () => {
    const { event } = await until(
      'sequenced read receipt',
      async () => {
        const found = await timelineHas(stage, message, 'receipt.device', (candidate) => candidate.receipt === 'read');
        return found.position === null ? undefined : found;
      },
      stage.surroundings.now,
    );
    writeFileSync(file, await stage.control.text('/v1/log/export', await stage.operator.token()));
    return event.jws;
  });
  await steps.run('proof.verified', 'every entry verified offline against the signed checkpoint', async () => {
    const verdict = await verifyLogFile(file, keys);
    must(verdict.kind === 'ok' && verdict.size > 0, 'a verified log');
  });
  await steps.run('proof.receipt', 'the read receipt’s inclusion verified offline', async () => {
    must((await findReceipt(file, receipt, keys)).kind === 'found', 'the receipt in the log');
  });
  await steps.run('proof.tampered', 'one changed byte makes it fail and names the entry', async () => {
    const { changed, entry } = changeOneByte(readFileSync(file), receipt);
    const tampered = join(folder, 'log-export-tampered.jsonl');
    writeFileSync(tampered, changed);
    const verdict = await verifyLogFile(tampered, keys);
    must(verdict.kind === 'failed' && verdict.entry === entry, 'failure naming the entry');
  });
  return file;
}

/** Flips the lowest bit of one byte inside the receipt's own entry; lines are header first, then one an entry. */
function changeOneByte(bytes: Uint8Array, receipt: string): { changed: Uint8Array; entry: number } {
  const at = Buffer.from(bytes).indexOf(receipt) + Math.floor(receipt.length / 2);
  const changed = new Uint8Array(bytes);
  changed[at] = (changed[at] ?? 0) ^ 1;
  const line = bytes.subarray(Buffer.from(bytes).lastIndexOf(0x0a, at) + 1, Buffer.from(bytes).indexOf(0x0a, at));
  const { position } = JSON.parse(Buffer.from(line).toString('utf8')) as { position: number };
  return { changed, entry: position };
}
