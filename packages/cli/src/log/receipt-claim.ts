/** What a receipt claims, read without trusting it: the log decides whether the claim holds. */
import {
  ACCEPTED_RECEIPT_TYPE,
  acceptedReceiptSchema,
  DEVICE_RECEIPT_TYPE,
  type ErrorTable,
  errorsOf,
  fromBase64url,
  fromUtf8,
} from '@sealpost/protocol';

const RECEIPT_ERRORS = {
  ERR_LOG_RECEIPT: {
    kind: 'invalid',
    sentence: 'The receipt is not one of Sealpost’s.',
    hint: 'Give the file with the compact JWS as it was handed out: an accepted or a device receipt.',
  },
} as const satisfies ErrorTable;
const receiptError = errorsOf(RECEIPT_ERRORS);

export type ReceiptClaim = { readonly kind: 'accepted'; readonly leafHash: Uint8Array } | { readonly kind: 'device' };

export function decodeReceiptClaim(jws: string): ReceiptClaim {
  const [header, payload] = jws.split('.').map(decodeJson);
  const typ = typeof header === 'object' && header !== null && 'typ' in header ? header.typ : undefined;
  if (typ === DEVICE_RECEIPT_TYPE) return { kind: 'device' };
  const accepted = acceptedReceiptSchema.safeParse(payload);
  const leafHash = accepted.success ? fromBase64url(accepted.data.leaf) : undefined;
  if (typ !== ACCEPTED_RECEIPT_TYPE || leafHash === undefined) throw receiptError('ERR_LOG_RECEIPT');
  return { kind: 'accepted', leafHash };
}

function decodeJson(part: string): unknown {
  const bytes = fromBase64url(part);
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(fromUtf8(bytes));
  } catch {
    return undefined;
  }
}
