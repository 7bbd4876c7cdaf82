/**
 * An approval: a person's signature under one action on one object (JWS, `typ` below). The object stands beside it; the
 * approval names its hash, so it can be used for nothing else, and it is accepted once, before it expires.
 */
import { z } from 'zod';
import {
  base64urlSchema,
  flowNameSchema,
  keyIdSchema,
  memberIdSchema,
  organisationSchema,
  type SessionId,
  timestampSchema,
  vendorNameSchema,
} from './ids.ts';

export const APPROVAL_TYPE = 'sealpost-approval+jwt';

export const APPROVAL_ACTIONS = [
  'member.register',
  'application.register',
  'alert-sender.register',
  'device.invite',
  'device.revoke',
  'console.invite',
  'bundle.apply',
  'vendor.switch',
] as const;

export const approvalSchema = z.strictObject({
  v: z.literal(1),
  organisation: organisationSchema,
  action: z.enum(APPROVAL_ACTIONS),
  /** SHA-256 of the canonical object, base64url. */
  object: base64urlSchema(43),
  approver: keyIdSchema,
  issued: timestampSchema,
  expires: timestampSchema,
});
export type Approval = z.infer<typeof approvalSchema>;
export type ApprovalAction = Approval['action'];

const e164 = z.string().regex(/^\+[1-9][0-9]{6,14}$/, 'use E.164, for example +4915112345678');

/** The objects an approval can be about, one schema per action. `nonce` makes two equal wishes two objects. */
export const APPROVED_OBJECTS = {
  'member.register': z.strictObject({
    member: memberIdSchema,
    displayName: z.string().min(1).max(100),
    phone: e164.optional(),
    nonce: base64urlSchema(22),
  }),
  'application.register': z.strictObject({
    application: memberIdSchema,
    publicKey: z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: base64urlSchema(43) }),
    flows: z.array(flowNameSchema).min(1).max(100),
    nonce: base64urlSchema(22),
  }),
  /** A sender that can only hold a secret: hashed here, scoped to one flow and one recipient. */
  'alert-sender.register': z.strictObject({
    sender: memberIdSchema,
    flow: flowNameSchema,
    to: memberIdSchema,
    secretHash: base64urlSchema(43).describe('SHA-256 of the secret, which holds 256 random bits'),
    nonce: base64urlSchema(22),
  }),
  /** A single-use enrollment code of ten minutes, bound to one member. */
  'device.invite': z.strictObject({
    member: memberIdSchema,
    codeHash: base64urlSchema(43),
    expires: timestampSchema,
    nonce: base64urlSchema(22),
  }),
  'device.revoke': z.strictObject({
    member: memberIdSchema,
    device: z.string().max(40),
    reason: z.string().min(1).max(200),
    nonce: base64urlSchema(22),
  }),
  /** A single-use sign-in code of ten minutes for one browser at the console. */
  'console.invite': z.strictObject({
    codeHash: base64urlSchema(43),
    expires: timestampSchema,
    nonce: base64urlSchema(22),
  }),
  /** Closes a provider account to everything, or opens it again. */
  'vendor.switch': z.strictObject({ vendor: vendorNameSchema, open: z.boolean(), nonce: base64urlSchema(22) }),
  'bundle.apply': z.strictObject({ bundle: z.string().max(2_000_000).describe('JWS of the compiled bundle') }),
} as const;
export type ApprovedObject<A extends ApprovalAction> = z.infer<(typeof APPROVED_OBJECTS)[A]>;

/** Body of control's administrative calls: the object and the approval over it. */
export function approvedSchema<A extends ApprovalAction>(action: A) {
  return z.strictObject({ object: APPROVED_OBJECTS[action], approval: z.string().max(4096) });
}

/** Who a verified caller is, from whichever credential it came (DESIGN section 4: identity enters by one port). */
export type Principal =
  | { readonly kind: 'application'; readonly id: string; readonly flows: readonly string[] }
  | { readonly kind: 'alert-sender'; readonly id: string; readonly flow: string; readonly to: string }
  | { readonly kind: 'approver'; readonly key: string };

/**
 * A browser that an approver let in to read for some hours. No Principal on purpose: nothing that acts can be handed one,
 * and only what the console's listener reads asks for it.
 */
export interface ConsoleSession {
  readonly kind: 'console';
  readonly session: SessionId;
}
