/**
 * One process of control in a test: its modules over the estate's database and keys, talking to the real gateway. A test
 * starts as many as it likes, and stops one where it wants by making its line to the gateway fail.
 */

import { fileURLToPath } from 'node:url';
import { createSigningKey, type Signer, signJws } from '@sealpost/crypto/signer';
import { createLogger, createServer, type Database, migrate, openDatabase, type Server } from '@sealpost/platform';
import { BUNDLE_TYPE, fromBase64url, memberIdSchema } from '@sealpost/protocol';
import { createGatewayClient, type GatewayClient } from '../../src/gateway/gateway-client.ts';
import { createAgents } from '../../src/modules/agents/index.ts';
import { createAlerts, registerAlertsRoutes } from '../../src/modules/alerts/index.ts';
import { createConsent } from '../../src/modules/consent/index.ts';
import { createEnrollment } from '../../src/modules/enrollment/index.ts';
import { compileBundle } from '../../src/modules/flows/compile.ts';
import { createFlows } from '../../src/modules/flows/index.ts';
import { createIdentity } from '../../src/modules/identity/index.ts';
import { createMessages, registerMessagesRoutes } from '../../src/modules/messages/index.ts';
import { createPolicy } from '../../src/modules/policy/index.ts';
import { type Estate, nonce } from './estate.ts';

export type Faults = Partial<GatewayClient>;
export type ControlProcess = Awaited<ReturnType<typeof startProcess>>;

const SQL = fileURLToPath(new URL('../../sql', import.meta.url));

/** `faults` answers the gateway calls it names in the gateway's place; they may be changed at any time. */
export async function startProcess(estate: Estate, faults: Faults = {}) {
  const { trust, surroundings, keys } = estate;
  const database: Database = openDatabase({ ...estate.control.config, pool: 8 });
  await migrate(database, SQL);
  const client = createGatewayClient({
    url: `https://127.0.0.1:${estate.gateway.ports.internal}`,
    organisation: trust.organisation,
    serviceCa: fromBase64url(trust.serviceCa)!,
    certificate: estate.serviceTls.cert,
    key: estate.serviceTls.key,
  });
  const gateway = new Proxy(client, {
    get: (target, name: keyof GatewayClient) => faults[name] ?? target[name],
  });
  const logs: string[] = [];
  const logger = createLogger('control', 'debug', { write: (line: string) => void logs.push(line) });
  const submitSigner = await keys.signer('submit');
  if (!keys.hasSecret('storage')) keys.createSecret('storage', surroundings.random(32));
  if (!keys.hasSecret('token')) await keys.createSigner('token', 'EdDSA');
  const storageKey = keys.readSecret('storage');
  const base = { database, gateway, trust, surroundings, logger };
  const identity = createIdentity({
    ...base,
    tokenSigner: await keys.signer('token'),
    storageKey,
    audiences: ['control'],
  });
  const policy = createPolicy();
  const flows = createFlows({ ...base, identity, onBundle: policy.load });
  await flows.start();
  const enrollment = createEnrollment({
    ...base,
    identity,
    trustJws: estate.trustJws,
    gatewayUrl: 'http://127.0.0.1:8082',
    deviceCaSigner: await keys.signer('device-ca'),
    submitSigner,
  });
  const agents = createAgents({ ...base, enrollment, keys });
  const consent = createConsent({ sql: database, storageKey, surroundings });
  const messages = createMessages({ ...base, identity, consent, flows, policy, agents, submitSigner, storageKey });
  const alerts = createAlerts({ messages, flows, gateway, surroundings, logger });
  const server: Server = await createServer({
    name: 'control',
    version: '0',
    logger,
    bodyLimit: 524_288,
    ready: async () => undefined,
  });
  registerMessagesRoutes(server, { messages, identity, gateway });
  registerAlertsRoutes(server, { alerts, identity });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    logs,
    client,
    faults,
    database,
    identity,
    flows,
    enrollment,
    agents,
    consent,
    messages,
    alerts,
    async [Symbol.asyncDispose]() {
      await server.close();
      flows.stop();
      client.close();
      await database.close();
    },
  };
}

export const MANIFESTS = `
apiVersion: sealpost/v1
kind: Agent
metadata: { name: acme-incidents }
spec: { displayName: Acme Incidents }
---
apiVersion: sealpost/v1
kind: Channel
metadata: { name: app }
spec: { adapter: app }
---
apiVersion: sealpost/v1
kind: Channel
metadata: { name: rcs-main }
spec: { adapter: rcs-google }
---
apiVersion: sealpost/v1
kind: Channel
metadata: { name: sms-main }
spec: { adapter: sms-smpp }
---
apiVersion: sealpost/v1
kind: Flow
metadata: { name: incident-alerts }
spec:
  purpose: Incidents
  agent: acme-incidents
  classification: confidential
  floor: e2ee
  ladder: [{ channel: app, use: carry }, { channel: rcs-main, use: notice, after: 30s }, { channel: sms-main, use: notice, after: 2m }]
  notice: { text: Something is waiting for you., url: "https://inbox.acme.example/" }
  links:
    annotations: [dashboard]
    hosts: [{ host: 127.0.0.1, port: LINKPORT, private: true }]
    types: [image/png]
    maxBytes: 1000
    timeout: 500ms
  expires: 4h
`;

const POLICIES = `permit (principal is Application, action == Action::"send", resource is Flow)
when { principal.flows.contains(resource) };
permit (principal is AlertSender, action == Action::"send-alert", resource is Flow)
when { principal.flow == resource && principal.to == context.to };
`;

export async function applyBundle(
  estate: Estate,
  process: ControlProcess,
  version: number,
  linkPort = 9,
): Promise<void> {
  const options = {
    organisation: estate.trust.organisation,
    version,
    issued: estate.surroundings.now(),
    lifetime: 30 * 86_400_000,
  };
  const text = MANIFESTS.replace('LINKPORT', String(linkPort));
  const compiled = compileBundle([{ file: 'all.yaml', text }], [{ file: 'all.cedar', text: POLICIES }], options);
  if (compiled.kind === 'failed') throw new Error(JSON.stringify(compiled.problems));
  const object = { bundle: await signJws(BUNDLE_TYPE, compiled.bundle, estate.operator) };
  await process.flows.apply(object, await estate.approve('bundle.apply', object));
}

export const ALICE = memberIdSchema.parse('alice');
export const PHONE = '+4915112345678';

export async function registerMember(
  { database, identity }: ControlProcess,
  member = ALICE,
  phone = PHONE,
): Promise<void> {
  const object = { member, displayName: 'Alice', phone, nonce: nonce() };
  await database.transaction((tx) => identity.registerMember(tx, object as never));
}

/** Answers a bearer token for one flow. */
export async function applicationToken(
  { database, identity }: ControlProcess,
  estate: Estate,
  application = 'monitoring',
): Promise<string> {
  const { signer } = await createSigningKey('EdDSA');
  const object = { application, publicKey: signer.publicJwk, flows: ['incident-alerts'], nonce: nonce() };
  await database.transaction((tx) => identity.registerApplication(tx, object as never));
  return tokenOf(identity, estate, signer, application, 'flow:incident-alerts');
}

export async function tokenOf(
  identity: ControlProcess['identity'],
  { surroundings }: Estate,
  signer: Signer,
  subject: string,
  scope: string,
): Promise<string> {
  const iat = Math.floor(surroundings.now() / 1000);
  const claims = { iss: subject, sub: subject, aud: 'control', iat, exp: iat + 60, jti: nonce() };
  const answer = await identity.token({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await signJws('JWT', claims, signer),
    scope,
  });
  return answer.access_token;
}
