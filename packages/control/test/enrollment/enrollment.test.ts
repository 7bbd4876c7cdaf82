/** Enrollment: a code, a key, a certificate and a directory entry; each once, each proved, none lost in a crash. */
import { createCertificateRequest, createSigningKey, type Signer } from '@sealpost/crypto/signer';
import { memberDeviceUri, verifyCertificateChain, verifyDirectoryChain } from '@sealpost/crypto/verify';
import { fromBase64url, type MemberId, toBase64url } from '@sealpost/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inviteDevice, registerMember, startTestControl, type TestControl } from '../support/control.ts';
import { problem } from '../support/gateway-peer.ts';
import { nonce } from '../support/organisation.ts';

let control: TestControl;
let phone: Signer;
beforeEach(async () => {
  control = await startTestControl();
  await registerMember(control, 'alice');
  phone = (await createSigningKey('ES256')).signer;
});
afterEach(() => control[Symbol.asyncDispose]());

const requestOf = async (key: Signer) => toBase64url(await createCertificateRequest(key, { commonName: 'phone' }));
const enrol = async (code: string, key = phone, request?: string) =>
  control.call('POST', '/v1/enrollments', { code, name: 'Phone', request: request ?? (await requestOf(key)) });
const chain = () => control.gateway.chains.get('alice') ?? [];
const verified = async () => {
  const { trust } = control.organisation;
  const verdict = await verifyDirectoryChain(chain(), { trust, member: 'alice' as MemberId, now: control.clock.now });
  return verdict.kind === 'ok' ? verdict.devices.map(({ device }) => device) : verdict.reason;
};
const revoke = (device: string, member = 'alice') =>
  control.approved('POST', '/v1/devices/revoke', 'device.revoke', {
    member,
    device,
    reason: 'lost',
    nonce: nonce(),
  } as never);

describe('a device', () => {
  it('enrols with its code and gets a certificate of at most thirty days that names it', async () => {
    const { status, body } = await enrol(await inviteDevice(control, 'alice'));
    expect(status).toBe(200);
    expect(body).toMatchObject({
      member: 'alice',
      trust: control.organisation.trustJws,
      gateway: 'http://127.0.0.1:8082',
    });
    expect(body.device).toBe(`dev_${phone.keyId.slice(0, 22)}`);
    const { trust } = control.organisation;
    const anchor = fromBase64url(trust.deviceCa) as Uint8Array;
    const leaf = body.chain.map((der: string) => fromBase64url(der));
    const verdict = await verifyCertificateChain(leaf, { anchor, now: control.clock.now, usage: 'device' });
    expect(verdict).toMatchObject({
      kind: 'ok',
      uri: memberDeviceUri(trust.organisation, 'alice' as MemberId, body.device),
      publicJwk: phone.publicJwk,
    });
    expect(body.expires - control.clock.now).toBeLessThanOrEqual(30 * 86_400_000);
  });

  it('is in the directory before it is answered', async () => {
    const code = await inviteDevice(control, 'alice');
    control.gateway.interfere = (method) => (method === 'POST' ? problem(503, 'ERR_DIRECTORY_LOG_STALLED') : undefined);
    const refused = await enrol(code);
    expect([refused.status, refused.body.code]).toEqual([503, 'ERR_DIRECTORY_LOG_STALLED']);
    control.gateway.interfere = undefined;
    const { body } = await enrol(code);
    expect(await verified()).toEqual([body.device]);
  });

  it('may ask again with the same code and key and gets the same answer', async () => {
    const code = await inviteDevice(control, 'alice');
    const [first, second] = [await enrol(code), await enrol(code)];
    expect(second.body).toEqual(first.body);
    expect(chain()).toHaveLength(1);
  });

  it('is enrolled once when the same request comes several times at once', async () => {
    const code = await inviteDevice(control, 'alice');
    const request = await requestOf(phone);
    const replies = await Promise.all(Array.from({ length: 5 }, () => enrol(code, phone, request)));
    expect(new Set(replies.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(chain()).toHaveLength(1);
  });

  it('is enrolled when the gateway’s answer was lost and control restarted in between', async () => {
    const code = await inviteDevice(control, 'alice');
    control.gateway.loseAnswer = (method) => method === 'POST';
    expect((await enrol(code)).status).toBe(503);
    control.gateway.loseAnswer = undefined;
    await control.restart();
    const { status, body } = await enrol(code);
    expect([status, await verified()]).toEqual([200, [body.device]]);
    expect(chain()).toHaveLength(1);
  });

  it('whose entry the gateway refuses for good leaves nothing behind and may try again', async () => {
    const code = await inviteDevice(control, 'alice');
    control.gateway.interfere = (method) => (method === 'POST' ? problem(422, 'ERR_DIRECTORY_APPROVAL') : undefined);
    expect((await enrol(code)).body.code).toBe('ERR_ENROLLMENT_DIRECTORY');
    control.gateway.interfere = undefined;
    expect((await enrol(code)).status).toBe(200);
    expect(chain()).toHaveLength(1);
  });
});

describe('a code', () => {
  it('is used by one key only', async () => {
    const code = await inviteDevice(control, 'alice');
    await enrol(code);
    const thief = (await createSigningKey('ES256')).signer;
    const reply = await enrol(code, thief);
    expect([reply.status, reply.body.code]).toEqual([409, 'ERR_ENROLLMENT_USED']);
    expect(chain()).toHaveLength(1);
  });

  it('lives ten minutes', async () => {
    const code = await inviteDevice(control, 'alice');
    control.clock.now += 600_000;
    expect((await enrol(code)).body.code).toBe('ERR_ENROLLMENT_CODE');
  });

  it('cannot be made to live longer, nor for a member nobody knows', async () => {
    const invite = (change: object) =>
      control.approved('POST', '/v1/invites', 'device.invite', {
        member: 'alice',
        codeHash: 'A'.repeat(43),
        expires: control.clock.now + 60_000,
        nonce: nonce(),
        ...change,
      } as never);
    expect((await invite({ expires: control.clock.now + 700_000 })).body.code).toBe('ERR_ENROLLMENT_INVITE');
    expect((await invite({ expires: control.clock.now })).body.code).toBe('ERR_ENROLLMENT_INVITE');
    expect((await invite({ member: 'nobody' })).body.code).toBe('ERR_IDENTITY_MEMBER');
  });

  it('is worn out by five requests that prove nothing', async () => {
    const code = await inviteDevice(control, 'alice');
    const bad = toBase64url(new Uint8Array(100));
    for (let i = 0; i < 5; i++) expect((await enrol(code, phone, bad)).body.code).toBe('ERR_ENROLLMENT_POSSESSION');
    expect((await enrol(code)).body.code).toBe('ERR_ENROLLMENT_CODE');
  });

  it('cannot be guessed: after five wrong ones even the right one waits', async () => {
    const code = await inviteDevice(control, 'alice');
    for (let i = 0; i < 5; i++) expect((await enrol(`wrong-${i}`)).body.code).toBe('ERR_ENROLLMENT_CODE');
    const limited = await enrol(code);
    expect([limited.status, limited.body.code]).toEqual([429, 'ERR_ENROLLMENT_LIMITED']);
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
    await control.restart();
    expect((await enrol(code)).status).toBe(429);
  });

  it('does nothing for a request whose signature does not prove the key', async () => {
    const code = await inviteDevice(control, 'alice');
    const der = await createCertificateRequest(phone, { commonName: 'phone' });
    der[der.length - 1] = (der[der.length - 1] ?? 0) ^ 1;
    expect((await enrol(code, phone, toBase64url(der))).body.code).toBe('ERR_ENROLLMENT_POSSESSION');
    expect(chain()).toHaveLength(0);
  });

  it('of one member does not enrol another member’s device', async () => {
    await registerMember(control, 'bob');
    await enrol(await inviteDevice(control, 'alice'));
    const reply = await enrol(await inviteDevice(control, 'bob'));
    expect([reply.status, reply.body.code]).toEqual([409, 'ERR_ENROLLMENT_KEY']);
  });
});

describe('a revocation', () => {
  it('takes the device out of the directory and is carried out once', async () => {
    const { body } = await enrol(await inviteDevice(control, 'alice'));
    expect((await revoke(body.device)).body).toEqual({ outcome: 'done' });
    expect(await verified()).toEqual([]);
    expect((await revoke(body.device)).body).toEqual({ outcome: 'already' });
    expect(chain()).toHaveLength(2);
  });

  it('of a device the member does not have is refused', async () => {
    await enrol(await inviteDevice(control, 'alice'));
    await registerMember(control, 'bob');
    for (const reply of [
      await revoke(`dev_${'A'.repeat(22)}`),
      await revoke(`dev_${phone.keyId.slice(0, 22)}`, 'bob'),
    ]) {
      expect([reply.status, reply.body.code]).toEqual([404, 'ERR_ENROLLMENT_DEVICE']);
    }
  });

  it('decided while the gateway is away is carried out when control starts again', async () => {
    const { body } = await enrol(await inviteDevice(control, 'alice'));
    control.gateway.interfere = () => 'hang up';
    expect((await revoke(body.device)).status).toBe(503);
    control.gateway.interfere = undefined;
    await control.restart();
    await expect.poll(verified).toEqual([]);
  });

  it('is final: the same key cannot come back with another code', async () => {
    const { body } = await enrol(await inviteDevice(control, 'alice'));
    await revoke(body.device);
    expect((await enrol(await inviteDevice(control, 'alice'))).body.code).toBe('ERR_ENROLLMENT_USED');
  });

  it('is not lost with an enrollment of the same member that the directory refuses for good', async () => {
    const { body } = await enrol(await inviteDevice(control, 'alice'));
    control.gateway.interfere = () => 'hang up';
    const tablet = (await createSigningKey('ES256')).signer;
    expect((await enrol(await inviteDevice(control, 'alice'), tablet)).status).toBe(503);
    control.clock.now += 60_000;
    expect((await revoke(body.device)).status).toBe(503);
    // The invitation behind the tablet ends before the gateway is back.
    control.clock.now += 3_600_000;
    let refused = false;
    control.gateway.interfere = (method) => {
      if (method !== 'POST' || refused) return undefined;
      refused = true;
      return problem(422, 'ERR_DIRECTORY_APPROVAL');
    };
    await control.restart();
    await expect.poll(() => refused).toBe(true);
    await control.restart();
    await expect.poll(verified).toEqual([]);
    expect(chain()).toHaveLength(2);
  });
});
