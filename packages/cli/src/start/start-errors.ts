/** What can stand in the way of a start, each with a way out. */
import { type ErrorTable, errorsOf } from '@sealpost/protocol';

export const START_ERRORS = {
  ERR_START_FOLDER: {
    kind: 'invalid',
    sentence: 'The data folder cannot be written.',
    hint: 'Choose another with --data DIR, or give this user the folder: chown -R "$(id -un)" DIR.',
  },
  ERR_START_LOCKED: {
    kind: 'conflict',
    sentence: 'Another Sealpost is running on this data folder.',
    hint: 'Stop the process named, or choose another folder with --data DIR and other ports with --port-base N.',
  },
  ERR_START_NEWER: {
    kind: 'conflict',
    sentence: 'The data folder was written by a newer Sealpost.',
    hint: 'Start that version or newer; data is never migrated backwards.',
  },
  ERR_START_FORMAT: {
    kind: 'integrity',
    sentence: 'format.json of the data folder cannot be read.',
    hint: 'Restore it from backup; an empty folder is set up anew, a damaged one is not guessed at.',
  },
  ERR_START_FOREIGN: {
    kind: 'invalid',
    sentence: 'The data folder holds files that are not Sealpost’s.',
    hint: 'Choose an empty or new folder with --data DIR.',
  },
  ERR_START_PORT: {
    kind: 'conflict',
    sentence: 'A port this needs is taken.',
    hint: 'Stop the process named, or choose other ports with --port-base N.',
  },
  ERR_START_PORT_BASE: {
    kind: 'invalid',
    sentence: 'The port base leaves no room for the ports above it.',
    hint: 'Choose a number from 1024 to 65000.',
  },
  ERR_START_SERVICE: {
    kind: 'unavailable',
    sentence: 'A service did not start.',
    hint: 'Its log in the data folder says why; `sealpost doctor` checks the surroundings.',
  },
  ERR_START_DATABASE_URL: {
    kind: 'invalid',
    sentence: 'The URL does not name a PostgreSQL server.',
    hint: 'Give postgresql://host:5432 without role, password or database; off this machine its certificate is verified, ?sslrootcert=FILE names the CA.',
  },
  ERR_START_DATABASE_TAKEN: {
    kind: 'conflict',
    sentence: 'This data folder has data in the embedded PostgreSQL.',
    hint: 'Take a backup, prepare a new data folder with this URL, and restore into that.',
  },
} as const satisfies ErrorTable;
export const startError = errorsOf(START_ERRORS);
