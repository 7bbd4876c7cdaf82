/**
 * Settings of the `sms-smpp` adapter: one bind to one SMSC (SMPP 3.4, as transceiver). The password is named by file and
 * read at each bind, so a changed one needs no restart.
 */
import { z } from 'zod';
import { durationSchema } from '../duration-schema.ts';

export const smsSmppSettingsSchema = z
  .strictObject({
    host: z.string().min(1).max(253),
    port: z.int().min(1).max(65_535).default(2775),
    /** TLS to the SMSC, trusted by the system's certificate authorities. */
    tls: z.boolean().default(false),
    /** COctet string of at most 16 octets with its NUL (SMPP 3.4 section 5.2.1). */
    system_id: z.string().regex(/^[\x21-\x7e]{1,15}$/, 'use 1 to 15 visible ASCII characters'),
    password_file: z.string().min(1).max(4096),
    system_type: z
      .string()
      .regex(/^[\x20-\x7e]{0,12}$/)
      .default(''),
    source_address: z.string().regex(/^[\x20-\x7e]{1,20}$/, 'use 1 to 20 ASCII characters'),
    /** Type of number: 0 unknown, 1 international, 3 network specific, 5 alphanumeric (SMPP 3.4 section 5.2.5). */
    source_ton: z.int().min(0).max(6).default(5),
    source_npi: z.int().min(0).max(18).default(0),
    /** How many messages may be under way at once (SMPP 3.4 section 2.9: 10 is usual). */
    window: z.int().min(1).max(1000).default(10),
    response_timeout: durationSchema(50, 300_000).default(10_000),
    enquire_link: durationSchema(50, 600_000).default(30_000),
    /** How a text longer than one short message travels: parts the phone joins, or one `message_payload` the SMSC splits. */
    long_text: z.enum(['udh', 'message_payload']).default('udh'),
    /** How the SMSC spells ids in receipts. `any` is safe only where ids are long enough never to be mistaken for others. */
    receipt_id: z.enum(['any', 'same', 'submit-hex-receipt-decimal', 'submit-decimal-receipt-hex']).default('any'),
  })
  .refine(({ source_ton, source_address }) => source_ton !== 5 || source_address.length <= 11, {
    path: ['source_address'],
    message: 'an alphanumeric sender has at most 11 characters (3GPP TS 23.040 section 9.1.2.5)',
  });

export type SmsSmppSettings = z.infer<typeof smsSmppSettingsSchema>;
