/** The gateway process: read the configuration, build, listen, drain. */
import { parseArgs } from 'node:util';
import { createLogger, loadConfig, runService } from '@sealpost/platform';
import { startGateway } from './app.ts';
import { gatewayConfigSchema } from './config/config.ts';

export { type GatewayConfig, gatewayConfigSchema } from './config/config.ts';

export async function main(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...argv], options: { config: { type: 'string', default: 'gateway.yaml' } } });
  let logger = createLogger('gateway');
  await runService('gateway', logger, async () => {
    const config = loadConfig(gatewayConfigSchema, values.config);
    logger = createLogger('gateway', config.log_level);
    return await startGateway(config, { logger });
  });
}

if (import.meta.main) await main(process.argv.slice(2));
