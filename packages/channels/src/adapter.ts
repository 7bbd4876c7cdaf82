/**
 * The port every channel adapter stands behind. An adapter knows one provider and nothing else: it is handed what the
 * route may carry and an address, says how the attempt ended, and turns the provider's receipts into ours.
 */
import type { AttemptId, Protection, Timestamp } from '@sealpost/protocol';
import type { Notice, Outcome, ProviderReceipt } from '@sealpost/protocol/carriage';

export interface Capabilities {
  /** Who could read content if this channel carried it. */
  readonly protection: Protection;
  readonly textLimit: number;
  readonly delivered: boolean;
  readonly read: boolean;
  /** Whether a repeat under the same attempt id is ignored by the provider, so that `ambiguous` may be retried. */
  readonly idempotent: boolean;
  /** Longest time the provider is told to keep trying, in milliseconds. */
  readonly maxTtl: number;
  readonly webhook: 'signed' | 'none';
}

export interface Attempt {
  /** Stable over retries of one attempt; the provider's idempotency key where it has one. */
  readonly id: AttemptId;
  readonly address: string;
  readonly payload: Notice;
  /** After this the provider must not deliver. */
  readonly expires: Timestamp;
}

/** A webhook request exactly as it arrived: signatures cover raw bytes. */
export interface RawWebhook {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

export type WebhookResult =
  | { readonly kind: 'receipts'; readonly receipts: readonly ProviderReceipt[] }
  /** Set-up handshake: answer 200 with this text. */
  | { readonly kind: 'handshake'; readonly answer: string }
  /** Authentic, nothing for us in it (typing, inbound text the slice does not carry yet). */
  | { readonly kind: 'ignored'; readonly reason: string }
  /** Not authentic: answer 401 and change nothing. */
  | { readonly kind: 'forged' }
  /** Authentic or not, not in the provider's published form: answer 400. */
  | { readonly kind: 'malformed'; readonly reason: string };

export interface ReceiptSink {
  /** Resolves once the receipts are stored durably; only then may the adapter tell the provider. */
  receive(receipts: readonly ProviderReceipt[]): Promise<void>;
}

export interface Adapter {
  readonly capabilities: Capabilities;
  /** Opens what must stay open (an SMPP bind). A provider that is down is no error here: `send` says so. */
  start(sink: ReceiptSink): Promise<void>;
  /** One try. Never throws for what a provider does; throws only for a broken contract. */
  send(attempt: Attempt): Promise<Outcome>;
  webhook?(request: RawWebhook): Promise<WebhookResult>;
  stop(): Promise<void>;
}

/** What an adapter needs of its surroundings. */
export interface AdapterContext {
  readonly now: () => Timestamp;
  readonly fetch: typeof fetch;
  /** Contents of a file a provider's configuration names (a service account key, a password), without trailing newline. */
  readonly readSecret: (path: string) => Promise<Uint8Array>;
}
