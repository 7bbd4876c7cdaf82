/** `PUT /v1/bundle`: nothing but what an operator signed, an approver allowed and the gateway took ever runs. */
import { createSigningKey, signJws } from '@sealpost/crypto/signer';
import { BUNDLE_TYPE } from '@sealpost/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { applyBundle, startTestControl, type TestControl, testBundle } from '../support/control.ts';
import { problem } from '../support/gateway-peer.ts';

let control: TestControl;
beforeEach(async () => {
  control = await startTestControl();
});
afterEach(() => control[Symbol.asyncDispose]());

const puts = () => control.gateway.requests.filter((request) => request.startsWith('PUT'));
const refusedWith = async (code: string, bundle: unknown, signer = control.organisation.operator) => {
  const before = [puts().length, control.gateway.bundle?.version];
  const reply = await applyBundle(control, bundle, signer);
  expect([reply.type, reply.body.code]).toEqual(['application/problem+json', code]);
  expect([puts().length, control.gateway.bundle?.version]).toEqual(before);
};

describe('a bundle', () => {
  it('signed by an operator and approved is given to the gateway and runs', async () => {
    expect((await applyBundle(control, testBundle(control, 1))).body).toEqual({ outcome: 'done' });
    expect(control.gateway.bundle?.version).toBe(1);
  });

  it('may be applied again without effect', async () => {
    const bundle = testBundle(control, 1);
    await applyBundle(control, bundle);
    control.clock.now += 1000;
    expect((await applyBundle(control, bundle)).body).toEqual({ outcome: 'already' });
    expect(puts()).toHaveLength(1);
  });

  it('is refused when no operator signed it', async () => {
    await refusedWith('ERR_FLOWS_SIGNATURE', testBundle(control, 1), (await createSigningKey('EdDSA')).signer);
    await refusedWith('ERR_FLOWS_SIGNATURE', testBundle(control, 1), control.organisation.approver);
  });

  it('is refused when it was changed after signing', async () => {
    const bundle = testBundle(control, 1);
    const [header, payload, signature] = (await signJws(BUNDLE_TYPE, bundle, control.organisation.operator)).split('.');
    const changed = Buffer.from(payload ?? '', 'base64url')
      .toString('utf8')
      .replace('"floor":"e2ee"', '"floor":"none"');
    const object = { bundle: `${header}.${Buffer.from(changed).toString('base64url')}.${signature}` };
    const reply = await control.approved('PUT', '/v1/bundle', 'bundle.apply', object);
    expect([reply.status, reply.body.code]).toEqual([422, 'ERR_FLOWS_SIGNATURE']);
    expect(puts()).toHaveLength(0);
  });

  it('is refused when it is older than the running one, or another of the same version', async () => {
    await applyBundle(control, testBundle(control, 3));
    await refusedWith('ERR_FLOWS_VERSION', testBundle(control, 2));
    await refusedWith('ERR_FLOWS_VERSION', { ...testBundle(control, 3), issued: control.clock.now - 5 });
  });

  it('is refused when it has expired', async () => {
    await refusedWith('ERR_FLOWS_EXPIRED', { ...testBundle(control, 1), expires: control.clock.now });
  });

  it('is refused when it is another organisation’s', async () => {
    await refusedWith('ERR_FLOWS_ORGANISATION', { ...testBundle(control, 1), organisation: 'other.example' });
  });

  it('is refused when a step is below its flow’s floor or none carries', async () => {
    const bundle = testBundle(control, 1);
    const ladder = (steps: unknown) => ({ ...bundle, flows: bundle.flows.map((flow) => ({ ...flow, ladder: steps })) });
    await refusedWith('ERR_FLOWS_FLOOR', ladder([{ channel: 'sms', adapter: 'sms-smpp', use: 'carry', after: 0 }]));
    await refusedWith('ERR_FLOWS_FLOOR', ladder([{ channel: 'sms', adapter: 'sms-smpp', use: 'notice', after: 0 }]));
  });

  it('is refused when its policies do not validate', async () => {
    const policies = [{ name: 'p.cedar', text: 'forbid (principal, action, resource) when { context.missing };' }];
    await refusedWith('ERR_FLOWS_POLICIES', { ...testBundle(control, 1), policies });
  });

  it('is refused when a flow’s agent is not in it', async () => {
    await refusedWith('ERR_FLOWS_REFERENCES', { ...testBundle(control, 1), agents: [] });
  });

  it('is refused when the approval is for another bundle', async () => {
    const [one, two] = await Promise.all(
      [1, 2].map((version) => signJws(BUNDLE_TYPE, testBundle(control, version), control.organisation.operator)),
    );
    const approval = await control.organisation.approve('bundle.apply', { bundle: one ?? '' }, control.clock.now);
    const reply = await control.call('PUT', '/v1/bundle', { object: { bundle: two }, approval });
    expect([reply.status, reply.body.code]).toEqual([403, 'ERR_IDENTITY_APPROVAL']);
  });
});

describe('when the gateway', () => {
  it('refuses a bundle, control does not run it and says the gateway’s code', async () => {
    control.gateway.interfere = (method) => (method === 'PUT' ? problem(403, 'ERR_BUNDLE_WEAKENS') : undefined);
    expect((await applyBundle(control, testBundle(control, 1))).body.code).toBe('ERR_BUNDLE_WEAKENS');
    control.gateway.interfere = undefined;
    expect((await applyBundle(control, testBundle(control, 1))).body).toEqual({ outcome: 'done' });
  });

  it('is away, the caller is told to try again', async () => {
    control.gateway.interfere = () => 'hang up';
    const reply = await applyBundle(control, testBundle(control, 1));
    expect([reply.status, reply.body.code, reply.headers.get('retry-after')]).toEqual([503, 'ERR_GATEWAY_AWAY', '5']);
  });

  it('took the bundle but its answer was lost, the same call settles it', async () => {
    const bundle = testBundle(control, 1);
    control.gateway.loseAnswer = (method) => method === 'PUT';
    expect((await applyBundle(control, bundle)).status).toBe(503);
    control.gateway.loseAnswer = undefined;
    expect((await applyBundle(control, bundle)).body).toEqual({ outcome: 'done' });
  });

  it('has lost its bundle, control gives it the stored one at its next start', async () => {
    await applyBundle(control, testBundle(control, 4));
    control.gateway.bundle = undefined;
    await control.restart();
    expect(control.gateway.bundle).toMatchObject({ version: 4 });
  });

  it('is away at start, control starts all the same', async () => {
    await applyBundle(control, testBundle(control, 1));
    control.gateway.interfere = () => 'hang up';
    await control.restart();
    expect((await control.call('GET', '/readyz')).status).toBe(200);
  });
});
