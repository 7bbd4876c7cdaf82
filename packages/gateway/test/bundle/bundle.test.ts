/** Bundles: only what an operator signed and another person approved, only upwards, never below a floor. */
import { signJws } from '@sealpost/crypto/signer';
import { BUNDLE_TYPE } from '@sealpost/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleOf, signedBundle } from '../support/envelopes.ts';
import { startTestGateway, type TestGateway } from '../support/running-gateway.ts';

let gateway: TestGateway;
const PATH = '/internal/v1/bundle';

beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

const make = (changes: Record<string, unknown> = {}) => bundleOf(gateway.organisation, gateway.clock.now(), changes);
const sign = (bundle: unknown) => signedBundle(gateway.organisation, bundle, gateway.clock.now());

async function refused(body: unknown, status: number, code: string): Promise<void> {
  const before = (await gateway.call('GET', PATH)).json;
  const answer = await gateway.call('PUT', PATH, body);
  expect(answer.json).toMatchObject({ status, code });
  expect(answer.type).toContain('application/problem+json');
  expect((await gateway.call('GET', PATH)).json).toEqual(before);
}

test('before the first bundle the gateway says version 0', async () => {
  expect((await gateway.call('GET', PATH)).json).toEqual({ version: 0, expires: null });
});

test('a signed and approved bundle is applied, logged, and applying it again changes nothing', async () => {
  const body = await sign(make());
  expect((await gateway.call('PUT', PATH, body)).json).toMatchObject({ version: 1 });
  expect((await gateway.call('PUT', PATH, body)).json).toMatchObject({ version: 1 });
  const rows = await gateway.database.query('t', "SELECT record FROM lane_event WHERE kind = 'bundle.applied'");
  expect(rows).toHaveLength(1);
});

test('a lower version, or the same with other bytes, is a conflict', async () => {
  await gateway.call('PUT', PATH, await sign(make({ version: 5 })));
  await refused(await sign(make({ version: 4 })), 409, 'ERR_BUNDLE_VERSION');
  await refused(await sign(make({ version: 5, policies: [{ name: 'a', text: 'b' }] })), 409, 'ERR_BUNDLE_VERSION');
});

test('two nodes asked for different bundles of one version at once apply exactly one of them', async () => {
  const bodies = await Promise.all(
    ['x', 'y', 'z'].map((text) => sign(make({ version: 6, policies: [{ name: 'p', text }] }))),
  );
  const answers = await Promise.all(bodies.map((body) => gateway.call('PUT', PATH, body)));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
});

test('a bundle of another organisation, of another signer, changed, or expired is refused', async () => {
  const { organisation } = gateway;
  await refused(await sign(make({ version: 9, organisation: 'other.example' })), 403, 'ERR_BUNDLE_ORGANISATION');
  const stranger = { ...organisation, keys: { ...organisation.keys, operator: organisation.keys.submit } };
  await refused(await signedBundle(stranger, make({ version: 9 }), gateway.clock.now()), 422, 'ERR_BUNDLE_SIGNATURE');
  const good = await sign(make({ version: 9 }));
  await refused({ ...good, bundle: `${good.bundle.slice(0, -4)}AAAA` }, 422, 'ERR_BUNDLE_SIGNATURE');
  await refused(await sign(make({ version: 9, expires: gateway.clock.now() - 1 })), 409, 'ERR_BUNDLE_EXPIRED');
});

test('an approval of another bundle, by the wrong key, or by the signing operator is refused', async () => {
  const { organisation, clock } = gateway;
  const [good, other] = [await sign(make({ version: 9 })), await sign(make({ version: 10 }))];
  await refused({ ...good, approval: other.approval }, 403, 'ERR_BUNDLE_APPROVAL');
  await refused({ ...good, approval: 'a.b.c' }, 403, 'ERR_BUNDLE_APPROVAL');
  const selfApproved = { ...organisation, keys: { ...organisation.keys, approver: organisation.keys.operator } };
  await refused(await signedBundle(selfApproved, make({ version: 9 }), clock.now()), 403, 'ERR_BUNDLE_APPROVAL');
});

test('a bundle with a step below its floor, or a flow that carries nothing, is refused whoever signed it', async () => {
  const [flow] = make().flows;
  const sms = { channel: 'sms-main', adapter: 'sms-smpp', use: 'carry', after: 0 };
  await refused(await sign(make({ version: 9, flows: [{ ...flow, ladder: [sms] }] })), 403, 'ERR_BUNDLE_BELOW_FLOOR');
  const notice = { ...sms, use: 'notice' };
  await refused(
    await sign(make({ version: 9, flows: [{ ...flow, ladder: [notice] }] })),
    403,
    'ERR_BUNDLE_BELOW_FLOOR',
  );
});

test('a bundle that names a flow twice or an agent it does not hold is refused', async () => {
  const [flow] = make().flows;
  await refused(await sign(make({ version: 9, flows: [flow, flow] })), 400, 'ERR_BUNDLE_INCOMPLETE');
  await refused(await sign(make({ version: 9, flows: [{ ...flow, agent: 'nobody' }] })), 400, 'ERR_BUNDLE_INCOMPLETE');
});

test('a payload that is no bundle, unknown members and oversized bodies are refused', async () => {
  const { organisation } = gateway;
  const odd = await signJws(BUNDLE_TYPE, { ...make({ version: 9 }), extra: 1 }, organisation.keys.operator.signer);
  await refused({ bundle: odd, approval: 'a.b.c' }, 422, 'ERR_BUNDLE_SIGNATURE');
  await refused({ ...(await sign(make({ version: 9 }))), extra: 1 }, 400, 'ERR_HTTP_INVALID');
  await refused({ bundle: 'x'.repeat(2_200_000), approval: '' }, 413, 'ERR_HTTP_TOO_LARGE');
});

test('after a restart the gateway runs the bundle it ran before', async () => {
  const before = (await gateway.call('GET', PATH)).json;
  await gateway.restart();
  expect((await gateway.call('GET', PATH)).json).toEqual(before);
});
