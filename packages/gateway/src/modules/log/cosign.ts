/**
 * Taking a witness's cosignature: the note must be one this log signed, to the letter, and hold a valid signature of the
 * witness in the trust file. Only that line is kept; signatures of strangers are not stored.
 */
import type { Sql } from '@sealpost/platform';
import { equalBytes } from '@sealpost/protocol';
import { appendSignature, openCheckpoint, parseNote, type VerifierKey } from '@sealpost/tlog';
import { logError } from './log-errors.ts';

export interface CosignKeys {
  readonly logKey: VerifierKey;
  readonly witness: VerifierKey;
}

const KEEP = 'UPDATE log_checkpoint SET note = $2, witnessed = true WHERE size = $1 AND NOT witnessed';
const STORED = 'SELECT note FROM log_checkpoint WHERE size = $1';

/** Idempotent: a checkpoint that the witness signed before stays as it is. */
export async function keepCosignature(sql: Sql, note: string, { logKey, witness }: CosignKeys): Promise<void> {
  const opened = await openCheckpoint(note, { logKey, witnessKeys: [witness] });
  if (opened.kind === 'rejected' || opened.cosignedBy.length === 0) throw logError('ERR_LOG_COSIGNATURE');
  const { size } = opened.checkpoint;
  const [stored] = await sql.query<{ note: string }>('log-stored-note', STORED, [size]);
  if (stored === undefined || textOf(stored.note) !== textOf(note)) throw logError('ERR_LOG_CHECKPOINT_UNKNOWN');
  const line = witnessLine(note, witness);
  if (line === undefined) throw logError('ERR_LOG_COSIGNATURE');
  if (stored.note.includes(line)) return;
  await sql.query('log-cosign', KEEP, [size, appendSignature(stored.note, line)]);
}

function textOf(note: string): string | undefined {
  const parsed = parseNote(note);
  return parsed.kind === 'parsed' ? parsed.text : undefined;
}

/** The witness's signature line as it stands in the note; the note's last lines are its signatures. */
function witnessLine(note: string, witness: VerifierKey): string | undefined {
  const parsed = parseNote(note);
  if (parsed.kind !== 'parsed') return undefined;
  const at = parsed.signatures.findIndex(
    ({ name, keyId }) => name === witness.name && equalBytes(keyId, witness.keyId),
  );
  const line = at < 0 ? undefined : note.slice(parsed.text.length + 1).split('\n')[at];
  return line === undefined ? undefined : `${line}\n`;
}
