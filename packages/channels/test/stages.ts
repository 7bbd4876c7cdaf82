/**
 * Stages against the simulator: a running simulator, an adapter configured for it, and what the contract needs to know.
 */
import { randomBytes } from 'node:crypto';
import type { Inbound, ProviderReceipt } from '@sealpost/protocol/carriage';
import { createServiceAccount, type SimulatorOptions, startSimulator } from '@sealpost/simulator';
import { type AdapterContext, createAdapter, type EventSink } from '../src/index.ts';

export const AGENT = 'acme-incidents';
export const CLIENT_TOKEN = 'client-token-1';
export const PASSWORD = 'secret';
export const account = createServiceAccount();
const FILES: Readonly<Record<string, string>> = {
  'account.json': account.serviceAccountJson,
  'client-token': CLIENT_TOKEN,
  password: PASSWORD,
};

export { FILES as files };

export function contextWith(change: Partial<AdapterContext> = {}): AdapterContext {
  const readSecret = async (path: string): Promise<Uint8Array> => {
    const content = FILES[path];
    if (content === undefined) throw new Error('no such file');
    return new TextEncoder().encode(content);
  };
  const random = (length: number) => new Uint8Array(randomBytes(length));
  return { now: Date.now, fetch, readSecret, random, ...change };
}

/** A sink that records, and can be told to fail. */
export interface RecordingSink extends EventSink {
  readonly receipts: ProviderReceipt[];
  readonly inbound: Inbound[];
  fail(times: number): void;
}

export function recordingSink(): RecordingSink {
  const receipts: ProviderReceipt[] = [];
  const inbound: Inbound[] = [];
  let failures = 0;
  return {
    receipts,
    inbound,
    fail: (times) => {
      failures = times;
    },
    async receive(given) {
      if (failures > 0) {
        failures -= 1;
        throw new Error('disk full');
      }
      receipts.push(...given.receipts);
      inbound.push(...given.inbound);
    },
  };
}

export async function startCarriers(change: Partial<SimulatorOptions> & { webhookUrl?: string } = {}) {
  const { webhookUrl, ...options } = change;
  const simulator = await startSimulator({
    httpPort: 0,
    smscPort: 0,
    rbmPort: 0,
    host: '127.0.0.1',
    now: Date.now,
    random: Math.random,
    rbm: { agentId: AGENT, serviceAccountPublicKeyPem: account.publicKeyPem, clientToken: CLIENT_TOKEN, webhookUrl },
    smsc: { systemId: 'sealpost', password: PASSWORD },
    ...options,
  });
  const call = async (method: string, path: string, body?: unknown) => {
    const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const response = await fetch(`http://127.0.0.1:${simulator.httpPort}${path}`, {
      method,
      ...(body === undefined ? {} : json),
    });
    const text = await response.text();
    return text === '' ? undefined : JSON.parse(text);
  };
  const shown = async (address: string): Promise<number> => (await call('GET', `/phones/${address}`)).messages.length;
  return { ...simulator, call, shown };
}

export const smsSettings = (port: number, change: object = {}) => ({
  host: '127.0.0.1',
  port,
  system_id: 'sealpost',
  password_file: 'password',
  source_address: 'Acme',
  response_timeout: '400ms',
  ...change,
});

export const rcsSettings = (port: number, change: object = {}) => ({
  base_url: `http://127.0.0.1:${port}`,
  token_url: `http://127.0.0.1:${port}/token`,
  agent_id: AGENT,
  service_account_file: 'account.json',
  client_token_file: 'client-token',
  timeout: '400ms',
  ...change,
});

export { createAdapter };
