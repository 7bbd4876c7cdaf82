/**
 * Invitations: an approved object that lets one member enrol one device with a code known only as its hash. A code is
 * bound to the first key that comes with it; the same key may come again, another never.
 */
import type { Sql, Surroundings } from '@sealpost/platform';
import {
  APPROVED_OBJECTS,
  type ApprovedObject,
  canonicalJson,
  type DeviceId,
  deviceIdSchema,
  type KeyId,
  type MemberId,
  memberIdSchema,
} from '@sealpost/protocol';
import { codeHashOf, mayLive } from '../identity/index.ts';
import { enrollmentError } from './enrollment-errors.ts';

const LIFETIME = 10 * 60_000;
/** Requests with the right code that prove nothing. */
const TRIES = 5;

export interface Invite {
  readonly codeHash: string;
  readonly member: MemberId;
  readonly object: ApprovedObject<'device.invite'>;
  readonly approval: string;
  readonly boundTo: { readonly device: DeviceId; readonly keyId: string } | undefined;
}

export interface Invites {
  /** Throws ERR_ENROLLMENT_INVITE for one that has ended or lives too long. */
  checkLifetime(object: ApprovedObject<'device.invite'>): void;
  /** `until`: when the approval behind it ends, after which it could prove nothing. */
  add(tx: Sql, object: ApprovedObject<'device.invite'>, approval: string, until: number): Promise<void>;
  /** An invitation that is open now, or `undefined`: unknown, ended and worn out are told apart nowhere. */
  open(code: string): Promise<Invite | undefined>;
  /** Counts a request that had the right code and nothing else. */
  tried(codeHash: string): Promise<void>;
  /** Binds the code to a key. Throws ERR_ENROLLMENT_USED when another key was first. */
  bind(tx: Sql, codeHash: string, device: DeviceId, key: KeyId): Promise<void>;
}

interface InviteRow {
  readonly code_hash: string;
  readonly member: string;
  readonly object: string;
  readonly approval: string;
  readonly device: string | null;
  readonly key_id: string | null;
}

export function createInvites({ sql, surroundings }: { sql: Sql; surroundings: Surroundings }): Invites {
  return {
    checkLifetime({ expires }) {
      if (!mayLive(expires, surroundings.now())) {
        throw enrollmentError('ERR_ENROLLMENT_INVITE', {
          details: [{ pointer: '/object/expires', detail: 'is past or too far ahead' }],
        });
      }
    },
    async add(tx, object, approval, until) {
      await tx.query('invites-prune', 'DELETE FROM invite WHERE expires_at < $1', [surroundings.now() - LIFETIME]);
      await tx.query(
        'invite-add',
        'INSERT INTO invite (code_hash, member, object, approval, expires_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING',
        [object.codeHash, object.member, canonicalJson(object), approval, Math.min(object.expires, until)],
      );
    },
    async open(code) {
      const [row] = await sql.query<InviteRow>(
        'invite-open',
        'SELECT code_hash, member, object, approval, device, key_id FROM invite WHERE code_hash = $1 AND expires_at > $2 AND tries < $3',
        [codeHashOf(code), surroundings.now(), TRIES],
      );
      return row === undefined ? undefined : inviteOf(row);
    },
    async tried(codeHash) {
      await sql.query('invite-tried', 'UPDATE invite SET tries = tries + 1 WHERE code_hash = $1', [codeHash]);
    },
    async bind(tx, codeHash, device, key) {
      const rows = await tx.query(
        'invite-bind',
        'UPDATE invite SET device = $2, key_id = $3 WHERE code_hash = $1 AND (key_id IS NULL OR key_id = $3) RETURNING 1 AS bound',
        [codeHash, device, key],
      );
      if (rows.length === 0) throw enrollmentError('ERR_ENROLLMENT_USED');
    },
  };
}

function inviteOf(row: InviteRow): Invite {
  const { code_hash: codeHash, approval, device, key_id: keyId } = row;
  return {
    codeHash,
    member: memberIdSchema.parse(row.member),
    object: APPROVED_OBJECTS['device.invite'].parse(JSON.parse(row.object)),
    approval,
    boundTo: device === null || keyId === null ? undefined : { device: deviceIdSchema.parse(device), keyId },
  };
}
