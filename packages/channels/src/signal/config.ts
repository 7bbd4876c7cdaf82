/**
 * Settings of the `signal` adapter: one Signal account on a server of ours, signal-cli itself or signal-cli-rest-api. Neither
 * asks for credentials, so whoever reaches it speaks as the account: keep it on loopback or a network of its own.
 */
import { z } from 'zod';
import { durationSchema } from '../duration-schema.ts';
import { endpointSchema, secretFileSchema } from '../setting-schema.ts';

const common = {
  base_url: endpointSchema,
  /** The number the account is registered under. */
  account: z.string().regex(/^\+[1-9]\d{4,14}$/, 'use an E.164 number, for example +491751234567'),
  /** The server talks to Signal before it answers, and encrypts for every device of the person. */
  timeout: durationSchema(100, 120_000).default(30_000),
};

const jsonRpcSettingsSchema = z.strictObject({
  mode: z.literal('json-rpc'),
  ...common,
  /** signal-cli sends a comment every 15 seconds; a stream silent for longer than this is taken for dead. */
  silence: durationSchema(100, 600_000).default(60_000),
});

const restSettingsSchema = z.strictObject({
  mode: z.literal('rest'),
  ...common,
  /** Nothing is signed: `RECEIVE_WEBHOOK_URL` is set there to our URL with `?token=` and this secret. */
  webhook_token_file: secretFileSchema,
});

export const signalSettingsSchema = z.discriminatedUnion('mode', [jsonRpcSettingsSchema, restSettingsSchema]);

export type JsonRpcSettings = z.infer<typeof jsonRpcSettingsSchema>;
export type RestSettings = z.infer<typeof restSettingsSchema>;
export type SignalSettings = z.infer<typeof signalSettingsSchema>;
