/** The contract of every adapter whose provider is a fake on the kit. */
import { describeContract } from './contract.ts';
import { HTTP_PROVIDERS } from './providers/index.ts';

for (const provider of HTTP_PROVIDERS) describeContract(provider);
