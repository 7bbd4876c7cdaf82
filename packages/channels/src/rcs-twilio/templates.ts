/**
 * The templates of this process, made at Twilio when a shape is first needed and remembered by the hash of the shape.
 * Making one sends nothing to anyone, so a failure is never ambiguous; after a restart a shape is made again, which
 * costs one call and leaves a second template of the same name.
 */
import { createHash } from 'node:crypto';
import type { Outcome } from '@sealpost/protocol/carriage';
import type { AdapterContext } from '../adapter.ts';
import { parseContentSid } from '../twilio/answer-schema.ts';
import { postToTwilio } from '../twilio/api-call.ts';
import { classifyRefusal } from '../twilio/classify.ts';
import type { RcsTwilioSettings } from './config.ts';
import type { FilledTemplate } from './content-template.ts';

const RETRY_MS = 5_000;
/** Shapes are few; a sender of odd origins must not fill the memory. */
const MAX_REMEMBERED = 1_000;

export type TemplateResult = { readonly kind: 'template'; readonly sid: string } | Outcome;

export interface Templates {
  sidOf(template: FilledTemplate): Promise<TemplateResult>;
}

export function createTemplates(settings: RcsTwilioSettings, context: AdapterContext): Templates {
  const made = new Map<string, Promise<TemplateResult>>();
  return {
    async sidOf(template) {
      const shape = createHash('sha256').update(JSON.stringify(template.types)).digest('hex').slice(0, 32);
      const known = made.get(shape);
      if (known !== undefined) return known;
      if (made.size >= MAX_REMEMBERED) made.clear();
      const making = create(settings, context, template, shape);
      made.set(shape, making);
      const result = await making;
      if (result.kind !== 'template') made.delete(shape);
      return result;
    },
  };
}

async function create(
  settings: RcsTwilioSettings,
  context: AdapterContext,
  { types, samples }: FilledTemplate,
  shape: string,
): Promise<TemplateResult> {
  const content = { friendly_name: `sealpost-${shape}`, language: 'en', variables: samples, types };
  const body = { type: 'application/json', text: JSON.stringify(content) } as const;
  const result = await postToTwilio(settings, context, `${settings.content_url}/v1/Content`, body);
  if (result === undefined) return { kind: 'auth-broken', reason: 'api key file unreadable' };
  if (result.kind !== 'answered') return { kind: 'retry-after', afterMs: RETRY_MS, reason: `template ${result.code}` };
  const sid = result.status === 201 ? parseContentSid(result.body) : undefined;
  if (sid !== undefined) return { kind: 'template', sid };
  if (result.status === 201) return { kind: 'retry-after', afterMs: RETRY_MS, reason: 'template answer malformed' };
  const refusal = classifyRefusal(result);
  return refusal.kind === 'ambiguous'
    ? { kind: 'retry-after', afterMs: result.retryAfterMs ?? RETRY_MS, reason: `template ${refusal.reason}` }
    : refusal;
}
