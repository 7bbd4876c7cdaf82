/**
 * Debian's Net::SMPP as an SMSC beside us: an independent codec. Without it tests are skipped by name, unless
 * SEALPOST_REQUIRE_PEERS=1, where they fail.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const SCRIPT = join(import.meta.dirname, 'smsc-with-receipts.pl');

/** Why the peer cannot run here; `undefined` when it can. */
export function peerAbsent(): string | undefined {
  if (spawnSync('perl', ['-MNet::SMPP', '-e', '1']).status === 0) return undefined;
  const reason = 'needs libnet-smpp-perl: apt-get install libnet-smpp-perl';
  if (process.env.SEALPOST_REQUIRE_PEERS === '1') throw new Error(reason);
  return reason;
}

export interface TakenMessage {
  readonly destination: string;
  readonly esmClass: number;
  readonly dataCoding: number;
  readonly bytes: Buffer;
}

export interface Peer {
  readonly port: number;
  readonly lines: readonly string[];
  taken(): TakenMessage[];
  stop(): Promise<void>;
}

export async function startPeer(): Promise<Peer> {
  const child = spawn('perl', [SCRIPT, '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  const [first] = await once(reader, 'line');
  reader.on('line', (line) => lines.push(line));
  return {
    port: Number(String(first).replace('port ', '')),
    lines,
    taken: () =>
      lines.flatMap((line) => {
        const [, destination = '', esm, coding, hex = ''] = /^taken (\S+) (\d+) (\d+) ([0-9a-f]*)$/.exec(line) ?? [];
        if (destination === '') return [];
        return [{ destination, esmClass: Number(esm), dataCoding: Number(coding), bytes: Buffer.from(hex, 'hex') }];
      }),
    async stop() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
