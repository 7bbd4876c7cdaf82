/** Reads the MLS authenticated data of a content message (RFC 9420 section 6.3.2); `seal/authenticated-data.ts` writes it. */
import { canonicalJson, fromBase64url, fromUtf8, type MessageId, messageIdSchema } from '@sealpost/protocol';

export interface AuthenticatedData {
  readonly message: MessageId;
  /** The envelope's commitment, repeated under the sender's MLS signature. */
  readonly commitment: string;
}

const LIMIT = 256;

/** Answers `undefined` for anything but the canonical form. */
export function decodeAuthenticatedData(bytes: Uint8Array): AuthenticatedData | undefined {
  if (bytes.length > LIMIT) return undefined;
  try {
    const text = fromUtf8(bytes);
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('message' in value) || !('commitment' in value)) {
      return undefined;
    }
    const message = messageIdSchema.safeParse(value.message);
    const { commitment } = value;
    if (!message.success || typeof commitment !== 'string' || fromBase64url(commitment)?.length !== 32)
      return undefined;
    const data = { message: message.data, commitment };
    return canonicalJson(data) === text ? data : undefined;
  } catch {
    return undefined;
  }
}
