/** Who the device listener lets in: signed requests over real HTTP from the loopback, which is no credential. */
import { createSigningKey } from '@sealpost/crypto/signer';
import { utf8 } from '@sealpost/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engineOf, keyPackageOf } from '../groups/mls.ts';
import { type Listener, signed, startListener } from '../sync/listener.ts';
import { type Bench, createBench } from './bench.ts';
import { createPerson, type Person, random } from './people.ts';

describe('device requests', () => {
  let bench: Bench;
  let listener: Listener;
  let alice: Person;
  let upload: { packages: { keyPackage: string; lastResort: boolean }[] };
  beforeAll(async () => {
    bench = await createBench();
    listener = await startListener(bench);
    alice = await bench.enroll('alice');
    upload = { packages: [(await keyPackageOf(engineOf(bench.organisation), alice)).upload] };
  });
  afterAll(async () => {
    await listener[Symbol.asyncDispose]();
    await bench[Symbol.asyncDispose]();
  });

  const packagesUrl = () => `${listener.url}/v1/key-packages`;
  const send = async ({ url, init }: { url: string; init: RequestInit }) => {
    const answer = await fetch(url, init);
    const body = (await answer.json()) as { code?: string; available?: number };
    return { status: answer.status, body };
  };
  const code = async (request: { url: string; init: RequestInit }) => {
    const { status, body } = await send(request);
    return `${status} ${body.code}`;
  };

  it('takes a request signed by an active device and answers how many packages are left', async () => {
    expect(await send(await signed(alice, 'POST', packagesUrl(), { body: upload }))).toEqual({
      status: 200,
      body: { available: 1 },
    });
  });

  it('refuses a replayed request, also one answered by another node', async () => {
    await using other = await startListener(bench, await bench.node());
    const request = await signed(alice, 'POST', packagesUrl(), { body: upload });
    expect((await send(request)).status).toBe(200);
    expect(await code(request)).toBe('401 ERR_DEVICE_REPLAYED');
    expect(await code({ ...request, url: request.url.replace(listener.url, other.url) })).toBe(
      '401 ERR_DEVICE_REPLAYED',
    );
  });

  it('lets exactly one of many concurrent repeats through', async () => {
    const request = await signed(alice, 'POST', packagesUrl(), { body: upload });
    const answers = await Promise.all(Array.from({ length: 12 }, () => code(request)));
    expect(answers.filter((answer) => answer === '200 undefined')).toHaveLength(1);
    expect(answers.filter((answer) => answer === '401 ERR_DEVICE_REPLAYED')).toHaveLength(11);
  });

  it('refuses unsigned requests, other keys, other bodies, other paths, and clocks more than a minute off', async () => {
    const stranger = await createPerson(bench.organisation, 'alice');
    const good = () => signed(alice, 'POST', packagesUrl(), { body: upload });
    const bare = {
      url: packagesUrl(),
      init: { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(upload) },
    };
    const otherBody = await good();
    const otherPath = await good();
    const refused = [
      bare,
      await signed(stranger, 'POST', packagesUrl(), { body: upload }),
      { ...otherBody, init: { ...otherBody.init, body: utf8(JSON.stringify({ packages: [] })) } },
      { ...otherPath, url: `${otherPath.url}?x=1` },
      await signed(alice, 'POST', packagesUrl(), { body: upload, created: Date.now() - 62_000 }),
      await signed(alice, 'POST', packagesUrl(), { body: upload, created: Date.now() + 62_000 }),
      await signed({ signer: (await createSigningKey('EdDSA')).signer }, 'POST', packagesUrl(), { body: upload }),
    ];
    for (const request of refused) expect(await code(request)).toBe('401 ERR_DEVICE_UNAUTHENTICATED');
  });

  it('authenticates before it looks at the body, and takes unknown members from nobody', async () => {
    const wrong = { ...upload, more: 1 };
    const bare = {
      url: packagesUrl(),
      init: { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(wrong) },
    };
    expect(await code(bare)).toBe('401 ERR_DEVICE_UNAUTHENTICATED');
    expect(await code(await signed(alice, 'POST', packagesUrl(), { body: wrong }))).toBe('400 ERR_HTTP_INVALID');
  });

  it('takes no body of another type, which no digest would cover', async () => {
    const { url, init } = await signed(alice, 'POST', packagesUrl());
    const headers = { ...init.headers, 'content-type': 'text/plain' };
    expect(await code({ url, init: { ...init, headers, body: 'x' } })).toBe('415 ERR_HTTP_MEDIA_TYPE');
  });

  it('does not burn a nonce for a request that is not authentic', async () => {
    const nonce = random(16);
    const stale = await signed(alice, 'POST', packagesUrl(), { body: upload, nonce, created: Date.now() - 62_000 });
    expect(await code(stale)).toBe('401 ERR_DEVICE_UNAUTHENTICATED');
    expect((await send(await signed(alice, 'POST', packagesUrl(), { body: upload, nonce }))).status).toBe(200);
  });

  it('forgets nonces once no clock could call them fresh', async () => {
    await using own = await createBench();
    await using other = await startListener(own);
    const bob = await own.enroll('bob');
    const url = `${other.url}/v1/blobs/${random(32)}`;
    for (let n = 0; n < 4; n++) await fetch(...args(await signed(bob, 'GET', url)));
    own.clock.advance(10 * 60_000);
    await fetch(...args(await signed(bob, 'GET', url, { created: own.clock.now() })));
    expect(await own.database.query('nonces', 'SELECT 1 FROM request_nonce')).toHaveLength(1);
  });

  it('refuses a revoked device on every node from the moment of its revocation', async () => {
    await using other = await startListener(bench, await bench.node());
    const carol = await bench.enroll('carol');
    const request = () => signed(carol, 'GET', `${other.url}/v1/blobs/${random(32)}`);
    expect(await code(await request())).toBe('404 ERR_BLOBS_MISSING');
    await bench.revoke(carol);
    expect(await code(await request())).toBe('401 ERR_DEVICE_UNAUTHENTICATED');
  });
});

function args({ url, init }: { url: string; init: RequestInit }): [string, RequestInit] {
  return [url, init];
}
