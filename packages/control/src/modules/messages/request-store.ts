/** The rows of `message_request`: what was sealed for which caller's key, to the byte. */
import type { Sql } from '@sealpost/platform';
import {
  type ConsoleMessage,
  canonicalBytes,
  type EnvelopeId,
  type FlowName,
  fromUtf8,
  type MemberId,
  type MessageId,
  type Submission,
  submissionSchema,
  type Timestamp,
} from '@sealpost/protocol';

export interface StoredRequest {
  readonly principal: string;
  readonly key: string;
  readonly bodyHash: Uint8Array;
  readonly message: MessageId;
  readonly envelope: EnvelopeId;
  readonly flow: FlowName;
  readonly recipient: MemberId;
  readonly state: 'stored' | 'accepted';
  readonly submission: Submission;
  /** JWS, once accepted. */
  readonly receipt: string | null;
}

type Row = Omit<StoredRequest, 'submission'> & { readonly submission: Uint8Array };

const COLUMNS =
  'principal, key, body_hash AS "bodyHash", message, envelope, flow, recipient, state, submission, receipt';

export async function findRequest(sql: Sql, principal: string, key: string): Promise<StoredRequest | undefined> {
  const text = `SELECT ${COLUMNS} FROM message_request WHERE principal = $1 AND key = $2`;
  return read(await sql.query<Row>('message-request', text, [principal, key]));
}

export async function findByMessage(sql: Sql, message: MessageId): Promise<StoredRequest | undefined> {
  const text = `SELECT ${COLUMNS} FROM message_request WHERE message = $1`;
  return read(await sql.query<Row>('message-request-by-message', text, [message]));
}

export interface Sender {
  readonly application: string;
  readonly flow: FlowName;
}

export async function senderOf(sql: Sql, message: string): Promise<Sender | undefined> {
  const text = `SELECT substr(principal, 13) AS application, flow FROM message_request
    WHERE message = $1 AND principal LIKE 'application:%'`;
  return (await sql.query<Sender>('message-request-sender', text, [message]))[0];
}

/** Message ids are UUIDs of version 7: their order is that of time, and their unique index answers this. */
export async function newestRequests(
  sql: Sql,
  limit: number,
): Promise<Pick<ConsoleMessage, 'message' | 'flow' | 'to' | 'at'>[]> {
  return await sql.query(
    'message-request-newest',
    'SELECT message, flow, recipient AS "to", stored_at AS at FROM message_request ORDER BY message DESC LIMIT $1',
    [limit],
  );
}

/** Answers false when the caller's key is there already. */
export async function addRequest(
  tx: Sql,
  request: Omit<StoredRequest, 'state' | 'receipt'>,
  now: Timestamp,
): Promise<boolean> {
  const { principal, key, bodyHash, message, envelope, flow, recipient, submission } = request;
  const rows = await tx.query(
    'message-request-add',
    `INSERT INTO message_request (principal, key, body_hash, message, envelope, flow, recipient, state, submission, stored_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, 'stored', $8, $9) ON CONFLICT (principal, key) DO NOTHING RETURNING message`,
    [principal, key, bodyHash, message, envelope, flow, recipient, canonicalBytes(submission), now],
  );
  return rows.length === 1;
}

/** The same envelopes under a statement that has not expired. */
export async function replaceSubmission(sql: Sql, message: MessageId, submission: Submission): Promise<void> {
  await sql.query(
    'message-request-resigned',
    "UPDATE message_request SET submission = $2 WHERE message = $1 AND state = 'stored'",
    [message, canonicalBytes(submission)],
  );
}

export async function markAccepted(sql: Sql, message: MessageId, receipt: string): Promise<void> {
  await sql.query(
    'message-request-accepted',
    "UPDATE message_request SET state = 'accepted', receipt = $2 WHERE message = $1 AND state = 'stored'",
    [message, receipt],
  );
}

/** Only for what the gateway has refused for good: its key may be used to seal anew. */
export async function discardRequest(sql: Sql, message: MessageId): Promise<void> {
  await sql.query('message-request-discard', "DELETE FROM message_request WHERE message = $1 AND state = 'stored'", [
    message,
  ]);
}

function read([row]: readonly Row[]): StoredRequest | undefined {
  if (row === undefined) return undefined;
  return { ...row, submission: submissionSchema.parse(JSON.parse(fromUtf8(row.submission))) };
}
