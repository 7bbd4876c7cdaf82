/** The readable head of a backup: what it is of, and for whom. Nothing in it is believed before the seal has opened. */
import { base64urlSchema, keyIdSchema } from '@sealpost/protocol';
import { z } from 'zod';
import { zoneSchema } from './contents-schema.ts';

export const FORMAT = 'sealpost-backup/1';

export const headSchema = z.strictObject({
  key: keyIdSchema,
  zone: zoneSchema,
  encapsulated: base64urlSchema(87),
  ciphertext: base64urlSchema(64),
});
export type Head = z.infer<typeof headSchema>;
