/**
 * The registry of who may be reached and who may send. Telephone numbers are sealed under a key of the key store, bound
 * to their member, and opened only by `member`; alert senders' secrets are kept as hashes.
 */
import { openState } from '@sealpost/crypto/open';
import { sealState } from '@sealpost/crypto/seal';
import type { Sql, Surroundings } from '@sealpost/platform';
import { type ApprovedObject, fromBase64url, fromUtf8, type MemberId, utf8 } from '@sealpost/protocol';
import { identityError } from './identity-errors.ts';

export interface Member {
  readonly member: MemberId;
  readonly displayName: string;
  /** E.164; only for sealing a carriage, never for logs or answers. */
  readonly phone?: string;
}

export interface Application {
  readonly application: string;
  /** `x` of the Ed25519 JWK. */
  readonly publicKey: string;
  readonly flows: readonly string[];
}

export interface AlertSender {
  readonly sender: string;
  readonly flow: string;
  readonly recipient: string;
  readonly secretHash: Uint8Array;
}

export interface Registry {
  registerMember(tx: Sql, member: ApprovedObject<'member.register'>): Promise<void>;
  registerApplication(tx: Sql, application: ApprovedObject<'application.register'>): Promise<void>;
  registerAlertSender(tx: Sql, sender: ApprovedObject<'alert-sender.register'>): Promise<void>;
  /** Lookups answer `undefined` for a name that is not registered. */
  member(id: string): Promise<Member | undefined>;
  hasMember(id: string): Promise<boolean>;
  application(id: string): Promise<Application | undefined>;
  alertSender(id: string): Promise<AlertSender | undefined>;
}

const PHONE_VERSION = 1;
const phonePurpose = (member: string) => `sealpost/control/member-phone/${member}`;

interface MemberRow {
  readonly display_name: string;
  readonly phone: Uint8Array | null;
}

export function createRegistry(deps: { sql: Sql; storageKey: Uint8Array; surroundings: Surroundings }): Registry {
  const { sql, storageKey, surroundings } = deps;
  return {
    async registerMember(tx, { member, displayName, phone }) {
      const sealed = phone === undefined ? null : await sealPhone(member, phone, storageKey);
      await tx.query(
        'member-register',
        `INSERT INTO member (member, display_name, phone, registered_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (member) DO UPDATE SET display_name = excluded.display_name, phone = excluded.phone, registered_at = excluded.registered_at`,
        [member, displayName, sealed, surroundings.now()],
      );
    },
    async registerApplication(tx, { application, publicKey, flows }) {
      await tx.query(
        'application-register',
        `INSERT INTO application (application, public_key, flows, registered_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (application) DO UPDATE SET public_key = excluded.public_key, flows = excluded.flows, registered_at = excluded.registered_at`,
        [application, publicKey.x, flows, surroundings.now()],
      );
    },
    async registerAlertSender(tx, { sender, flow, to, secretHash }) {
      await tx.query(
        'alert-sender-register',
        `INSERT INTO alert_sender (sender, flow, recipient, secret_hash, registered_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (sender) DO UPDATE SET flow = excluded.flow, recipient = excluded.recipient, secret_hash = excluded.secret_hash, registered_at = excluded.registered_at`,
        [sender, flow, to, fromBase64url(secretHash) ?? new Uint8Array(32), surroundings.now()],
      );
    },
    async member(id) {
      const [row] = await sql.query<MemberRow & { member: MemberId }>(
        'member-by-id',
        'SELECT member, display_name, phone FROM member WHERE member = $1',
        [id],
      );
      if (row === undefined) return undefined;
      const known = { member: row.member, displayName: row.display_name };
      return row.phone === null ? known : { ...known, phone: await openPhone(id, row.phone, storageKey) };
    },
    async hasMember(id) {
      return (await sql.query('member-exists', 'SELECT 1 AS found FROM member WHERE member = $1', [id])).length === 1;
    },
    async application(id) {
      const [row] = await sql.query<Application>(
        'application-by-id',
        'SELECT application, public_key AS "publicKey", flows FROM application WHERE application = $1',
        [id],
      );
      return row;
    },
    async alertSender(id) {
      const [row] = await sql.query<AlertSender>(
        'alert-sender-by-id',
        'SELECT sender, flow, recipient, secret_hash AS "secretHash" FROM alert_sender WHERE sender = $1',
        [id],
      );
      return row;
    },
  };
}

function sealPhone(member: string, phone: string, storageKey: Uint8Array): Promise<Uint8Array> {
  return sealState(utf8(phone), storageKey, { purpose: phonePurpose(member), version: PHONE_VERSION });
}

async function openPhone(member: string, sealed: Uint8Array, storageKey: Uint8Array): Promise<string> {
  // A copy: what the database driver hands out may be a window onto a larger buffer.
  const opened = await openState(Uint8Array.from(sealed), storageKey, {
    purpose: phonePurpose(member),
    version: PHONE_VERSION,
  });
  if (opened.kind === 'refused') throw identityError('ERR_IDENTITY_PHONE');
  return fromUtf8(opened.state);
}
