/**
 * Settings of the `rcs-aws` adapter: one AWS RCS agent in one region and the keys of a principal that may send for it. The
 * agent is named itself, never a phone pool: a pool falls back to SMS by itself (AWS End User Messaging, "RCS to SMS
 * fallback using phone pools"), and so would `FallbackConfiguration`, for which there is no setting either.
 */
import { z } from 'zod';
import { durationSchema } from '../duration-schema.ts';
import { buttonTextSchema, endpointSchema, secretFileSchema } from '../setting-schema.ts';

const AGENT = /^(arn:aws[a-z-]*:sms-voice:[a-z0-9-]+:\d{12}:rcs-agent\/)?rcs-[0-9A-Za-z]{1,64}$/;
const TOPIC = /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/;

export const rcsAwsSettingsSchema = z.strictObject({
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'use a region such as eu-central-1'),
  /** The region's own endpoint unless named, for example a VPC endpoint. */
  base_url: endpointSchema.optional(),
  agent: z.string().regex(AGENT, 'use the id or ARN of an RCS agent, not of a pool'),
  /** Events of what we send are published only under a configuration set ("Routing events to destinations"). */
  configuration_set: z
    .string()
    .regex(/^[A-Za-z0-9_:/-]{1,256}$/)
    .optional(),
  access_key_id: z.string().regex(/^[A-Z0-9]{16,128}$/),
  secret_access_key_file: secretFileSchema,
  /** The SNS topics whose notifications are ours: SNS signs for every customer's topic alike. */
  topic_arns: z.array(z.string().regex(TOPIC, 'use the ARN of an SNS topic')).min(1).max(8),
  button_text: buttonTextSchema,
  timeout: durationSchema(100, 120_000).default(10_000),
});

export type RcsAwsSettings = z.infer<typeof rcsAwsSettingsSchema>;
