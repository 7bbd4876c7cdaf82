/** The dispatcher process: the second entry of the gateway deployable; read the configuration, start, drain. */
import { parseArgs } from 'node:util';
import { createLogger, loadConfig, runService } from '@sealpost/platform';
import { startDispatcher } from './app.ts';
import { dispatcherConfigSchema } from './config.ts';

export async function main(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: { config: { type: 'string', default: 'dispatcher.yaml' } },
  });
  let logger = createLogger('dispatcher');
  await runService('dispatcher', logger, async () => {
    const config = loadConfig(dispatcherConfigSchema, values.config);
    logger = createLogger('dispatcher', config.log_level);
    return await startDispatcher(config, { logger });
  });
}

if (import.meta.main) await main(process.argv.slice(2));
