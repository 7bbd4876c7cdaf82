/** One event as CloudEvents 1.0 in JSON, structured mode (CloudEvents JSON format section 3). */
import { canonicalBytes, type controlApi, type Organisation } from '@sealpost/protocol';
import type { InboundContent } from '@sealpost/protocol/carriage';

export const CLOUD_EVENT_TYPE = 'application/cloudevents+json; charset=utf-8';

export interface NewEvent {
  readonly type: controlApi.SubscribedType;
  /** What it is about: a message, or who wrote. */
  readonly subject: string;
  /** Milliseconds. */
  readonly at: number;
  /** Of content only what a vendor has read before us: what somebody sent back. Never what we sent. */
  readonly data: Readonly<Record<string, string | InboundContent>>;
}

export function cloudEvent(id: string, organisation: Organisation, { type, subject, at, data }: NewEvent): Uint8Array {
  return canonicalBytes({
    specversion: '1.0',
    id,
    source: `urn:sealpost:${organisation}`,
    type,
    subject,
    time: new Date(at).toISOString(),
    datacontenttype: 'application/json',
    data,
  });
}
