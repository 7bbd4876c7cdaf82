/**
 * Console sessions: an approver's invitation lets one browser in to read for twelve hours. The code is bound to the first
 * key that comes with it; the same key may come again and gets the same session, another never. What a session may do is
 * decided where it is asked for: `consoleSession` of identity.
 */
import type { PublicJwk } from '@sealpost/crypto/signer';
import type { Database, Sql, Surroundings } from '@sealpost/platform';
import {
  type ApprovedObject,
  type controlApi,
  type SessionId,
  sessionIdSchema,
  type Trust,
  toBase64url,
} from '@sealpost/protocol';
import { importJWK } from 'jose';
import type { z } from 'zod';
import type { VerifiedApproval } from './approvals.ts';
import { codeHashOf, createAttempts, mayLive } from './codes.ts';
import { identityError } from './identity-errors.ts';

type SignIn = z.output<typeof controlApi.consoleSignInSchema>;
type Session = z.output<typeof controlApi.consoleSessionSchema>;
type SessionKey = Extract<PublicJwk, { crv: 'P-256' }>;

const LIFETIME = 12 * 3_600_000;

export interface ConsoleSessions {
  /** Throws ERR_IDENTITY_CODE_LIFETIME for an invitation that has ended or lives too long. */
  checkInvitation(object: ApprovedObject<'console.invite'>): void;
  addInvitation(tx: Sql, object: ApprovedObject<'console.invite'>, approval: VerifiedApproval): Promise<void>;
  /** `address`: where the request came from, to limit guessing. Throws one of ERR_IDENTITY_CODE… or ERR_IDENTITY_KEY. */
  signIn(request: SignIn, address: string): Promise<Session>;
  /** The key of a session that is open now; `undefined` once it has ended, or its approver is none any more. */
  key(session: string): Promise<SessionKey | undefined>;
  /** Harmless to repeat. */
  signOut(session: SessionId): Promise<void>;
}

interface SessionRow {
  readonly session: string;
  readonly x: string;
  readonly y: string;
  readonly expires: number;
}

export function createConsoleSessions(deps: {
  database: Database;
  trust: Trust;
  surroundings: Surroundings;
}): ConsoleSessions {
  const { database, trust, surroundings } = deps;
  const attempts = createAttempts({ sql: database, surroundings, kind: 'console' });

  const invitation = async (codeHash: string, address: string): Promise<{ approver: string }> => {
    const retryAfter = await attempts.wait(address);
    if (retryAfter !== undefined) throw identityError('ERR_IDENTITY_CODE_LIMITED', { retryAfter });
    const [row] = await database.query<{ approver: string }>(
      'console-invite-open',
      'SELECT approver FROM console_invite WHERE code_hash = $1 AND expires_at > $2',
      [codeHash, surroundings.now()],
    );
    if (row !== undefined) return row;
    await attempts.failed(address);
    throw identityError('ERR_IDENTITY_CODE');
  };

  /** The session this code has made, when the same key asks again. Throws ERR_IDENTITY_CODE_USED to any other. */
  const madeBefore = async (tx: Sql, codeHash: string, { x, y }: SessionKey): Promise<Session> => {
    const [row] = await tx.query<SessionRow>(
      'console-session-of-code',
      `SELECT s.session, s.x, s.y, s.expires_at AS expires FROM console_invite i
       JOIN console_session s ON s.session = i.session WHERE i.code_hash = $1`,
      [codeHash],
    );
    if (row === undefined || row.x !== x || row.y !== y) throw identityError('ERR_IDENTITY_CODE_USED');
    return { session: sessionIdSchema.parse(row.session), expires: row.expires };
  };

  return {
    checkInvitation({ expires }) {
      if (mayLive(expires, surroundings.now())) return;
      const details = [{ pointer: '/object/expires', detail: 'is past or too far ahead' }];
      throw identityError('ERR_IDENTITY_CODE_LIFETIME', { details });
    },
    async addInvitation(tx, { codeHash, expires }, approval) {
      await tx.query('console-invites-prune', 'DELETE FROM console_invite WHERE expires_at < $1', [surroundings.now()]);
      await tx.query(
        'console-invite-add',
        'INSERT INTO console_invite (code_hash, approver, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
        [codeHash, approval.approver, Math.min(expires, approval.expires)],
      );
    },
    async signIn({ code, publicKey }, address) {
      const codeHash = codeHashOf(code);
      const { approver } = await invitation(codeHash, address);
      await requireOnCurve(publicKey);
      const session = sessionIdSchema.parse(`ses_${toBase64url(surroundings.random(16))}`);
      const [now, expires] = [surroundings.now(), surroundings.now() + LIFETIME];
      return database.transaction(async (tx) => {
        await tx.query('console-sessions-prune', 'DELETE FROM console_session WHERE expires_at <= $1', [now]);
        const bound = await tx.query(
          'console-invite-bind',
          'UPDATE console_invite SET session = $2 WHERE code_hash = $1 AND session IS NULL RETURNING 1 AS bound',
          [codeHash, session],
        );
        if (bound.length === 0) return madeBefore(tx, codeHash, publicKey);
        await tx.query(
          'console-session-add',
          'INSERT INTO console_session (session, x, y, approver, expires_at) VALUES ($1, $2, $3, $4, $5)',
          [session, publicKey.x, publicKey.y, approver, expires],
        );
        return { session, expires };
      });
    },
    async key(session) {
      const [row] = await database.query<{ x: string; y: string }>(
        'console-session-key',
        'SELECT x, y FROM console_session WHERE session = $1 AND expires_at > $2 AND approver = ANY($3)',
        [session, surroundings.now(), trust.approvers.map(({ id }) => id)],
      );
      return row === undefined ? undefined : { crv: 'P-256', kty: 'EC', x: row.x, y: row.y };
    },
    async signOut(session) {
      await database.query('console-session-end', 'DELETE FROM console_session WHERE session = $1', [session]);
    },
  };
}

/** Throws ERR_IDENTITY_KEY: a point that is not on the curve could never sign anything. */
async function requireOnCurve(key: SessionKey): Promise<void> {
  await importJWK({ ...key }, 'ES256').catch((cause: unknown) => {
    const details = [{ pointer: '/publicKey', detail: 'is no point of P-256' }];
    throw identityError('ERR_IDENTITY_KEY', { cause, details });
  });
}
