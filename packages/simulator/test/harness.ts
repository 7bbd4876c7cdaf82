/**
 * What simulator tests share: a running simulator with fresh credentials, its control API, and a webhook that records.
 */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { importPKCS8, SignJWT } from 'jose';
import { createServiceAccount, type SimulatorOptions, startSimulator } from '../src/index.ts';

export const AGENT = 'acme-incidents';
export const CLIENT_TOKEN = 'client-token-1';
export const SMSC_LOGIN = { systemId: 'sealpost', password: 'secret' } as const;

export async function until<T>(probe: () => T | undefined | Promise<T | undefined>, what: string): Promise<T> {
  const deadline = performance.now() + 10_000;
  while (performance.now() < deadline) {
    const value = await probe();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`never happened: ${what}`);
}

export interface Hook {
  readonly url: string;
  readonly events: { event: Record<string, string>; signed: boolean; raw: string }[];
  readonly handshakes: { clientToken: string; secret: string }[];
  /** Status to answer events with. */
  status: number;
  close(): Promise<void>;
}

export async function startHook(): Promise<Hook> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const raw = Buffer.concat(chunks).toString('utf8');
    const body = JSON.parse(raw);
    if (body.secret !== undefined) {
      hook.handshakes.push(body);
      response.end(body.secret);
      return;
    }
    const data = Buffer.from(body.message.data, 'base64');
    const expected = createHmac('sha512', CLIENT_TOKEN).update(data).digest('base64');
    const signed = request.headers['x-goog-signature'] === expected;
    hook.events.push({ event: JSON.parse(data.toString()), signed, raw });
    response.statusCode = signed ? hook.status : 401;
    response.end();
  });
  const url = `http://127.0.0.1:${await listen(server)}/webhook`;
  const hook: Hook = {
    url,
    events: [],
    handshakes: [],
    status: 200,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return hook;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as { port: number }).port;
}

const account = createServiceAccount();

export async function simulate(change: Partial<SimulatorOptions> & { webhookUrl?: string } = {}) {
  const { webhookUrl, ...options } = change;
  const simulator = await startSimulator({
    httpPort: 0,
    smscPort: 0,
    host: '127.0.0.1',
    now: Date.now,
    random: Math.random,
    rbm: { agentId: AGENT, serviceAccountPublicKeyPem: account.publicKeyPem, clientToken: CLIENT_TOKEN, webhookUrl },
    smsc: SMSC_LOGIN,
    ...options,
  });
  const base = `http://127.0.0.1:${simulator.httpPort}`;
  const call = async (method: string, path: string, body?: unknown) => {
    const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const response = await fetch(`${base}${path}`, { method, ...(body === undefined ? {} : json) });
    const text = await response.text();
    return { status: response.status, headers: response.headers, json: text === '' ? undefined : JSON.parse(text) };
  };
  return { ...simulator, base, call };
}

export type Simulated = Awaited<ReturnType<typeof simulate>>;

export async function grant(base: string, change: Record<string, unknown> = {}, key?: string): Promise<Response> {
  const file = JSON.parse(key ?? account.serviceAccountJson);
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: file.client_email,
    scope: 'https://www.googleapis.com/auth/rcsbusinessmessaging',
    aud: `${base}/token`,
    iat: now,
    exp: now + 3600,
  };
  const assertion = await new SignJWT({ ...claims, ...change })
    .setProtectedHeader({ alg: 'RS256' })
    .sign(await importPKCS8(file.private_key, 'RS256'));
  const form = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion });
  return fetch(`${base}/token`, { method: 'POST', body: form });
}

/** Sends one agent message; answers the HTTP response. */
export async function sendRcs(
  base: string,
  phone: string,
  id: string,
  body: unknown,
  token?: string,
  patienceMs = 10_000,
): Promise<Response> {
  const bearer = token ?? (await (await grant(base)).json()).access_token;
  const url = `${base}/v1/phones/${encodeURIComponent(phone)}/agentMessages?messageId=${id}&agentId=${AGENT}`;
  const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' };
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal: AbortSignal.timeout(patienceMs) });
}

export const TEXT = {
  contentMessage: {
    text: 'Something is waiting',
    suggestions: [
      { action: { text: 'Open', postbackData: 'eA==', openUrlAction: { url: 'https://inbox.example/m/1' } } },
    ],
  },
  messageTrafficType: 'TRANSACTION',
};
