/** The control process: read the configuration, build, listen, drain. */
import { parseArgs } from 'node:util';
import { createLogger, loadConfig, runService } from '@sealpost/platform';
import { startControl } from './app.ts';
import { controlConfigSchema } from './config/config.ts';

export async function main(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...argv], options: { config: { type: 'string', default: 'control.yaml' } } });
  await runService('control', createLogger('control'), async () => {
    const config = loadConfig(controlConfigSchema, values.config);
    return startControl(config, { logger: createLogger('control', config.log_level) });
  });
}

if (import.meta.main) await main(process.argv.slice(2));
