/** Every way a backup is refused. Nothing is changed by any of them: a restore is one transaction, or it is none. */
import { type ErrorTable, errorsOf } from '@sealpost/protocol';

export const BACKUP_ERRORS = {
  ERR_BACKUP_KEY: {
    kind: 'invalid',
    sentence: 'The backup key cannot be read.',
    hint: 'Give the file that `sealpost backup key-create` wrote: the public one to create, the private one to verify and restore.',
  },
  ERR_BACKUP_FILE: {
    kind: 'invalid',
    sentence: 'The file is not a backup of Sealpost.',
    hint: 'Give a file that `sealpost backup create` wrote.',
  },
  ERR_BACKUP_NEWER: {
    kind: 'invalid',
    sentence: 'The backup was written by a newer Sealpost.',
    hint: 'Use that version or a newer one; data is never migrated backwards.',
  },
  ERR_BACKUP_WRONG_KEY: {
    kind: 'integrity',
    sentence: 'The backup was sealed to another key, or its head was changed.',
    hint: 'Give the private key whose id the details name; without it nobody can open this backup.',
  },
  ERR_BACKUP_CUT: {
    kind: 'integrity',
    sentence: 'The backup ends before its end.',
    hint: 'Copy the file again, or use another backup; nothing of this one was restored.',
  },
  ERR_BACKUP_ALTERED: {
    kind: 'integrity',
    sentence: 'The backup is not what the zone wrote and signed.',
    hint: 'Use another backup, and ask who could write to this one; nothing of it was restored.',
  },
  ERR_BACKUP_FOREIGN: {
    kind: 'integrity',
    sentence: 'The backup is of another organisation, or its trust file does not verify against the root.',
    hint: 'Give the operator’s folder of the organisation this backup was taken from.',
  },
  ERR_BACKUP_LOG: {
    kind: 'integrity',
    sentence: 'The log in the backup does not agree with itself, or not with the checkpoint it was compared with.',
    hint: 'Keep the file and the checkpoint as evidence; use another backup.',
  },
  ERR_BACKUP_OUTSIDE: {
    kind: 'invalid',
    sentence: 'The checkpoint or export to compare with cannot be read.',
    hint: 'Give a file that `sealpost log export` wrote, or a signed checkpoint as GET /v1/log/checkpoint answers it.',
  },
  ERR_BACKUP_FORGETS: {
    kind: 'conflict',
    sentence: 'The log may have, or has, promised more than this backup holds.',
    hint: 'Use a newer backup, or give the newest export or checkpoint with --checkpoint; --unsafe-forget restores in spite of it, and the log then says so.',
  },
  ERR_BACKUP_NOT_EMPTY: {
    kind: 'conflict',
    sentence: 'What is to be restored into holds data already.',
    hint: 'Restore into a new data folder and empty databases; nothing is ever restored over data.',
  },
  ERR_BACKUP_UNFIT: {
    kind: 'invalid',
    sentence: 'The configuration is not of the zone that the backup is of, or a backup is missing or given twice.',
    hint: 'Give each zone’s backup once, and with --config the configuration of that zone.',
  },
  ERR_BACKUP_NO_CONFIG: {
    kind: 'invalid',
    sentence: 'There is no zone to take a backup of.',
    hint: 'Name the data folder of `sealpost start` with --data, or one zone with --zone and its configuration with --config.',
  },
  ERR_BACKUP_EXISTS: {
    kind: 'conflict',
    sentence: 'A file of that name exists already.',
    hint: 'Choose another name; neither backups nor backup keys are overwritten.',
  },
} as const satisfies ErrorTable;
export const backupError = errorsOf(BACKUP_ERRORS);

/** The same error with a place and what is wrong there. */
export function backupErrorAt(code: keyof typeof BACKUP_ERRORS, pointer: string, detail: string, cause?: unknown) {
  return backupError(code, { details: [{ pointer: pointer.slice(0, 256), detail }], ...(cause ? { cause } : {}) });
}
