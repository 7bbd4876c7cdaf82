/** Runs a deployable's own entry in this process, so that `sealpost control serve` and the bundle are the same program. */
import { z } from 'zod';

const entrySchema = z.object({ main: z.function({ input: [z.array(z.string())], output: z.promise(z.void()) }) });

export async function serveEntry(
  entry:
    | '@sealpost/control/server'
    | '@sealpost/gateway/server'
    | '@sealpost/gateway/dispatcher'
    | '@sealpost/simulator/server',
  config: string,
): Promise<void> {
  const { main } = entrySchema.parse(await import(entry));
  await main(['--config', config]);
}
