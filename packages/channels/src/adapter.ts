/**
 * The port every channel adapter stands behind. An adapter knows one provider and nothing else: it is handed what the
 * route may carry and an address, says how the attempt ended, and turns what the provider reports into ours.
 */
import type { AddressKind, AttemptId, Protection, Timestamp } from '@sealpost/protocol';
import type { Inbound, Outcome, Payload, ProviderReceipt, RevokeResult } from '@sealpost/protocol/carriage';

/** What a channel shows, and how much of it; `fit` makes a payload fit or refuses it by these rules and no others. */
export interface ContentLimits {
  /** Longest text, in UTF-16 code units unless `textUnit` says otherwise. */
  readonly text: number;
  readonly textUnit: 'characters' | 'bytes';
  /** 0: there are no titles, a title becomes the text's first line. */
  readonly title: number;
  /** How many suggestions are shown as such; what does not fit is written out in the text. */
  readonly suggestions: number;
  readonly suggestionText: number;
  /** Whether a suggestion can open a link; otherwise the link is written into the text. */
  readonly openLinks: boolean;
  /** `url`: the vendor fetches it; `bytes`: we hand it over; `both`. */
  readonly file: 'none' | 'url' | 'bytes' | 'both';
  readonly fileBytes: number;
  /** Media types taken, `image/*` for a family; `*` for any. */
  readonly fileTypes: readonly string[];
}

export interface Capabilities {
  /** Who could read content if this channel carried it. */
  readonly protection: Protection;
  /** The parties beside the recipient who can, in words, for the table in docs/channels.md. */
  readonly readers: readonly string[];
  readonly address: AddressKind;
  readonly content: ContentLimits;
  readonly delivered: boolean;
  readonly read: boolean;
  /** Whether a repeat under the same attempt id is ignored by the provider, so that `ambiguous` may be retried. */
  readonly idempotent: boolean;
  /** Longest time the provider is told to keep trying, in milliseconds; 0: it cannot be told. */
  readonly maxTtl: number;
  readonly lookup: boolean;
  readonly query: boolean;
  readonly revoke: 'no' | 'before-delivery' | 'always';
  readonly inbound: boolean;
  /** How a webhook of the provider proves itself; `token`: only by a secret we gave it. */
  readonly webhook: 'signed' | 'token' | 'none';
}

export interface Attempt {
  /** Stable over retries of one attempt; the provider's idempotency key where it has one. */
  readonly id: AttemptId;
  readonly address: string;
  readonly payload: Payload;
  /** After this the provider must not deliver. */
  readonly expires: Timestamp;
}

/** An attempt the provider may have taken, and its own name for it where we know one. */
export interface Sent {
  readonly id: AttemptId;
  readonly address: string;
  readonly providerMessageId: string | undefined;
}

/** Whether the provider reaches this address now. `unknown` decides nothing. */
export type Reach =
  | { readonly kind: 'reachable'; readonly features: readonly string[] }
  | { readonly kind: 'unreachable'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string };

/** A webhook request exactly as it arrived: signatures cover raw bytes, and with some providers the URL. */
export interface RawWebhook {
  readonly method: 'GET' | 'POST';
  /** Without the question mark; empty where there is none. */
  readonly query: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

export interface ProviderEvents {
  readonly receipts: readonly ProviderReceipt[];
  readonly inbound: readonly Inbound[];
}

export type WebhookResult =
  | ({ readonly kind: 'events' } & ProviderEvents)
  /** Set-up handshake: answer 200 with this text. */
  | { readonly kind: 'handshake'; readonly answer: string }
  /** Authentic, nothing for us in it (typing). */
  | { readonly kind: 'ignored'; readonly reason: string }
  /** Not authentic: answer 401 and change nothing. */
  | { readonly kind: 'forged' }
  /** Authentic or not, not in the provider's published form: answer 400. */
  | { readonly kind: 'malformed'; readonly reason: string };

export interface EventSink {
  /** Resolves once the events are stored durably; only then may the adapter tell the provider. */
  receive(events: ProviderEvents): Promise<void>;
}

export interface Adapter {
  readonly capabilities: Capabilities;
  /** Opens what must stay open (an SMPP bind, an event stream). A provider that is down is no error here: `send` says so. */
  start(sink: EventSink): Promise<void>;
  /** One try. Never throws for what a provider does; throws only for a broken contract. */
  send(attempt: Attempt): Promise<Outcome>;
  /** Present exactly where `capabilities.lookup`. */
  lookup?(address: string): Promise<Reach>;
  /**
   * What became of an ambiguous attempt; present exactly where `capabilities.query`. `accepted` names it, `retry-after`
   * says it was certainly not taken, `ambiguous` that the provider does not know either.
   */
  query?(sent: Sent): Promise<Outcome>;
  /** Present exactly where `capabilities.revoke` is not `no`. */
  revoke?(sent: Sent): Promise<RevokeResult>;
  webhook?(request: RawWebhook): Promise<WebhookResult>;
  stop(): Promise<void>;
}

/** What an adapter needs of its surroundings. */
export interface AdapterContext {
  readonly now: () => Timestamp;
  /** Asks only public addresses, and private ones the vendor's settings name. */
  readonly fetch: typeof fetch;
  /** Contents of a file a provider's configuration names (a service account key, a password), without trailing newline. */
  readonly readSecret: (path: string) => Promise<Uint8Array>;
  /** `length` random bytes. */
  readonly random: (length: number) => Uint8Array;
}
