/** Tokens: RFC 7523 assertions in, five-minute tokens for one flow out, and every way an assertion can be wrong. */
import { createSigningKey, type Signer } from '@sealpost/crypto/signer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerApplication, startTestControl, type TestControl, tokenRequest } from '../support/control.ts';
import { nonce } from '../support/organisation.ts';

let control: TestControl;
let key: Signer;
beforeAll(async () => {
  control = await startTestControl();
  key = await registerApplication(control, 'pager', ['incident-alerts', 'maintenance']);
});
afterAll(() => control[Symbol.asyncDispose]());

const ask = async (subject: string, scope: string, claims = {}, signer = key) =>
  control.call('POST', '/v1/token', await tokenRequest(control, signer, subject, scope, claims));
const seconds = () => Math.floor(control.clock.now / 1000);

describe('an application', () => {
  it('gets a token of five minutes for one flow by proof of its registered key', async () => {
    const reply = await ask('pager', 'flow:incident-alerts');
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({ token_type: 'Bearer', expires_in: 300, scope: 'flow:incident-alerts' });
  });

  it('may send the request as the form RFC 6749 describes', async () => {
    const form = new URLSearchParams(await tokenRequest(control, key, 'pager', 'flow:incident-alerts')).toString();
    const reply = await control.call('POST', '/v1/token', form, {
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect(reply.status).toBe(200);
  });

  it('may name the token URL as audience', async () => {
    const reply = await ask('pager', 'flow:incident-alerts', { aud: 'http://127.0.0.1:8080/v1/token' });
    expect(reply.status).toBe(200);
  });

  it('may use an assertion once and no more, however many try at once', async () => {
    const request = await tokenRequest(control, key, 'pager', 'flow:incident-alerts');
    const replies = await Promise.all(Array.from({ length: 8 }, () => control.call('POST', '/v1/token', request)));
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
    const refused = replies.filter(({ status }) => status !== 200);
    expect(new Set(refused.map(({ body }) => body.code))).toEqual(new Set(['ERR_IDENTITY_REPLAYED']));
  });
});

describe('a token is refused', () => {
  const wrong: [string, string, () => Promise<{ status: number; type: string; body: { code: string } }>][] = [
    [
      'for another audience',
      'ERR_IDENTITY_AUDIENCE',
      () => ask('pager', 'flow:maintenance', { aud: 'https://elsewhere.example' }),
    ],
    [
      'for an assertion that has expired',
      'ERR_IDENTITY_EXPIRED',
      () => ask('pager', 'flow:maintenance', { iat: seconds() - 120, exp: seconds() - 60 }),
    ],
    [
      'for one that lives longer than five minutes',
      'ERR_IDENTITY_EXPIRED',
      () => ask('pager', 'flow:maintenance', { exp: seconds() + 301 }),
    ],
    [
      'for one made in the future',
      'ERR_IDENTITY_EXPIRED',
      () => ask('pager', 'flow:maintenance', { iat: seconds() + 120, exp: seconds() + 180 }),
    ],
    ['without an expiry', 'ERR_IDENTITY_ASSERTION', () => ask('pager', 'flow:maintenance', { exp: undefined })],
    ['without an id', 'ERR_IDENTITY_ASSERTION', () => ask('pager', 'flow:maintenance', { jti: undefined })],
    ['to an application nobody registered', 'ERR_IDENTITY_ASSERTION', () => ask('stranger', 'flow:maintenance')],
    [
      'to a key nobody registered',
      'ERR_IDENTITY_ASSERTION',
      async () => ask('pager', 'flow:maintenance', {}, (await createSigningKey('EdDSA')).signer),
    ],
    [
      'to a key of another algorithm',
      'ERR_IDENTITY_ASSERTION',
      async () => ask('pager', 'flow:maintenance', {}, (await createSigningKey('ES256')).signer),
    ],
    [
      'when issuer and subject differ',
      'ERR_IDENTITY_ASSERTION',
      () => ask('pager', 'flow:maintenance', { iss: 'other' }),
    ],
    ['for a flow the application is not registered for', 'ERR_IDENTITY_SCOPE', () => ask('pager', 'flow:payroll')],
    ['for two flows at once', 'ERR_IDENTITY_SCOPE', () => ask('pager', 'flow:maintenance flow:incident-alerts')],
    ['for the operator scope with an application’s key', 'ERR_IDENTITY_ASSERTION', () => ask('pager', 'operator')],
    [
      'for the operator scope under an approver’s name with another key',
      'ERR_IDENTITY_ASSERTION',
      () => ask(control.organisation.approver.keyId, 'operator'),
    ],
  ];
  it.each(wrong)('%s', async (_why, code, call) => {
    const reply = await call();
    expect(reply.type).toBe('application/problem+json');
    expect(reply.body.code).toBe(code);
    expect(reply.status).toBe(code === 'ERR_IDENTITY_SCOPE' ? 403 : 401);
  });

  it('to an unsigned assertion', async () => {
    const request = await tokenRequest(control, key, 'pager', 'flow:maintenance');
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    const client_assertion = `${none}.${request.client_assertion?.split('.')[1]}.`;
    const reply = await control.call('POST', '/v1/token', { ...request, client_assertion });
    expect(reply.body.code).toBe('ERR_IDENTITY_ASSERTION');
  });
});

describe('registrations', () => {
  it('let an approver’s key have the operator scope', async () => {
    const { approver } = control.organisation;
    const reply = await ask(approver.keyId, 'operator', {}, approver);
    expect(reply.body).toMatchObject({ scope: 'operator', expires_in: 300 });
  });

  it('are carried out once: the same approval again changes nothing and says so', async () => {
    const object = { member: 'alice', displayName: 'Alice', nonce: nonce() } as never;
    const approval = await control.organisation.approve('member.register', object, control.clock.now);
    const replies = [];
    for (let i = 0; i < 2; i++) replies.push(await control.call('POST', '/v1/members', { object, approval }));
    expect(replies.map(({ body }) => body.outcome)).toEqual(['done', 'already']);
  });
});
