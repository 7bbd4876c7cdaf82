/**
 * Forms sealed later (DESIGN section 5): the gateway says that a weaker step has come due (`form-needed`), control decides
 * again and gives the form of that step, or refuses. Nothing weaker than the first route is ever stored in advance.
 */
import { z } from 'zod';
import { canonicalBytes } from './canonical.ts';
import { carrierPartSchema } from './envelope.ts';
import {
  base64urlSchema,
  channelNameSchema,
  envelopeIdSchema,
  keyIdSchema,
  messageIdSchema,
  timestampSchema,
} from './ids.ts';
import { useSchema } from './protection.ts';

const ofStep = { message: messageIdSchema, step: z.int().min(0).max(15), channel: channelNameSchema, use: useSchema };

/** What the gateway asks control for. `position` only grows; a need is told until it is met, refused or over. */
export const formNeedSchema = z.strictObject({ position: z.int().min(0), ...ofStep, expires: timestampSchema });
export type FormNeed = z.infer<typeof formNeedSchema>;

/** What control signs with its submit key: this part, for this step of this envelope and for nothing else. */
export const formStatementSchema = z.strictObject({
  context: z.literal('sealpost/form/v1'),
  audience: z.string().min(1).max(255),
  ...ofStep,
  envelope: envelopeIdSchema,
  bundle: z.int().min(1),
  /** SHA-256 of the canonical part. */
  part: base64urlSchema(43),
  expires: timestampSchema,
  key: keyIdSchema,
});
export type FormStatement = z.infer<typeof formStatementSchema>;

/** The bytes `signature` is over. */
export function formStatementBytes(statement: FormStatement): Uint8Array<ArrayBuffer> {
  return canonicalBytes(statement);
}

/** Body of `POST /internal/v1/forms`. A repeat of the same answer is answered the same; another one gets 409. */
export const formPostSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('form'),
      statement: formStatementSchema,
      /** Ed25519 over `formStatementBytes`; base64url of 64 bytes. */
      signature: base64urlSchema(86),
      part: carrierPartSchema,
    }),
    z.strictObject({ kind: z.literal('refused'), ...ofStep, code: z.string().regex(/^[A-Za-z0-9_-]{1,120}$/) }),
  ])
  .meta({ id: 'FormPost' });
export type FormPost = z.infer<typeof formPostSchema>;
