/**
 * What Google sends us, parsed once: the answers of the RCS for Business API, the token endpoint and the service account
 * key file. Unknown members are ignored here, because Google adds some without notice.
 */
import { z } from 'zod';

/** AgentMessage on output: `name` is `phones/{E.164}/agentMessages/{messageId}` (API reference, AgentMessage). */
const agentMessageSchema = z.object({ name: z.string().max(512) });

/** google.rpc.Status in its JSON error form (Google AIP-193). */
const googleErrorSchema = z.object({
  error: z.object({
    status: z.string().max(64).optional(),
    details: z.array(z.object({ reason: z.string().max(64).optional() })).optional(),
  }),
});

/** Capabilities: what the person's app can show (API reference, phones.getCapabilities). */
const featuresSchema = z.object({
  features: z
    .array(z.string().regex(/^[A-Z_]{1,64}$/))
    .max(100)
    .default([]),
});

const tokenSchema = z.object({ access_token: z.string().min(1).max(16_384), expires_in: z.number().positive() });

/** RFC 6749 section 5.2. */
const tokenErrorSchema = z.object({ error: z.string().max(64) });

const serviceAccountSchema = z.object({
  type: z.literal('service_account'),
  client_email: z.string().min(3).max(320),
  private_key: z.string().min(1).max(16_384),
  private_key_id: z.string().max(256).optional(),
});

export type ServiceAccount = z.infer<typeof serviceAccountSchema>;
export type AccessToken = z.infer<typeof tokenSchema>;

const CODE = /^[A-Za-z0-9_]{1,64}$/;

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The id of the message Google says it took; `undefined` when the answer is not an AgentMessage. */
export function parseAgentMessageId(body: string): string | undefined {
  const parsed = agentMessageSchema.safeParse(json(body));
  return parsed.success ? /^phones\/[^/]+\/agentMessages\/([^/]+)$/.exec(parsed.data.name)?.[1] : undefined;
}

export function parseFeatures(body: string): readonly string[] | undefined {
  return featuresSchema.safeParse(json(body)).data?.features;
}

/** Google's short codes of an error; never its free text, which may repeat a number. */
export function parseGoogleError(body: string): { status: string | undefined; reasons: readonly string[] } {
  const parsed = googleErrorSchema.safeParse(json(body));
  if (!parsed.success) return { status: undefined, reasons: [] };
  const { status, details = [] } = parsed.data.error;
  const reasons = details.flatMap(({ reason }) => (reason !== undefined && CODE.test(reason) ? [reason] : []));
  return { status: status !== undefined && CODE.test(status) ? status : undefined, reasons };
}

export function parseToken(body: string): AccessToken | undefined {
  const parsed = tokenSchema.safeParse(json(body));
  return parsed.success ? parsed.data : undefined;
}

export function parseTokenError(body: string): string {
  const parsed = tokenErrorSchema.safeParse(json(body));
  return parsed.success && CODE.test(parsed.data.error) ? parsed.data.error : 'unknown';
}

/** `undefined` when the file is not a service account key. */
export function parseServiceAccount(file: Uint8Array): ServiceAccount | undefined {
  const parsed = serviceAccountSchema.safeParse(json(new TextDecoder().decode(file)));
  return parsed.success ? parsed.data : undefined;
}
