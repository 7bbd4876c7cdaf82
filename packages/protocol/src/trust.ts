/**
 * The trust file: every public key of an organisation in one object, signed by the organisation root (JWS ES256) at
 * bootstrap and copied to each zone. A server starts only with one that verifies against its pinned root certificate.
 */
import { z } from 'zod';
import { base64urlSchema, keyIdSchema, organisationSchema, timestampSchema } from './ids.ts';

export const TRUST_TYPE = 'sealpost-trust+jwt';

const ed25519 = z.strictObject({ crv: z.literal('Ed25519'), kty: z.literal('OKP'), x: base64urlSchema(43) });
const namedKey = z.strictObject({ id: keyIdSchema, jwk: ed25519 });

/** `publicKey`: uncompressed P-256 point for DHKEM(P-256, HKDF-SHA256). */
const hpkeKey = z.strictObject({ id: keyIdSchema, publicKey: base64urlSchema(87) });

export const trustSchema = z.strictObject({
  v: z.literal(1),
  organisation: organisationSchema,
  issued: timestampSchema,
  /** DER certificates, base64url. Devices chain to `deviceCa` → `root`, services to `serviceCa` → `root`. */
  root: base64urlSchema(8192),
  deviceCa: base64urlSchema(8192),
  serviceCa: base64urlSchema(8192),
  /** Sign manifests. */
  operators: z.array(namedKey).min(1).max(16),
  /** Sign approvals. */
  approvers: z.array(namedKey).min(1).max(16),
  control: z.strictObject({
    /** Signs submissions and directory entries. */
    submit: namedKey,
    /** C2SP verifier key string of the witness. */
    witness: z.string().max(255),
    /** What people send back is sealed to this; absent in trust files of before there were inbound messages. */
    inbound: hpkeKey.optional(),
  }),
  gateway: z.strictObject({
    audience: z.string().max(255),
    receipts: namedKey,
    /** C2SP verifier key string; its name is the checkpoint origin. */
    log: z.string().max(255),
  }),
  dispatch: hpkeKey,
});
export type Trust = z.infer<typeof trustSchema>;
