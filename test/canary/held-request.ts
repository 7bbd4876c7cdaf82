/** A request whose body has begun and not ended: what was sent of it stays in the server's memory until it is let go. */

import { once } from 'node:events';
import { connect } from 'node:net';

export interface HeldRequest {
  release(): void;
}

/** Below any listener's limit, and never sent in full. */
const ANNOUNCED = 200_000;

export async function holdRequest(port: number, path: string, type: string, body: Uint8Array): Promise<HeldRequest> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const head = [`POST ${path} HTTP/1.1`, 'host: 127.0.0.1', `content-type: ${type}`, `content-length: ${ANNOUNCED}`];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  await new Promise<void>((resolve, reject) => socket.write(body, (error) => (error ? reject(error) : resolve())));
  // Released by us or ended with the server: nobody is interested in the answer.
  socket.on('error', () => undefined);
  return { release: () => socket.destroy() };
}
