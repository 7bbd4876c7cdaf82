/** What both servers do for us; each in its own way (json-rpc.ts, rest.ts). */
import type { Outcome } from '@sealpost/protocol/carriage';
import type { Reach } from '../adapter.ts';
import type { SignalMessage } from './message.ts';

export interface SignalServer {
  send(address: string, message: SignalMessage): Promise<Outcome>;
  /** Asks the person's devices to delete the message of that time; how the asking ended. */
  remove(address: string, timestamp: number): Promise<Outcome>;
  lookup(address: string): Promise<Reach>;
}
