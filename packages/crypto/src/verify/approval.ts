/**
 * Verifying an approval (protocol/approval.ts): a person's signature under one action on one object, in its time. That
 * it is used once, the caller sees to by its `id`.
 */

import {
  APPROVAL_TYPE,
  APPROVED_OBJECTS,
  type Approval,
  type ApprovalAction,
  approvalSchema,
  canonicalBytes,
  type KeyId,
  type Organisation,
  type Timestamp,
  toBase64url,
  utf8,
} from '@sealpost/protocol';
import { sha256 } from '#primitives';
import type { PublicJwk } from '../signer/signer.ts';
import { verifyJws } from './jws.ts';

export interface NamedKey {
  readonly id: KeyId;
  readonly jwk: PublicJwk;
}

export interface ApprovalContext {
  /** Who may approve: `trust.approvers`. */
  readonly approvers: readonly NamedKey[];
  readonly organisation: Organisation;
  readonly now: Timestamp;
}

export type ApprovalVerdict =
  | {
      readonly kind: 'ok';
      readonly approval: Approval;
      /** SHA-256 of the JWS, base64url. */
      readonly id: string;
    }
  | {
      readonly kind: 'refused';
      readonly reason:
        | 'malformed'
        | 'approver'
        | 'signature'
        | 'organisation'
        | 'action'
        | 'object'
        | 'not-yet-valid'
        | 'expired';
    };

/** Clocks of two machines; an approval is made on another one. */
const CLOCK_SKEW = 60_000;

const refused = (reason: Extract<ApprovalVerdict, { kind: 'refused' }>['reason']): ApprovalVerdict => ({
  kind: 'refused',
  reason,
});

export async function verifyApproval(
  jws: string,
  object: unknown,
  action: ApprovalAction,
  { approvers, organisation, now }: ApprovalContext,
): Promise<ApprovalVerdict> {
  const keys = (keyId: KeyId) => approvers.find(({ id }) => id === keyId)?.jwk;
  const verdict = await verifyJws(jws, { typ: APPROVAL_TYPE, keys, schema: approvalSchema });
  if (verdict.kind === 'refused') {
    if (verdict.reason === 'unknown-key') return refused('approver');
    return refused(verdict.reason === 'signature' ? 'signature' : 'malformed');
  }
  const { payload: approval, keyId } = verdict;
  if (approval.approver !== keyId) return refused('approver');
  if (approval.organisation !== organisation) return refused('organisation');
  if (approval.action !== action) return refused('action');
  if (approval.object !== objectHash(object, action)) return refused('object');
  if (approval.issued > now + CLOCK_SKEW) return refused('not-yet-valid');
  if (approval.expires <= now) return refused('expired');
  return { kind: 'ok', approval, id: toBase64url(sha256(utf8(jws))) };
}

/** Answers `undefined` for an object the action is not about. */
function objectHash(object: unknown, action: ApprovalAction): string | undefined {
  const parsed = APPROVED_OBJECTS[action].safeParse(object);
  return parsed.success ? toBase64url(sha256(canonicalBytes(parsed.data))) : undefined;
}
