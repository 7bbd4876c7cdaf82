/** Who is calling: tokens, alert senders' secrets, and what becomes of both when a registration changes. */
import { sha256 } from '@sealpost/crypto/verify';
import { type Database, openDatabase } from '@sealpost/platform';
import { toBase64url, utf8 } from '@sealpost/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIdentity, type Identity } from '../../src/modules/identity/index.ts';
import {
  registerApplication,
  registerMember,
  startTestControl,
  type TestControl,
  tokenRequest,
} from '../support/control.ts';
import { nonce, random } from '../support/organisation.ts';

let control: TestControl;
let database: Database;
let identity: Identity;
beforeAll(async () => {
  control = await startTestControl();
  database = openDatabase(control.database.config);
  const { trust, keys } = control.organisation;
  const tokenSigner = await keys.signer('token');
  const storageKey = keys.readSecret('storage');
  identity = createIdentity({
    database,
    trust,
    tokenSigner,
    storageKey,
    audiences: ['control'],
    surroundings: control.surroundings,
  });
  await registerMember(control, 'alice', '+4915112345678');
});
afterAll(async () => {
  await database.close();
  await control[Symbol.asyncDispose]();
});

const bearer = (credential: string) => identity.authenticate({ authorization: `Bearer ${credential}` });
const tokenOf = async (application: string, scope: string) => {
  const key = await registerApplication(control, application, ['one', 'two']);
  return (await control.call('POST', '/v1/token', await tokenRequest(control, key, application, scope))).body
    .access_token;
};
const registerSender = async (sender: string, secret: string, to = 'alice') => {
  const object = { sender, flow: 'one', to, secretHash: toBase64url(sha256(utf8(secret))), nonce: nonce() };
  return control.approved('POST', '/v1/alert-senders', 'alert-sender.register', object as never);
};

describe('a token', () => {
  it('names its application and its one flow', async () => {
    expect(await bearer(await tokenOf('app-a', 'flow:two'))).toEqual({
      kind: 'application',
      id: 'app-a',
      flows: ['two'],
    });
  });

  it('of an approver names the approver’s key', async () => {
    const { approver } = control.organisation;
    const request = await tokenRequest(control, approver, approver.keyId, 'operator');
    const { body } = await control.call('POST', '/v1/token', request);
    expect(await bearer(body.access_token)).toEqual({ kind: 'approver', key: approver.keyId });
  });

  it('is worthless once it has expired', async () => {
    const token = await tokenOf('app-b', 'flow:one');
    control.clock.now += 300_000;
    expect(await bearer(token)).toBeUndefined();
  });

  it('is worthless once the flow is taken from the application', async () => {
    const token = await tokenOf('app-c', 'flow:two');
    await registerApplication(control, 'app-c', ['one']);
    expect(await bearer(token)).toBeUndefined();
  });

  it('that was changed in any letter is refused', async () => {
    const token = await tokenOf('app-d', 'flow:one');
    for (const at of [5, token.indexOf('.') + 5, token.length - 3]) {
      const changed = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
      expect(await bearer(changed)).toBeUndefined();
    }
  });

  it('is not needed to be told that a credential is missing', async () => {
    await expect(identity.authenticated({})).rejects.toMatchObject({ code: 'ERR_IDENTITY_UNAUTHENTICATED' });
  });
});

describe('an alert sender’s secret', () => {
  it('names the sender, its flow and its recipient', async () => {
    const secret = `sps_watchtower_${toBase64url(random(32))}`;
    expect((await registerSender('watchtower', secret)).body).toEqual({ outcome: 'done' });
    expect(await bearer(secret)).toEqual({ kind: 'alert-sender', id: 'watchtower', flow: 'one', to: 'alice' });
  });

  it('is stored as a hash only', async () => {
    const secret = `sps_hashed_${toBase64url(random(32))}`;
    await registerSender('hashed', secret);
    const [row] = await database.query<{ all: string }>(
      'test-row',
      "SELECT alert_sender::text AS all FROM alert_sender WHERE sender = 'hashed'",
    );
    expect(row?.all).not.toContain(secret.slice(12));
  });

  it('is refused under another sender’s name, with another secret, and for a name nobody registered', async () => {
    const secret = toBase64url(random(32));
    await registerSender('first', `sps_first_${secret}`);
    for (const wrong of [`sps_second_${secret}`, `sps_first_${toBase64url(random(32))}`, `sps_nobody_${secret}`]) {
      expect(await bearer(wrong)).toBeUndefined();
    }
  });

  it('is worthless once another was registered for the sender', async () => {
    const [old, young] = [`sps_roller_${toBase64url(random(32))}`, `sps_roller_${toBase64url(random(32))}`];
    await registerSender('roller', old);
    await registerSender('roller', young);
    expect(await bearer(old)).toBeUndefined();
    expect(await bearer(young)).toMatchObject({ id: 'roller' });
  });

  it('cannot be registered for a member nobody knows, and the approval is not spent on it', async () => {
    const reply = await registerSender('lost', `sps_lost_${toBase64url(random(32))}`, 'nobody');
    expect([reply.status, reply.body.code]).toEqual([404, 'ERR_IDENTITY_MEMBER']);
    const [used] = await database.query<{ count: number }>(
      'test-spent',
      "SELECT count(*)::int AS count FROM approval_used WHERE action = 'alert-sender.register'",
    );
    const [known] = await database.query<{ count: number }>(
      'test-known',
      'SELECT count(*)::int AS count FROM alert_sender',
    );
    expect(used?.count).toBe((known?.count ?? 0) + 1); // the roller was registered twice
  });
});

describe('a member’s number', () => {
  it('is sealed at rest and opened for whoever seals a carriage', async () => {
    const [row] = await database.query<{ phone: Uint8Array }>(
      'test-phone',
      "SELECT phone FROM member WHERE member = 'alice'",
    );
    expect(Buffer.from(row?.phone ?? []).toString('latin1')).not.toContain('15112345678');
    expect(await identity.member('alice')).toEqual({
      member: 'alice',
      displayName: 'Display of alice',
      phone: '+4915112345678',
    });
  });

  it('is gone when the member is registered again without one', async () => {
    await registerMember(control, 'bob', '+4915112345679');
    await registerMember(control, 'bob');
    expect(await identity.member('bob')).toEqual({ member: 'bob', displayName: 'Display of bob' });
    expect(await identity.member('nobody')).toBeUndefined();
  });

  it('does not open for another member’s row', async () => {
    await registerMember(control, 'carol');
    await database.query(
      'test-swap',
      "UPDATE member SET phone = (SELECT phone FROM member WHERE member = 'alice') WHERE member = 'carol'",
    );
    await expect(identity.member('carol')).rejects.toMatchObject({ code: 'ERR_IDENTITY_PHONE' });
  });
});
