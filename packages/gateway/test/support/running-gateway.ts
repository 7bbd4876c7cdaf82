/**
 * A whole gateway as it is started from a configuration file: real database, real keys on disk, both listeners. Clients
 * speak to it over TLS with the certificates tests give them.
 */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, ensureKek, openDatabase, openKeyStore, parseConfig } from '@sealpost/platform';
import { freshDatabase } from '../../../../test/support/postgres.ts';
import { type RunningGateway, startGateway } from '../../src/app.ts';
import { gatewayConfigSchema } from '../../src/config/config.ts';
import { type Clock, movableClock, quiet } from './gateway-log.ts';
import { type Credentials, createOrganisation, type Organisation } from './organisation.ts';

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read members of answers they check anyway.
  readonly json: any;
}

export interface TestGateway extends AsyncDisposable {
  readonly organisation: Organisation;
  readonly clock: Clock;
  /** The gateway's own database, to look behind the scenes. */
  readonly database: Database;
  readonly control: Credentials;
  readonly deviceUrl: string;
  readonly configPath: string;
  /** A call on the internal listener, by control unless `as` says who; `undefined` is nobody. */
  call(method: string, path: string, body?: unknown, as?: Credentials | null, type?: string): Promise<Answer>;
  restart(): Promise<void>;
}

export async function startTestGateway(): Promise<TestGateway> {
  const fresh = await freshDatabase();
  const organisation = await createOrganisation();
  const clock = movableClock();
  const folder = await mkdtemp(join(tmpdir(), 'sealpost-gateway-'));
  const config = await writeConfiguration(folder, organisation, fresh.config);
  const control = await organisation.credentials('control');
  const database = openDatabase({ ...fresh.config, pool: 4 });
  const start = () => startGateway(config.parsed, { logger: quiet, surroundings: clock });
  let gateway: RunningGateway = await start();
  return {
    organisation,
    clock,
    database,
    control,
    configPath: config.path,
    get deviceUrl() {
      return `http://127.0.0.1:${gateway.ports.device}`;
    },
    call: (method, path, body, as = control, type = 'application/json') =>
      call({ method, path, port: gateway.ports.internal, ca: organisation.caPem, ...(as ?? {}) }, body, type),
    async restart() {
      await gateway.stop();
      gateway = await start();
    },
    async [Symbol.asyncDispose]() {
      await gateway.stop();
      await database.close();
      await fresh[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type Coordinates = { host: string; port: number; user: string; password: string; database: string };

/** Everything a gateway is started from, in `folder`; answers the configuration, as a file and as read. */
export async function writeConfiguration(folder: string, organisation: Organisation, database: Coordinates) {
  const at = (name: string) => join(folder, name);
  const write = (name: string, text: string) => writeFile(at(name), text, { mode: 0o600 });
  await mkdir(at('keys'));
  await chmod(folder, 0o700);
  ensureKek(at('kek'));
  const keys = openKeyStore({ folder: at('keys'), kek_file: at('kek') });
  for (const name of ['receipts', 'log'] as const) {
    keys.createSecret(name, new TextEncoder().encode(JSON.stringify(organisation.keys[name].privateJwk)));
  }
  const own = await organisation.credentials('gateway');
  await write('password', database.password);
  await write('trust.jws', `${organisation.trustFile}\n`);
  await write('root.pem', organisation.rootPem);
  await write('ca.pem', organisation.caPem);
  await write('cert.pem', own.cert);
  await write('key.pem', own.key);
  const text = `
organisation: acme.example
data: ${at('data')}
database: { host: ${database.host}, port: ${database.port}, database: ${database.database}, user: ${database.user}, password_file: ${at('password')} }
listen:
  device: { host: 127.0.0.1, port: 0 }
  internal: { host: 127.0.0.1, port: 0 }
public_url: http://127.0.0.1
trust_file: ${at('trust.jws')}
root_file: ${at('root.pem')}
tls: { cert_file: ${at('cert.pem')}, key_file: ${at('key.pem')}, ca_file: ${at('ca.pem')} }
keys: { folder: ${at('keys')}, kek_file: ${at('kek')} }
`;
  await write('gateway.yaml', text);
  return { path: at('gateway.yaml'), parsed: parseConfig(gatewayConfigSchema, text, 'gateway.yaml') };
}

function call(
  options: { method: string; path: string; port: number; ca: string; cert?: string; key?: string },
  body: unknown,
  type: string,
): Promise<Answer> {
  const payload = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  const headers = payload === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(payload) };
  return new Promise((resolve, reject) => {
    const sent = request(
      { ...options, host: '127.0.0.1', servername: 'localhost', agent: false, headers },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const contentType = answer.headers['content-type'] ?? '';
          const json = contentType.includes('json') ? JSON.parse(text) : undefined;
          resolve({ status: answer.statusCode ?? 0, type: contentType, text, json });
        });
      },
    );
    sent.on('error', reject);
    sent.end(payload);
  });
}
