/** The console's door: a code lets one browser in to read, for hours, and nothing it is given opens anything else. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createSigningKey, type Signer } from '@sealpost/crypto/signer';
import { sha256 } from '@sealpost/crypto/verify';
import { openDatabase } from '@sealpost/platform';
import { toBase64url, utf8 } from '@sealpost/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createConsoleSessions } from '../../src/modules/identity/console-sessions.ts';
import {
  inviteDevice,
  type Reply,
  registerApplication,
  registerMember,
  send,
  startTestControl,
  type TestControl,
  tokenRequest,
} from '../support/control.ts';
import { nonce } from '../support/organisation.ts';

const HOUR = 3_600_000;
const MESSAGE = '01890000-0000-7000-8000-000000000000';
let control: TestControl;
let origin: string;

beforeAll(async () => {
  control = await startTestControl();
  const pages = join(control.organisation.folder, 'console-page');
  mkdirSync(pages);
  writeFileSync(join(pages, 'index.html'), '<!doctype html><title>console</title>');
  const port = await freePort();
  origin = `http://127.0.0.1:${port}`;
  control.config = { ...control.config, console: { listen: { host: '127.0.0.1', port }, pages } };
  await control.restart();
  await registerMember(control, 'alice');
});
afterAll(() => control[Symbol.asyncDispose]());
/** Wrong codes are counted by windows of ten minutes; each test begins in one of its own. */
beforeEach(() => {
  control.clock.now += 20 * 60_000;
});

const call = (method: string, path: string, body?: unknown, token?: string) =>
  send(origin, method, path, body, token === undefined ? {} : { authorization: `Bearer ${token}` });
const invite = (change: object = {}, code = nonce()) =>
  control
    .approved('POST', '/v1/console/invites', 'console.invite', {
      codeHash: toBase64url(sha256(utf8(code))),
      expires: control.clock.now + 600_000,
      nonce: nonce(),
      ...change,
    } as never)
    .then((reply) => ({ code, reply }));
const browserKey = async () => (await createSigningKey('ES256')).signer;
const signIn = (code: string, key: Signer) =>
  call('POST', '/v1/console/sessions', { code, publicKey: key.publicJwk }) as Promise<Reply>;
const signedIn = async () => {
  const key = await browserKey();
  const { body } = await signIn((await invite()).code, key);
  return { key, session: body.session as string, expires: body.expires as number };
};
const askToken = async (session: string, key: Signer, scope = 'console') =>
  call('POST', '/v1/token', await tokenRequest(control, key, session, scope));
const tokenOf = async ({ session, key }: { session: string; key: Signer }): Promise<string> =>
  (await askToken(session, key)).body.access_token;
const read = (token?: string) => call('GET', '/v1/console/flows', undefined, token);

describe('signing in', () => {
  it('takes an approver’s code and a browser’s key, for twelve hours, and the key gets tokens of five minutes', async () => {
    const { key, session, expires } = await signedIn();
    expect(expires - control.clock.now).toBe(12 * HOUR);
    const reply = await askToken(session, key);
    expect(reply.body).toMatchObject({ token_type: 'Bearer', expires_in: 300, scope: 'console' });
    expect((await read(reply.body.access_token)).status).toBe(200);
  });

  it('binds a code to the first key: the same key gets the same session again, another none', async () => {
    const { code } = await invite();
    const [first, second] = [await browserKey(), await browserKey()];
    const answer = await signIn(code, first);
    expect((await signIn(code, first)).body).toEqual(answer.body);
    expect((await signIn(code, second)).body).toMatchObject({ status: 409, code: 'ERR_IDENTITY_CODE_USED' });
  });

  it('lets one of many keys in that bring the same code at once', async () => {
    const { code } = await invite();
    const keys = await Promise.all(Array.from({ length: 6 }, browserKey));
    const replies = await Promise.all(keys.map((key) => signIn(code, key)));
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('refuses a code nobody made, one that has ended, and after five wrong ones every code for a while', async () => {
    const key = await browserKey();
    const { code: late } = await invite();
    control.clock.now += 600_001;
    for (const code of [late, 'wrong-2', 'wrong-3', 'wrong-4', 'wrong-5'])
      expect((await signIn(code, key)).body).toMatchObject({ status: 403, code: 'ERR_IDENTITY_CODE' });
    const reply = await signIn((await invite()).code, key);
    expect(reply.body).toMatchObject({ status: 429, code: 'ERR_IDENTITY_CODE_LIMITED' });
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('leaves enrollment its own tries', async () => {
    const key = await browserKey();
    for (let wrong = 0; wrong < 5; wrong++) await signIn(`wrong-${wrong}`, key);
    const enrol = (code: string) => control.call('POST', '/v1/enrollments', { code, name: 'phone', request: 'AAAA' });
    expect((await enrol('wrong')).body.code).toBe('ERR_ENROLLMENT_CODE');
    expect((await enrol(await inviteDevice(control, 'alice'))).body.code).toBe('ERR_ENROLLMENT_POSSESSION');
  });

  it('refuses a key that is no point of the curve, and leaves the code for a true one', async () => {
    const { code } = await invite();
    const key = await browserKey();
    const publicKey = { ...key.publicJwk, x: 'A'.repeat(43) };
    const reply = await call('POST', '/v1/console/sessions', { code, publicKey });
    expect(reply.body).toMatchObject({ status: 400, code: 'ERR_IDENTITY_KEY' });
    expect((await signIn(code, key)).status).toBe(200);
  });

  it('refuses an invitation that lives longer than ten minutes, or that no approver signed', async () => {
    const { reply } = await invite({ expires: control.clock.now + HOUR });
    expect(reply.body).toMatchObject({ status: 400, code: 'ERR_IDENTITY_CODE_LIFETIME' });
    const object = { codeHash: toBase64url(sha256(utf8('x'))), expires: control.clock.now + 60_000, nonce: nonce() };
    const stranger = { signer: (await createSigningKey('EdDSA')).signer };
    const approval = await control.organisation.approve('console.invite', object, control.clock.now, stranger);
    const unsigned = await control.call('POST', '/v1/console/invites', { object, approval });
    expect(unsigned.body.code).toBe('ERR_IDENTITY_APPROVAL');
  });
});

describe('a session ends', () => {
  it('after twelve hours, whatever token its browser still holds', async () => {
    const browser = await signedIn();
    control.clock.now = browser.expires - 1000;
    const token = await tokenOf(browser);
    expect((await read(token)).status).toBe(200);
    control.clock.now = browser.expires;
    expect((await read(token)).body.code).toBe('ERR_IDENTITY_UNAUTHENTICATED');
    expect((await askToken(browser.session, browser.key)).body.code).toBe('ERR_IDENTITY_ASSERTION');
  });

  it('when it is signed out, at once and for good: its code is no way back', async () => {
    const { code } = await invite();
    const key = await browserKey();
    const { session } = (await signIn(code, key)).body;
    const token = await tokenOf({ session, key });
    expect((await call('DELETE', '/v1/console/sessions/current', undefined, token)).body).toEqual({ outcome: 'done' });
    expect((await read(token)).status).toBe(401);
    expect((await askToken(session, key)).status).toBe(401);
    expect((await signIn(code, key)).body.code).toBe('ERR_IDENTITY_CODE_USED');
  });

  it('with its approver: a key taken from the trust file has let nobody in', async () => {
    const { session } = await signedIn();
    const { trust } = control.organisation;
    const database = openDatabase(control.database.config);
    const surroundings = control.surroundings;
    const key = (approvers: typeof trust.approvers) =>
      createConsoleSessions({ database, trust: { ...trust, approvers }, surroundings }).key(session);
    expect(await key(trust.approvers)).toMatchObject({ crv: 'P-256' });
    expect(await key(trust.operators)).toBeUndefined();
    await database.close();
  });
});

describe('the walls around it', () => {
  it('nothing on the console’s listener writes but signing in and out', async () => {
    const { body } = await call('GET', '/openapi.json');
    const routes = Object.entries(body.paths as Record<string, object>).flatMap(([path, verbs]) =>
      Object.keys(verbs).map((verb) => `${verb} ${path}`),
    );
    expect(routes.filter((route) => !route.startsWith('get ')).sort()).toEqual([
      'delete /v1/console/sessions/current',
      'post /v1/console/sessions',
      'post /v1/token',
    ]);
  });

  it('only a console session reads there, and its token is no credential anywhere else', async () => {
    const browser = await signedIn();
    const application = await registerApplication(control, 'pager', ['incident-alerts']);
    const { approver } = control.organisation;
    const main = async (key: Signer, subject: string, scope: string) =>
      (await control.call('POST', '/v1/token', await tokenRequest(control, key, subject, scope))).body.access_token;
    const tokens = {
      nobody: undefined,
      application: await main(application, 'pager', 'flow:incident-alerts'),
      operator: await main(approver, approver.keyId, 'operator'),
    };
    const console = await tokenOf(browser);
    const reads = [
      '/v1/console/messages',
      '/v1/console/changes?after=0',
      '/v1/console/flows',
      '/v1/console/log',
      `/v1/messages/${MESSAGE}`,
      `/v1/messages/${MESSAGE}/evidence`,
    ];
    for (const path of reads) {
      for (const [role, token] of Object.entries(tokens))
        expect([path, role, (await call('GET', path, undefined, token)).status]).toEqual([path, role, 401]);
      expect((await call('GET', path, undefined, console)).status).not.toBe(401);
    }
    const elsewhere = [
      ['GET', `/v1/messages/${MESSAGE}`],
      ['GET', '/v1/directory/alice'],
      ['GET', '/v1/log/export'],
      ['POST', '/v1/messages', { flow: 'incident-alerts', to: 'alice', content: { subject: 's', body: 'b' } }],
      ['POST', '/v1/alerts', {}],
    ] as const;
    for (const [method, path, body] of elsewhere) {
      const headers = { authorization: `Bearer ${console}`, 'idempotency-key': 'k' };
      expect([path, (await control.call(method, path, body, headers)).status]).not.toEqual([path, 200]);
      if (path !== '/v1/alerts')
        expect((await control.call(method, path, body, headers)).body.code).toBe('ERR_IDENTITY_UNAUTHENTICATED');
    }
  });

  it('each key gets tokens on its own listener, and a session’s key only of its own scope', async () => {
    const { key, session } = await signedIn();
    const { approver } = control.organisation;
    const operator = await call('POST', '/v1/token', await tokenRequest(control, approver, approver.keyId, 'operator'));
    expect(operator.body.code).toBe('ERR_IDENTITY_ASSERTION');
    expect((await askToken(session, key, 'operator')).body.code).toBe('ERR_IDENTITY_SCOPE');
    expect((await askToken(session, await browserKey())).body.code).toBe('ERR_IDENTITY_ASSERTION');
    const atMain = await control.call('POST', '/v1/token', await tokenRequest(control, key, session, 'console'));
    expect(atMain.body.code).toBe('ERR_IDENTITY_ASSERTION');
  });

  it('no code, session or key reaches a log line', async () => {
    const { code } = await invite();
    const key = await browserKey();
    const { session } = (await signIn(code, key)).body;
    await read(await tokenOf({ session, key }));
    const written = control.logs.join('\n');
    for (const secret of [code, session, key.publicJwk.x]) expect(written).not.toContain(secret);
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(address)));
    });
  });
}
