/** What an operator reads at the console, through the real gateway: states, reasons and proofs, never content or numbers. */
import { createSigningKey, type Signer, signJws } from '@sealpost/crypto/signer';
import { sha256 } from '@sealpost/crypto/verify';
import { createLogger, createServer, type Server } from '@sealpost/platform';
import { type Evidence, eventOfRecord, type MessageId, toBase64url, utf8 } from '@sealpost/protocol';
import { openCheckpoint, parseVerifierKey, type VerifierKey, verifyEvidence } from '@sealpost/tlog';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { GatewayClient } from '../../src/gateway/gateway-client.ts';
import { gatewayError } from '../../src/gateway/gateway-errors.ts';
import { registerConsoleSessionRoutes } from '../../src/modules/identity/index.ts';
import { registerConsoleRoutes } from '../../src/modules/messages/index.ts';
import { createLogSource } from '../../src/modules/witness/index.ts';
import { enrolDevice } from '../agents/device.ts';
import { createEstate, type Estate, nonce } from '../agents/estate.ts';
import { ALICE, applyBundle, type ControlProcess, PHONE, registerMember, startProcess } from '../agents/process.ts';

const CANARY = 'canary-31c0-the-disk-is-full';
const principal = { kind: 'application', id: 'monitoring', flows: ['incident-alerts'] } as const;
let estate: Estate;
let control: ControlProcess;
let server: Server;
let url: string;
let token: string;
let first: MessageId;
const answers: string[] = [];

beforeAll(async () => {
  estate = await createEstate();
  control = await startProcess(estate);
  await applyBundle(estate, control, 1);
  await registerMember(control);
  await (await enrolDevice(estate, control)).upload(2);
  const options = { name: 'console', version: '0', bodyLimit: 65_536, ready: async () => undefined };
  server = await createServer({ ...options, logger: createLogger('console', 'error') });
  const gateway = new Proxy(control.client, {
    get: (target, name: keyof GatewayClient) => control.faults[name] ?? target[name],
  });
  const log = createLogSource(`http://127.0.0.1:${estate.gateway.ports.device}`);
  await registerConsoleSessionRoutes(server, { identity: control.identity });
  registerConsoleRoutes(server, { ...control, gateway, log });
  url = await server.listen({ host: '127.0.0.1', port: 0 });
  token = await signedIn();
  first = await send('first');
});
afterAll(async () => {
  await server.close();
  await control[Symbol.asyncDispose]();
  await estate[Symbol.asyncDispose]();
});
beforeEach(() => {
  for (const name of Object.keys(control.faults)) delete control.faults[name as keyof typeof control.faults];
});

async function send(key: string): Promise<MessageId> {
  const content = { subject: CANARY, body: CANARY, facts: [], acknowledge: false };
  const request = { flow: 'incident-alerts', to: ALICE, content } as never;
  return (await control.messages.send(principal, request, key)).message;
}

async function signedIn(): Promise<string> {
  const { signer } = await createSigningKey('ES256');
  const code = nonce();
  const expires = estate.surroundings.now() + 300_000;
  const object = { codeHash: toBase64url(sha256(utf8(code))), expires, nonce: nonce() };
  const approval = await control.identity.approve(
    'console.invite',
    object,
    await estate.approve('console.invite', object),
  );
  await control.database.transaction((tx) => control.identity.console.addInvitation(tx, object, approval));
  const publicKey = signer.publicJwk as never;
  const { session } = await control.identity.console.signIn({ code, publicKey }, '127.0.0.1');
  return (await control.identity.console.token(await assertionOf(signer, session))).access_token;
}

async function assertionOf(signer: Signer, session: string) {
  const iat = Math.floor(estate.surroundings.now() / 1000);
  const claims = { iss: session, sub: session, aud: 'control', iat, exp: iat + 60, jti: nonce() };
  return {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await signJws('JWT', claims, signer),
    scope: 'console',
  } as const;
}

// biome-ignore lint/suspicious/noExplicitAny: answers of every shape are looked into
async function read(path: string): Promise<{ status: number; body: any }> {
  const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  const text = await response.text();
  answers.push(text);
  return { status: response.status, body: JSON.parse(text) };
}

function keyOf(text: string): VerifierKey {
  const parsed = parseVerifierKey(text);
  if (parsed.kind !== 'parsed') throw new Error(parsed.reason);
  return parsed.key;
}

test('the newest messages come first, each with how it stands', async () => {
  const second = await send('second');
  const { body } = await read('/v1/console/messages');
  expect(body.messages.map((each: { message: string }) => each.message)).toEqual([second, first]);
  expect(body.messages[0]).toMatchObject({ flow: 'incident-alerts', to: 'alice', state: 'accepted' });
});

test('a message that control has sealed and the gateway has not taken is listed as stored', async () => {
  control.faults.submit = () => Promise.reject(new Error('away'));
  await send('third').catch(() => undefined);
  const { body } = await read('/v1/console/messages');
  expect(body.messages[0].state).toBe('stored');
  expect((await read(`/v1/messages/${body.messages[0].message}`)).body.code).toBe('ERR_MESSAGES_MISSING');
});

test('each sequenced event of a message is proved by its evidence under the keys of the trust file', async () => {
  const evidence = await vi.waitFor(
    async () => {
      const [{ body: status }, { body }] = [
        await read(`/v1/messages/${first}`),
        await read(`/v1/messages/${first}/evidence`),
      ];
      expect(body.evidence.length).toBe(status.timeline.length);
      expect(body.evidence.map((each: Evidence) => each.position)).toEqual(
        status.timeline.map((each: { position: number }) => each.position),
      );
      return body.evidence as Evidence[];
    },
    { timeout: 20_000 },
  );
  expect(evidence.length).toBeGreaterThan(1);
  for (const each of evidence) {
    const event = eventOfRecord(each.record)!;
    const keys = { logKey: keyOf(estate.trust.gateway.log), witnessKeys: [keyOf(estate.trust.control.witness)] };
    expect(await verifyEvidence(each, event, keys)).toMatchObject({ kind: 'proved', position: each.position });
  }
  const rest = await read(`/v1/messages/${first}/evidence?after=${evidence[0]!.position}&limit=1`);
  expect(rest.body.evidence.map((each: Evidence) => each.position)).toEqual([evidence[1]!.position]);
});

test('a wait for change ends with the next event and names its message', async () => {
  const { checkpoint } = (await read('/v1/console/log')).body;
  const opened = await openCheckpoint(checkpoint, { logKey: keyOf(estate.trust.gateway.log) });
  if (opened.kind === 'rejected') throw new Error(opened.reason);
  // What was appended before may be sequenced only now: go on until the wait ends with nothing.
  let after = opened.checkpoint.size - 1;
  for (let settled = false; !settled; ) {
    const { body } = await read(`/v1/console/changes?after=${after}&wait=1500`);
    settled = body.messages.length === 0 && body.position === after;
    after = body.position;
  }
  const waiting = read(`/v1/console/changes?after=${after}&wait=20000`);
  const sent = await send('awaited');
  const { body } = await waiting;
  expect(body.messages).toEqual([sent]);
  expect(body.position).toBeGreaterThan(after);
});

test('the flows are shown as they run, without policies and without the text of a notice', async () => {
  const { body } = await read('/v1/console/flows');
  expect(body).toMatchObject({
    version: 1,
    flows: [{ name: 'incident-alerts', floor: 'e2ee', agent: 'acme-incidents' }],
  });
  expect(Object.keys(body.flows[0]).sort()).toEqual([
    'agent',
    'classification',
    'expires',
    'floor',
    'ladder',
    'name',
    'purpose',
  ]);
});

test.each([
  ['/v1/messages/01890000-0000-7000-8000-000000000000', 404, 'ERR_MESSAGES_MISSING'],
  ['/v1/messages/01890000-0000-7000-8000-000000000000/evidence', 404, 'ERR_MESSAGES_MISSING'],
  ['/v1/messages/nothing/evidence', 400, 'ERR_HTTP_INVALID'],
  ['/v1/console/changes?after=-2', 400, 'ERR_HTTP_INVALID'],
  ['/v1/console/changes?after=0&wait=20001', 400, 'ERR_HTTP_INVALID'],
])('%s is answered %i %s', async (path, status, code) => {
  expect(await read(path)).toMatchObject({ status, body: { code } });
});

test('while the gateway is away the console says so, and neither fails nor invents', async () => {
  const refuse = () => Promise.reject(gatewayError('ERR_GATEWAY_AWAY', { retryAfter: 5 }));
  Object.assign(control.faults, { results: refuse, timeline: refuse, evidence: refuse, events: refuse });
  for (const path of [
    '/v1/console/messages',
    `/v1/messages/${first}`,
    `/v1/messages/${first}/evidence`,
    '/v1/console/changes?after=0',
  ])
    expect(await read(path)).toMatchObject({ status: 503, body: { code: 'ERR_GATEWAY_AWAY' } });
});

test('no answer held content or a number', () => {
  expect(answers.length).toBeGreaterThan(10);
  for (const secret of [CANARY, PHONE, PHONE.slice(1)]) expect(answers.join('\n')).not.toContain(secret);
});
