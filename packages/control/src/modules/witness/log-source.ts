/**
 * The log as anybody may read it (C2SP tlog-tiles) from the gateway's device listener. Nothing it answers is trusted:
 * checkpoints are signed, and a wrong tile gives a proof that does not verify.
 */
import { type Tile, tilePath } from '@sealpost/tlog';

export interface LogSource {
  /** The newest signed checkpoint, or `undefined` while there is none. Rejects when the gateway is away. */
  checkpoint(): Promise<string | undefined>;
  /** Bytes of a tile, or `undefined` when it is not there. */
  tile(tile: Tile): Promise<Uint8Array | undefined>;
}

const TIMEOUT = 5000;
const CHECKPOINT_LIMIT = 16_384;
const TILE_LIMIT = 256 * 32;

export function createLogSource(deviceUrl: string): LogSource {
  const read = async (path: string, limit: number): Promise<Uint8Array | undefined> => {
    const response = await fetch(new URL(path, deviceUrl), { signal: AbortSignal.timeout(TIMEOUT), redirect: 'error' });
    if (!response.ok || Number(response.headers.get('content-length') ?? 0) > limit) {
      await response.body?.cancel();
      return undefined;
    }
    return new Uint8Array(await response.arrayBuffer());
  };
  return {
    async checkpoint() {
      const bytes = await read('/v1/log/checkpoint', CHECKPOINT_LIMIT);
      return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
    },
    tile: (tile) => read(`/v1/log/${tilePath(tile)}`, TILE_LIMIT),
  };
}
