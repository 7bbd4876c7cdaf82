/** The gateway client: whom it talks to, and what each way of failing becomes for its callers. */

import { fromBase64url, type MemberId } from '@sealpost/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGatewayClient, type GatewayClient } from '../../src/gateway/gateway-client.ts';
import { type GatewayPeer, problem, startGatewayPeer } from '../support/gateway-peer.ts';
import { createOrganisation, type TestOrganisation } from '../support/organisation.ts';

const now = () => Date.now();
let organisation: TestOrganisation;
let peer: GatewayPeer;
let client: GatewayClient;
const clientTo = async (url: string, own = organisation, service = 'control') => {
  const { cert: certificate, key } = await own.service(service);
  const serviceCa = fromBase64url(organisation.trust.serviceCa) as Uint8Array;
  return createGatewayClient({ url, organisation: organisation.name, serviceCa, certificate, key });
};
beforeAll(async () => {
  organisation = await createOrganisation(now());
  peer = await startGatewayPeer(organisation, { now });
  client = await clientTo(peer.url);
});
afterAll(async () => {
  client.close();
  await peer[Symbol.asyncDispose]();
  organisation[Symbol.dispose]();
});

const failing = async (answer: ReturnType<typeof problem> | 'hang up') => {
  peer.interfere = () => answer;
  return client.bundle().finally(() => {
    peer.interfere = undefined;
  });
};

describe('the client', () => {
  it('talks to the gateway of its organisation', async () => {
    expect(await client.bundle()).toEqual({ version: 0, expires: null });
  });

  it.each(['control', 'dispatcher'])(
    'does not talk to another service (%s) that shows a good certificate',
    async (service) => {
      await using other = await startGatewayPeer(organisation, { now, service });
      const wrong = await clientTo(other.url);
      await expect(wrong.bundle()).rejects.toMatchObject({ code: 'ERR_GATEWAY_IDENTITY' });
      expect(other.requests).toEqual([]);
      wrong.close();
    },
  );

  it('does not talk to a gateway of another authority, even one of the same name', async () => {
    using impostor = await createOrganisation(now());
    await using other = await startGatewayPeer(organisation, { now, issuer: impostor });
    const wrong = await clientTo(other.url);
    await expect(wrong.bundle()).rejects.toMatchObject({ code: 'ERR_GATEWAY_IDENTITY' });
    expect(other.requests).toEqual([]);
    wrong.close();
  });

  it('is not served with a certificate of another organisation', async () => {
    using stranger = await createOrganisation(now());
    const wrong = await clientTo(peer.url, stranger);
    await expect(wrong.bundle()).rejects.toMatchObject({ kind: 'unavailable' });
    wrong.close();
  });
});

describe('a failure', () => {
  it('keeps the gateway’s code, kind and Retry-After', async () => {
    const stalled = { ...problem(503, 'ERR_LOG_STALLED'), headers: { 'retry-after': '7' } };
    await expect(failing(stalled)).rejects.toMatchObject({
      code: 'ERR_LOG_STALLED',
      kind: 'unavailable',
      retryAfter: 7,
    });
    await expect(failing(problem(409, 'ERR_GROUPS_EPOCH'))).rejects.toMatchObject({
      code: 'ERR_GROUPS_EPOCH',
      kind: 'conflict',
    });
  });

  it('inside the gateway is never passed on as one of our own', async () => {
    await expect(failing(problem(500, 'ERR_HTTP_INTERNAL'))).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('of the connection says to try again', async () => {
    await expect(failing('hang up')).rejects.toMatchObject({ code: 'ERR_GATEWAY_AWAY', retryAfter: 5 });
  });

  it('to speak our language is told apart', async () => {
    await expect(failing({ status: 200, body: { version: 'one' } })).rejects.toMatchObject({
      code: 'ERR_GATEWAY_ANSWER',
    });
    await expect(failing({ status: 502, body: 'bad gateway' })).rejects.toMatchObject({ code: 'ERR_GATEWAY_ANSWER' });
  });
});

describe('what the gateway does not have', () => {
  it('is an empty chain, an absent conversation, an absent timeline', async () => {
    expect(await client.directory('nobody' as MemberId)).toEqual({ entries: [] });
    expect(await client.conversation(`con_${'A'.repeat(22)}` as never)).toBeUndefined();
    expect(await client.timeline('018f0000-0000-7000-8000-000000000000' as never)).toBeUndefined();
  });
});
