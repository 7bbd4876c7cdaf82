/**
 * The part of npm `smpp` 0.5.1 that Sealpost uses; the package ships no types. Fields of a PDU depend on what the peer
 * sent, so they are `unknown` until a schema has read them. The simulator's SMSC is checked against these types too.
 */
declare module 'smpp' {
  import type { EventEmitter } from 'node:events';
  import type { Server as NetServer, Socket } from 'node:net';

  export class PDU {
    constructor(command: string, fields?: Readonly<Record<string, unknown>>);
    readonly command: string;
    readonly command_id: number;
    readonly command_status: number;
    readonly sequence_number: number;
    isResponse(): boolean;
    response(fields?: Readonly<Record<string, unknown>>): PDU;
    readonly [field: string]: unknown;
  }

  export class Session extends EventEmitter {
    constructor(options: { readonly socket: Socket });
    readonly socket: Socket;
    /** False when the socket is closed; throws when a field does not fit the wire. */
    send(pdu: PDU): boolean;
    close(): void;
    destroy(): void;
  }

  export class Server extends NetServer {
    readonly sessions: Session[];
  }

  export function createServer(listener: (session: Session) => void): Server;
}
