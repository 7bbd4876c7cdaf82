/**
 * Approvals: an approver's signature over one action on one object is checked against the trust file and spent once.
 * Spending is keyed by action and object, so a second signature over the same object buys nothing either.
 */
import { type ApprovalVerdict, sha256, verifyApproval } from '@sealpost/crypto/verify';
import type { Sql, Surroundings } from '@sealpost/platform';
import {
  type ApprovalAction,
  type ApprovedObject,
  canonicalBytes,
  type Timestamp,
  type Trust,
  toBase64url,
} from '@sealpost/protocol';
import { identityError } from './identity-errors.ts';

/** An approval that was verified now and not yet spent. */
export interface VerifiedApproval {
  readonly action: ApprovalAction;
  /** SHA-256 of the canonical object, base64url. */
  readonly object: string;
  readonly id: string;
  readonly approver: string;
  /** After this nothing may rest on it any more. */
  readonly expires: Timestamp;
}

export interface Approvals {
  /** Throws ERR_IDENTITY_APPROVAL or ERR_IDENTITY_APPROVAL_EXPIRED. Changes nothing. */
  approve<A extends ApprovalAction>(action: A, object: ApprovedObject<A>, jws: string): Promise<VerifiedApproval>;
  /** Marks it used within the caller's transaction; `already` when the same object was carried out before. */
  spend(tx: Sql, approval: VerifiedApproval): Promise<'done' | 'already'>;
}

export function createApprovals({ trust, surroundings }: { trust: Trust; surroundings: Surroundings }): Approvals {
  return {
    async approve(action, object, jws) {
      const { approvers, organisation } = trust;
      const verdict = await verifyApproval(jws, object, action, { approvers, organisation, now: surroundings.now() });
      if (verdict.kind === 'refused') throw refusal(verdict);
      return {
        action,
        object: toBase64url(sha256(canonicalBytes(object))),
        id: verdict.id,
        approver: verdict.approval.approver,
        expires: verdict.approval.expires,
      };
    },
    async spend(tx, { action, object, id, approver }) {
      const rows = await tx.query(
        'approval-spend',
        'INSERT INTO approval_used (action, object, approval, approver, used_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING 1 AS spent',
        [action, object, id, approver, surroundings.now()],
      );
      return rows.length === 1 ? 'done' : 'already';
    },
  };
}

function refusal({ reason }: Extract<ApprovalVerdict, { kind: 'refused' }>) {
  const lapsed = reason === 'expired' || reason === 'not-yet-valid';
  return identityError(lapsed ? 'ERR_IDENTITY_APPROVAL_EXPIRED' : 'ERR_IDENTITY_APPROVAL', {
    details: [{ pointer: '/approval', detail: reason }],
  });
}
