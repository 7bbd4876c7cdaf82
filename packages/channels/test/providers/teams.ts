/** `teams` against fakes of the Bot Connector and of a workflow. */
import { generateKeyPairSync } from 'node:crypto';
import { teamsBotDefinition, teamsWorkflowDefinition } from '@sealpost/simulator';
import { httpProvider } from './http-provider.ts';

const APP = '1a0a1b2c-0000-4000-8000-00000000000a';
const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';
const SECRET = 'client-secret-1';
const { privateKey: signingKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

export const teamsBot = httpProvider({
  adapter: 'teams',
  way: 'bot',
  address: '5e8b0f4d-2cd4-4e17-9467-b0f6a5c0c4d0',
  files: { secret: SECRET },
  definition: () =>
    teamsBotDefinition({ appId: APP, tenantId: TENANT, clientSecret: SECRET, signingKey, now: Date.now }),
  settings: (url) => ({
    mode: 'bot',
    app_id: APP,
    tenant_id: TENANT,
    client_secret_file: 'secret',
    base_url: url,
    login_url: url,
    openid_url: `${url}/v1/.well-known/openidconfiguration`,
  }),
});

const ORIGIN = 'https://prod-27.westeurope.logic.azure.com';
const PATH = '/workflows/abc/triggers/manual/paths/invoke';
const SIGNATURE = 'signature-of-the-url';
const NO_FORM = 'its success is its status: what follows is not read';

export const teamsWorkflows = httpProvider({
  adapter: 'teams',
  way: 'workflows',
  address: 'ops-channel',
  files: { url: `${ORIGIN}${PATH}?api-version=2016-06-01&sig=${SIGNATURE}` },
  definition: () => teamsWorkflowDefinition({ path: PATH, signature: SIGNATURE, address: 'ops-channel' }),
  settings: () => ({ mode: 'workflows', url_files: { 'ops-channel': 'url' } }),
  origin: ORIGIN,
  cannot: { 'oversized-after-effect': NO_FORM },
});
