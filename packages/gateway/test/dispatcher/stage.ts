/**
 * A whole delivery for tests: a gateway's delivery stepped by hand, a real dispatcher under a database role of its own that
 * has what the migration grants and nothing else, and the simulated carriers and phones, all by one clock.
 */
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { openDatabase } from '@sealpost/platform';
import type { CompiledFlow, MessageId } from '@sealpost/protocol';
import { createServiceAccount, type FaultKind, type SimulatorOptions, startSimulator } from '@sealpost/simulator';
import { inject } from 'vitest';
import { dropDatabase } from '../../../cli/src/postgres/index.ts';
import { type RunningDispatcher, startDispatcher } from '../../src/dispatcher/app.ts';
import { dispatcherConfigSchema } from '../../src/dispatcher/config.ts';
import { createDeliveryBench, type DeliveryBench, until } from '../delivery/bench.ts';
import { quiet } from '../support/gateway-log.ts';
import { createDispatcherRole } from './role.ts';
import { createDispatcherFolder } from './trust.ts';

export const CLIENT_TOKEN = 'client-token-1';
const AGENT = 'acme-incidents';
const account = createServiceAccount();

export interface Carried {
  readonly carrier: 'rbm' | 'smsc';
  readonly operation: string;
  readonly address?: string;
  readonly text: string;
}

export interface Stage extends DeliveryBench {
  readonly role: string;
  /** How to connect to the database as the dispatcher does. */
  readonly guest: Parameters<typeof openDatabase>[0];
  readonly url: string;
  /** Every message from here on is of this flow. */
  useFlow(flow: CompiledFlow): void;
  /** Starts a dispatcher; one at a time. */
  start(): Promise<RunningDispatcher>;
  /** How many clients are bound to the SMSC. */
  bound(): Promise<number>;
  /** Everything a carrier was asked to send. */
  sent(carrier: Carried['carrier']): Promise<Carried[]>;
  fault(carrier: Carried['carrier'], kind: FaultKind, more?: object): Promise<void>;
  phone(
    number: string,
    change?: object,
  ): Promise<{ messages: { channel: string; text: string; url?: string; status: string }[] }>;
  read(number: string): Promise<void>;
  clearFaults(): Promise<void>;
  /** Steps until the message's events are as asked for. */
  reaches(message: MessageId, what: string, is: (kinds: string[]) => boolean): Promise<void>;
}

export async function createStage(
  options: { smsc?: Partial<SimulatorOptions['smsc']>; vendors?: object } = {},
): Promise<Stage> {
  const bench = await createDeliveryBench();
  const { role, password, database, host, port: databasePort } = await createDispatcherRole(bench.database);
  const folder = await createDispatcherFolder(bench.organisation, bench.dispatch);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const simulator = await startSimulator({
    httpPort: 0,
    smscPort: 0,
    host: '127.0.0.1',
    now: bench.clock.now,
    random: Math.random,
    rbm: {
      agentId: AGENT,
      serviceAccountPublicKeyPem: account.publicKeyPem,
      clientToken: CLIENT_TOKEN,
      webhookUrl: `${url}/webhooks/rcs-main`,
    },
    smsc: { systemId: 'sealpost', password: 'secret', ...options.smsc },
  });
  const base = `http://127.0.0.1:${simulator.httpPort}`;
  const config = dispatcherConfigSchema.parse({
    organisation: bench.organisation.trust.organisation,
    database: { host, port: databasePort, database, user: role, password_file: await folder.secret('db', password) },
    listen: { host: '127.0.0.1', port },
    trust_file: folder.trust_file,
    root_file: folder.root_file,
    keys: folder.keys,
    vendors: {
      'rcs-main': {
        adapter: 'rcs-google',
        unsafe_private_hosts: ['127.0.0.1'],
        base_url: base,
        token_url: `${base}/token`,
        agent_id: AGENT,
        service_account_file: await folder.secret('account.json', account.serviceAccountJson),
        client_token_file: await folder.secret('client-token', CLIENT_TOKEN),
        timeout: '2s',
      },
      'sms-main': {
        adapter: 'sms-smpp',
        host: '127.0.0.1',
        port: simulator.smscPort,
        system_id: 'sealpost',
        password_file: await folder.secret('smsc-password', 'secret'),
        source_address: 'Acme',
        response_timeout: '2s',
      },
      ...options.vendors,
    },
  });
  const call = async (method: string, path: string, body?: unknown) => {
    const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const response = await fetch(`${base}${path}`, { method, ...(body === undefined ? {} : json) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  let running: RunningDispatcher | undefined;
  return {
    ...bench,
    role,
    guest: { host, port: databasePort, database, user: role, password },
    url,
    useFlow(flow) {
      bench.flow = async () => flow;
    },
    async start() {
      running = await startDispatcher(config, { logger: quiet, surroundings: bench.clock });
      await until(async () => {
        const state = await call('GET', '/livez');
        return state.webhook === 'verified' && state.smppClients === 1;
      }, 'the channels are up');
      return running;
    },
    bound: async () => (await call('GET', '/livez')).smppClients,
    sent: async (carrier) =>
      ((await call('GET', '/traffic')) as Carried[]).filter(
        (entry) => entry.carrier === carrier && /agentMessages.create|submit_sm/.test(entry.operation),
      ),
    fault: (carrier, kind, more = {}) => call('PUT', `/faults/${carrier}`, { kind, ...more }),
    clearFaults: () => call('DELETE', '/faults'),
    phone: (number, change) =>
      change === undefined ? call('GET', `/phones/${number}`) : call('PUT', `/phones/${number}`, change),
    read: (number) => call('POST', `/phones/${number}/read`),
    async reaches(message, what, is) {
      await until(async () => {
        await bench.settle();
        return is((await bench.events(message)).map(told));
      }, what);
    },
    async [Symbol.asyncDispose]() {
      await running?.stop();
      await simulator.stop();
      await bench[Symbol.asyncDispose]();
      await dropDatabase(inject('postgres'), { database, role });
      await rm(folder.path, { recursive: true, force: true });
    },
  };
}

/** An event in a few words, for stories: 'attempt.ended rcs-main accepted'. */
export function told(event: object): string {
  const { kind, channel, decision, outcome, status, effect, receipt, state, reason } = event as Record<string, string>;
  const why = kind === 'route.step' && decision === 'skipped' ? reason : undefined;
  return [kind, channel, decision, why, outcome, status, effect, receipt, state].filter(Boolean).join(' ');
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}
