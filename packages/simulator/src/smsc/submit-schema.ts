/**
 * submit_sm and bind PDUs as the codec hands them over, read once (SMPP 3.4 sections 4.1.1 and 4.4.1).
 */
import type { PDU } from 'smpp';
import { z } from 'zod';

const bodySchema = z.object({
  message: z.union([z.string(), z.instanceof(Uint8Array)]),
  udh: z.array(z.instanceof(Uint8Array)).optional(),
});

const submitSchema = z.object({
  source_addr: z.string(),
  destination_addr: z.string().regex(/^\d{5,20}$/),
  esm_class: z.int(),
  registered_delivery: z.int(),
  data_coding: z.int(),
  validity_period: z.date().optional().catch(undefined),
  short_message: bodySchema,
  message_payload: bodySchema.optional(),
});

const bindSchema = z.object({ system_id: z.string().catch(''), password: z.string().catch('') });

/** One part of a concatenated message (3GPP TS 23.040 section 9.2.3.24.1). */
export interface Concatenation {
  readonly reference: number;
  readonly total: number;
  readonly part: number;
}

export interface Submit {
  readonly source: string;
  readonly destination: string;
  readonly text: string;
  readonly concatenation: Concatenation | undefined;
  readonly wantsReceipt: boolean;
  readonly expires: number | undefined;
  readonly dataCoding: number;
}

/** `undefined` when the PDU is not a submit_sm an SMSC would take. */
export function parseSubmit(pdu: PDU): Submit | undefined {
  const parsed = submitSchema.safeParse(pdu);
  if (!parsed.success) return undefined;
  const fields = parsed.data;
  const body = fields.message_payload ?? fields.short_message;
  return {
    source: fields.source_addr,
    destination: fields.destination_addr,
    text: typeof body.message === 'string' ? body.message : new TextDecoder('latin1').decode(body.message),
    concatenation: concatenationOf(fields.short_message.udh ?? []),
    wantsReceipt: (fields.registered_delivery & 0x03) === 1,
    expires: fields.validity_period?.getTime(),
    dataCoding: fields.data_coding,
  };
}

export function parseBind(pdu: PDU): { systemId: string; password: string } {
  const { system_id, password } = bindSchema.parse(pdu);
  return { systemId: system_id, password };
}

function concatenationOf(elements: readonly Uint8Array[]): Concatenation | undefined {
  for (const [identifier, length, ...data] of elements) {
    const [first = 0, second = 0, third = 0, fourth = 0] = data;
    if (identifier === 0x00 && length === 3) return { reference: first, total: second, part: third };
    if (identifier === 0x08 && length === 4) return { reference: first * 256 + second, total: third, part: fourth };
  }
  return undefined;
}
