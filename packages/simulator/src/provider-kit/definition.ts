/**
 * What makes a fake one provider's and no other's: how a call is recognised and validated as published, the bodies of its
 * answers, and how it builds and proves its webhooks. Everything else (ports, faults, order of receipts) is the kit's.
 */
import type { IncomingHttpHeaders } from 'node:http';

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A message as the provider took it. */
export interface TakenMessage {
  readonly id: string;
  readonly address: string;
  readonly text: string;
}

export type Recognised =
  | {
      readonly kind: 'message';
      readonly address: string;
      readonly text: string;
      /** By which this provider knows a repeat, where it does: the same key is the same message under the same id. */
      readonly key?: string;
    }
  /** Has no effect on a person: a token, a template. */
  | { readonly kind: 'preparation'; readonly answer: Reply }
  /** Not as published, or not with our credentials. */
  | { readonly kind: 'refused'; readonly answer: Reply };

export type ProviderEvent =
  | { readonly kind: 'delivered' | 'read'; readonly message: TakenMessage }
  | { readonly kind: 'said'; readonly id: string; readonly address: string; readonly text: string };

/** How a webhook proves itself: headers, and for some providers a query. */
export interface Proof {
  readonly headers: Readonly<Record<string, string>>;
  readonly query?: string;
}

export interface ProviderDefinition {
  recognise(call: Call): Recognised;
  /** Whether this call stays open, as server-sent events: what another provider would post is then written to it. */
  streams?(call: Call): boolean;
  /** The provider's own id of its nth message, from 1. */
  idOf(serial: number): string;
  readonly answers: {
    readonly taken: (message: TakenMessage) => Reply;
    readonly busy: Reply;
    readonly failing: Reply;
    readonly unauthorized: Reply;
    readonly rejected: Reply;
    /** The body of an answer this provider never gives; a broken one where absent. */
    readonly nonsense?: string;
    /** Absent where the provider does not say in its answer that a person cannot be reached. */
    readonly unreachable?: Reply;
  };
  readonly webhooks?: {
    /** `undefined` for what this provider does not tell. */
    readonly bodyOf: (event: ProviderEvent) => string | undefined;
    readonly prove: (body: string, genuine: boolean) => Proof;
  };
}

export function jsonReply(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}
