/**
 * PDUs as the codec hands them over, read once into what the adapter uses. The codec decodes a short message by its data
 * coding; SMSCs often send plain ASCII under the default alphabet, so both readings of a text are kept.
 */
import type { PDU } from 'smpp';
import { z } from 'zod';

/** A short message after the codec: text, or bytes where it knows no decoding, with or without a header beside it. */
const bodySchema = z.object({ message: z.union([z.string(), z.instanceof(Uint8Array)]) });

const deliverySchema = z.object({
  esm_class: z.int().min(0).max(255).catch(0),
  source_addr: z.string().max(21).catch(''),
  short_message: bodySchema.optional().catch(undefined),
  message_payload: bodySchema.optional().catch(undefined),
  receipted_message_id: z.string().optional().catch(undefined),
  message_state: z.int().optional().catch(undefined),
});

export interface Delivery {
  readonly esmClass: number;
  /** Who it comes from, as the SMSC spells it. */
  readonly source: string;
  /** What a person wrote, as its data coding says; bytes in no coding known here are no text. */
  readonly written: string | undefined;
  /** The text in each plausible reading. */
  readonly texts: readonly string[];
  readonly receiptedMessageId: string | undefined;
  readonly messageState: number | undefined;
}

export function parseDelivery(pdu: PDU): Delivery {
  const fields = deliverySchema.parse(pdu);
  const texts = [fields.short_message, fields.message_payload].flatMap((body) => readings(body?.message));
  const written = [fields.short_message, fields.message_payload].map((body) => body?.message);
  return {
    esmClass: fields.esm_class,
    source: fields.source_addr,
    written: written.find((message): message is string => typeof message === 'string' && message !== ''),
    texts: [...new Set(texts)],
    receiptedMessageId: visible(fields.receipted_message_id),
    messageState: fields.message_state,
  };
}

/** The id an SMSC gave a message; `undefined` when it gave none we can match a receipt by. */
export function parseMessageId(pdu: PDU): string | undefined {
  return visible(z.string().catch('').parse(pdu.message_id));
}

/** Up to the first control character: an unterminated C string runs into the next parameter's tag. */
function visible(id: string | undefined): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the end of a C string
  const text = id?.split(/[\x00-\x1f\x7f]/)[0]?.trim() ?? '';
  return text === '' || text.length > 65 ? undefined : text;
}

/** GSM 03.38 places that differ from ASCII among characters found in receipts. */
const AS_ASCII: Readonly<Record<string, string>> = { '¡': '@', '¤': '$', '§': '_', Ä: '[', Ö: '\\', Ñ: ']', Ü: '^' };

function readings(message: string | Uint8Array | undefined): string[] {
  if (message === undefined) return [];
  if (typeof message !== 'string') return [new TextDecoder('latin1').decode(message)];
  return [message.replace(/[¡¤§ÄÖÑÜ]/g, (character) => AS_ASCII[character] ?? character), message];
}
