/**
 * A running control for tests: the real server over a fresh database, the peer gateway, a clock that is moved by hand,
 * and everything it logs kept for the canary checks.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSigningKey, type Signer, signJws } from '@sealpost/crypto/signer';
import { sha256 } from '@sealpost/crypto/verify';
import { createLogger, type Surroundings, systemSurroundings } from '@sealpost/platform';
import {
  type ApprovalAction,
  type ApprovedObject,
  BUNDLE_TYPE,
  type Bundle,
  newMessageId,
  toBase64url,
} from '@sealpost/protocol';
import { type FreshDatabase, freshDatabase } from '../../../../test/support/postgres.ts';
import { type RunningControl, startControl } from '../../src/app.ts';
import { type ControlConfigFile, controlConfigSchema } from '../../src/config/config.ts';
import { compileBundle } from '../../src/modules/flows/compile.ts';
import { type GatewayPeer, startGatewayPeer } from './gateway-peer.ts';
import { createOrganisation, nonce, random, type TestOrganisation } from './organisation.ts';

export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape are looked into
  readonly body: any;
}

export interface TestControl extends AsyncDisposable {
  readonly organisation: TestOrganisation;
  readonly gateway: GatewayPeer;
  readonly database: FreshDatabase;
  readonly clock: { now: number };
  readonly logs: string[];
  readonly surroundings: Surroundings;
  config: ControlConfigFile;
  running: RunningControl;
  /** Stops it and starts it again on the same database and keys. */
  restart(): Promise<void>;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
  /** Signs the approval an action needs and calls. */
  approved<A extends ApprovalAction>(
    method: string,
    path: string,
    action: A,
    object: ApprovedObject<A>,
  ): Promise<Reply>;
}

export async function startTestControl(): Promise<TestControl> {
  const clock = { now: Date.now() };
  const organisation = await createOrganisation(clock.now);
  const gateway = await startGatewayPeer(organisation, { now: () => clock.now });
  const database = await freshDatabase();
  const surroundings: Surroundings = {
    ...systemSurroundings(),
    now: () => clock.now,
    messageId: () => newMessageId(clock.now, random(10)),
  };
  const logs: string[] = [];
  const config = await writeConfig(organisation, gateway.url, database);
  const start = () =>
    startControl(controlConfigSchema.parse(control.config), {
      logger: createLogger('control', 'debug', { write: (line: string) => void logs.push(line) }),
      surroundings,
    });
  const control: TestControl = {
    organisation,
    gateway,
    database,
    clock,
    logs,
    surroundings,
    config,
    running: { url: '', stop: async () => undefined },
    async restart() {
      await control.running.stop();
      control.running = await start();
    },
    call: (method, path, body, headers = {}) => send(control.running.url, method, path, body, headers),
    async approved(method, path, action, object) {
      return control.call(method, path, { object, approval: await organisation.approve(action, object, clock.now) });
    },
    async [Symbol.asyncDispose]() {
      await control.running.stop();
      await gateway[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
      organisation[Symbol.dispose]();
    },
  };
  control.running = await start();
  return control;
}

async function writeConfig(
  organisation: TestOrganisation,
  url: string,
  database: FreshDatabase,
): Promise<ControlConfigFile> {
  const { folder, name } = organisation;
  const at = (file: string) => join(folder, file);
  const tls = await organisation.service('control');
  writeFileSync(at('cert.pem'), tls.cert);
  writeFileSync(at('key.pem'), tls.key);
  const { host, port, user, password, database: databaseName } = database.config;
  writeFileSync(at('password'), password);
  return {
    organisation: name,
    database: { host, port, user, database: databaseName, password_file: at('password'), pool: 6 },
    listen: { host: '127.0.0.1', port: 0 },
    public_url: 'http://127.0.0.1:8080',
    gateway: { url, device_url: 'http://127.0.0.1:8082' },
    service_tls: { cert_file: at('cert.pem'), key_file: at('key.pem') },
    trust_file: at('trust.jws'),
    root_file: at('root.pem'),
    keys: { folder: at('keys'), kek_file: at('kek') },
    log_level: 'debug',
  };
}

export async function send(
  url: string,
  method: string,
  path: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<Reply> {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(new URL(path, url), {
    method,
    headers: { ...(text === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(text === undefined ? {} : { body: text }),
  });
  const type = (response.headers.get('content-type') ?? '').split(';')[0] ?? '';
  const raw = await response.text();
  return {
    status: response.status,
    type,
    headers: response.headers,
    body: type.endsWith('json') ? JSON.parse(raw) : raw,
  };
}

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** A token request with an assertion (RFC 7523 section 2.2); `claims` override what an honest client would say. */
export async function tokenRequest(
  control: TestControl,
  key: Signer,
  subject: string,
  scope: string,
  claims: Record<string, unknown> = {},
): Promise<Record<string, string>> {
  const iat = Math.floor(control.clock.now / 1000);
  const honest = { iss: subject, sub: subject, aud: 'control', iat, exp: iat + 60, jti: nonce() };
  const client_assertion = await signJws('JWT', { ...honest, ...claims }, key);
  return { grant_type: 'client_credentials', client_assertion_type: ASSERTION_TYPE, client_assertion, scope };
}

/** Registers an application with a fresh key. */
export async function registerApplication(
  control: TestControl,
  application: string,
  flows: readonly string[],
): Promise<Signer> {
  const { signer } = await createSigningKey('EdDSA');
  const object = {
    application,
    publicKey: { kty: 'OKP', crv: 'Ed25519', x: signer.publicJwk.x },
    flows,
    nonce: nonce(),
  };
  const reply = await control.approved('POST', '/v1/applications', 'application.register', object as never);
  if (reply.status !== 200) throw new Error(`registering: ${reply.body.code}`);
  return signer;
}

export async function registerMember(control: TestControl, member: string, phone?: string): Promise<void> {
  const object = {
    member,
    displayName: `Display of ${member}`,
    ...(phone === undefined ? {} : { phone }),
    nonce: nonce(),
  };
  const reply = await control.approved('POST', '/v1/members', 'member.register', object as never);
  if (reply.status !== 200) throw new Error(`registering: ${reply.body.code}`);
}

/** Invites a member's device and answers the code. */
export async function inviteDevice(control: TestControl, member: string): Promise<string> {
  const code = toBase64url(random(9));
  const codeHash = toBase64url(sha256(new TextEncoder().encode(code)));
  const object = { member, codeHash, expires: control.clock.now + 600_000, nonce: nonce() };
  const reply = await control.approved('POST', '/v1/invites', 'device.invite', object as never);
  if (reply.status !== 200) throw new Error(`inviting: ${reply.body.code}`);
  return code;
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
kind: Flow
metadata: { name: incident-alerts }
spec:
  purpose: Incidents
  agent: acme-incidents
  classification: confidential
  floor: e2ee
  ladder: [{ channel: app, use: carry }]
  expires: 4h
`;

export const POLICIES = `permit (principal is Application, action == Action::"send", resource is Flow)
when { principal.flows.contains(resource) };
`;

export function testBundle(control: TestControl, version: number, lifetime = 86_400_000, policies = POLICIES): Bundle {
  const options = { organisation: control.organisation.name, version, issued: control.clock.now, lifetime };
  const result = compileBundle(
    [{ file: 'all.yaml', text: MANIFESTS }],
    [{ file: 'all.cedar', text: policies }],
    options,
  );
  if (result.kind === 'failed') throw new Error(JSON.stringify(result.problems));
  return result.bundle;
}

export async function applyBundle(
  control: TestControl,
  bundle: unknown,
  signer = control.organisation.operator,
): Promise<Reply> {
  return control.approved('PUT', '/v1/bundle', 'bundle.apply', { bundle: await signJws(BUNDLE_TYPE, bundle, signer) });
}
