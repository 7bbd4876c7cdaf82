/** The part of WebSocket (RFC 6455, as browsers and Node offer it) that sync needs. */

export interface SocketLike {
  readonly protocol: string;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: 'open' | 'close' | 'error', listener: () => void): void;
}

export type SyncSocketConstructor = new (url: string, protocol: string) => SocketLike;

/** Where sync is, given the address of the gateway's device listener. */
export function syncUrl(gateway: string): string {
  const url = new URL('/v1/sync', gateway);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}
