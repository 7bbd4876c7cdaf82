/**
 * What the contract and the fault matrix need of a provider: a stage under a condition, and what can be seen from it.
 * A new HTTP provider needs a definition for the kit and ten lines in `providers/`; see `providers/twilio.ts`.
 */
import { randomUUID } from 'node:crypto';
import { attemptIdSchema } from '@sealpost/protocol';
import type { Inbound, ProviderReceipt } from '@sealpost/protocol/carriage';
import type { Adapter, Attempt, ChannelAdapterName, RawWebhook } from '../src/index.ts';
import type { Instead } from './fetch-instead.ts';

export const CONDITIONS = [
  'fine',
  'busy',
  'busy-once',
  'failing',
  'silent-before-effect',
  'silent-after-effect',
  'link-dropped',
  'nonsense-after-effect',
  'oversized-after-effect',
  'drip-after-effect',
  'never-takes',
  'cannot-reach',
  'credentials-refused',
  'connection-refused',
  'receipt-twice',
  'receipt-early',
  'receipt-late',
  'receipt-reordered',
  'receipt-unknown',
  'receipt-forged',
] as const;
export type Condition = (typeof CONDITIONS)[number];

export interface Stage {
  /** Started, with a sink that records. */
  readonly adapter: Adapter;
  readonly address: string;
  /** Every receipt the sink was given, or the webhook answered with, in order. */
  readonly receipts: readonly ProviderReceipt[];
  /** What people wrote, as the adapter told it; absent where the stage has nobody who writes. */
  readonly inbound?: readonly Inbound[];
  /** How many times the person was shown the message. */
  shown(): Promise<number>;
  /** What the person was shown, where the stage can tell. */
  texts?(): readonly string[];
  /** Lets a held receipt go. */
  release(): Promise<void>;
  /** From now on the person cannot be reached; absent where the provider does not say so in its answer. */
  withdraw?(): Promise<void>;
  /** The person writes this back. */
  say?(id: string, text: string): Promise<void>;
  /** How many webhooks the adapter called forged. */
  readonly forgeries?: () => number;
  /** What no outcome may hold beside the address and the payload. */
  readonly secrets: readonly string[];
  /** The same adapter in another process. */
  readonly elsewhere: {
    name: string;
    settings: unknown;
    files: Readonly<Record<string, string>>;
    instead?: Instead;
  };
  readonly webhooks?: {
    readonly forged: RawWebhook[];
    readonly malformed: RawWebhook[];
    readonly handshake?: RawWebhook;
  };
  close(): Promise<void>;
}

export interface Provider {
  readonly name: string;
  readonly adapter: ChannelAdapterName;
  /** Why none of this can run here. */
  readonly absent?: string | undefined;
  /** How a 5xx ends: `ambiguous` where the provider may have acted all the same. */
  readonly failing?: 'retry-after' | 'ambiguous';
  /** A stage under this condition, or why this provider cannot play it. */
  open(condition: Condition): Promise<Stage | { readonly cannot: string }>;
}

export async function until<T>(probe: () => T | undefined | Promise<T | undefined>, what: string): Promise<T> {
  const deadline = performance.now() + 10_000;
  while (performance.now() < deadline) {
    const value = await probe();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`never happened: ${what}`);
}

export const TEXT = 'Something is waiting for you';
export const URL_TOKEN = 'k3YmAaRkEr';

export function attemptTo(address: string, change: Partial<Attempt> = {}): Attempt {
  const payload = { kind: 'notice' as const, text: TEXT, url: `https://inbox.example/m/${URL_TOKEN}` };
  return { id: attemptIdSchema.parse(randomUUID()), address, payload, expires: Date.now() + 3_600_000, ...change };
}
