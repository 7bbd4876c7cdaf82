/**
 * Reading a webhook request, the same for every provider: its size, one header, its bytes as text or JSON, and the
 * provider's clock. Nothing here throws for what arrives.
 */
import type { RawWebhook } from './adapter.ts';

/** Events are far smaller; what is larger is turned away before it is looked into. */
export const MAX_WEBHOOK_BYTES = 512 * 1024;
/** The largest time a `Date` can hold (ECMA-262 section 21.4.1.1). */
const MAX_TIMESTAMP = 8.64e15;

export function headerOf(request: RawWebhook, name: string): string | undefined {
  return Object.entries(request.headers).find(([key]) => key.toLowerCase() === name)?.[1];
}

/** `undefined` for bytes that are no UTF-8. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** `undefined` for what is no JSON. */
export function jsonOf(source: Uint8Array | string): unknown {
  try {
    return JSON.parse(typeof source === 'string' ? source : (textOf(source) ?? ''));
  } catch {
    return undefined;
  }
}

/** A provider's date in milliseconds; `undefined` where it says none that makes sense. */
export function timeOf(written: string | undefined): number | undefined {
  const at = Math.trunc(Date.parse(written ?? ''));
  return at >= 0 && at <= MAX_TIMESTAMP ? at : undefined;
}

/** E.164 from a number as vendors write it, with or without the plus sign; `undefined` for anything else. */
export function e164Of(written: string): string | undefined {
  const digits = written.startsWith('+') ? written.slice(1) : written;
  return /^[1-9]\d{4,14}$/.test(digits) ? `+${digits}` : undefined;
}
