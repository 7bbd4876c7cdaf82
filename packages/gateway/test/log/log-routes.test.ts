/** The log over HTTP, and who may call the internal listener at all. */
import { hash } from 'node:crypto';
import {
  cosignatureLine,
  linesOf,
  openCheckpoint,
  readerFromTiles,
  rootOf,
  tilePath,
  verifyExport,
} from '@sealpost/tlog';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { bundleOf, signedBundle } from '../support/envelopes.ts';
import { startTestGateway, type TestGateway } from '../support/running-gateway.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
  const { organisation, clock } = gateway;
  for (const version of [1, 2, 3]) {
    const body = await signedBundle(organisation, bundleOf(organisation, clock.now(), { version }), clock.now());
    expect((await gateway.call('PUT', '/internal/v1/bundle', body)).status).toBe(200);
  }
  await vi.waitFor(async () => expect((await headOf()).size).toBe(3), { timeout: 20_000 });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const publicly = async (path: string) => await fetch(`${gateway.deviceUrl}${path}`);

async function headOf() {
  const note = await (await publicly('/v1/log/checkpoint')).text();
  const opened = await openCheckpoint(note, { logKey: gateway.organisation.logKey });
  if (opened.kind === 'rejected') throw new Error(opened.code);
  return { note, ...opened.checkpoint };
}

test('anyone can rebuild the signed root from the public tiles', async () => {
  const { size, root } = await headOf();
  const reader = readerFromTiles(size, async (tile) => {
    const answer = await publicly(`/v1/log/${tilePath(tile)}`);
    return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : undefined;
  });
  const leaves = await Promise.all(Array.from({ length: size }, (_, index) => reader.hash(0, index)));
  expect(rootOf(leaves)).toEqual(root);
});

test.each(['tile/0/001', 'tile/0/000.p/9', 'tile/0/0', 'tile/9/000', 'tile/x', 'tile/0/000.p/0', '%2e%2e/secret'])(
  'a tile path that names nothing of this log is answered 404: %s',
  async (path) => {
    const answer = await publicly(`/v1/log/${path}`);
    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  },
);

test('the export control downloads verifies as a whole', async () => {
  const { text } = await gateway.call('GET', '/internal/v1/log/export');
  const sha256 = (bytes: Uint8Array) => hash('sha256', bytes, 'buffer');
  const verdict = await verifyExport(linesOf([new TextEncoder().encode(text)]), {
    logKey: gateway.organisation.trust.gateway.log,
    sha256,
  });
  expect(verdict).toMatchObject({ kind: 'ok', size: 3 });
});

test('events come in log order after a cursor, and a query that makes no sense is refused', async () => {
  const all = (await gateway.call('GET', '/internal/v1/events')).json.events;
  expect(all.map(({ event }: { event: { version: number } }) => event.version)).toEqual([1, 2, 3]);
  expect((await gateway.call('GET', '/internal/v1/events?after=1&limit=1')).json.events).toEqual([all[2]]);
  for (const query of ['after=-2', 'limit=0', 'limit=1001', 'wait=99999', 'extra=1', 'after=x']) {
    const { json } = await gateway.call('GET', `/internal/v1/events?${query}`);
    expect(json).toMatchObject({ status: 400, code: 'ERR_HTTP_INVALID' });
  }
});

test('the timeline of an unknown or impossible message is refused', async () => {
  const unknown = await gateway.call('GET', '/internal/v1/messages/01890000-0000-7000-8000-000000000000/timeline');
  expect(unknown.json).toMatchObject({ status: 404, code: 'ERR_LOG_MESSAGE_MISSING' });
  const impossible = await gateway.call('GET', '/internal/v1/messages/nothing/timeline');
  expect(impossible.json).toMatchObject({ status: 400, code: 'ERR_HTTP_INVALID' });
});

test('the witness’s cosignature is taken, served to all, and nonsense in its place is refused', async () => {
  const { note } = await headOf();
  const cosigned = note + (await cosignatureLine(note, gateway.organisation.witnessSigner, 7));
  const post = (body: unknown) => gateway.call('POST', '/internal/v1/log/cosignatures', body);
  expect((await post({ checkpoint: note })).json).toMatchObject({ status: 422, code: 'ERR_LOG_COSIGNATURE' });
  expect((await post({ checkpoint: 'nonsense' })).json).toMatchObject({ status: 422, code: 'ERR_LOG_COSIGNATURE' });
  expect((await post({ checkpoint: cosigned, extra: 1 })).json).toMatchObject({
    status: 400,
    code: 'ERR_HTTP_INVALID',
  });
  expect((await post({ checkpoint: 'x'.repeat(20_000) })).json).toMatchObject({
    status: 413,
    code: 'ERR_HTTP_TOO_LARGE',
  });
  expect((await post({ checkpoint: cosigned })).status).toBe(204);
  expect((await headOf()).note).toBe(cosigned);
});

test('a certificate of another service, of another CA, or none at all calls nothing', async () => {
  const { organisation } = gateway;
  const elsewhere = await organisation.credentials('gateway');
  const denied = await gateway.call('GET', '/internal/v1/bundle', undefined, elsewhere);
  expect(denied.json).toMatchObject({ status: 403, code: 'ERR_SERVICE_DENIED' });
  for (const [method, path] of [
    ['PUT', '/internal/v1/bundle'],
    ['POST', '/internal/v1/envelopes'],
    ['GET', '/internal/v1/events'],
    ['GET', '/internal/v1/log/export'],
    ['POST', '/internal/v1/log/cosignatures'],
    ['GET', '/nothing'],
  ] as const) {
    const { json } = await gateway.call(method, path, method === 'GET' ? undefined : {}, elsewhere);
    expect(json).toMatchObject({ status: 403, code: 'ERR_SERVICE_DENIED' });
  }
  // TLS itself turns these away: there is nobody to answer to.
  await expect(
    gateway.call('GET', '/internal/v1/bundle', undefined, await organisation.credentials('control', 'stranger')),
  ).rejects.toThrow();
  await expect(gateway.call('GET', '/internal/v1/bundle', undefined, null)).rejects.toThrow();
});

test('the internal interface is not on the device listener, and unknown paths are problems', async () => {
  for (const path of ['/internal/v1/bundle', '/nothing']) {
    const answer = await publicly(path);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ code: 'ERR_HTTP_MISSING' });
  }
});

test('after a restart the log goes on where it was', async () => {
  const before = await headOf();
  await gateway.restart();
  const { organisation, clock } = gateway;
  const body = await signedBundle(organisation, bundleOf(organisation, clock.now(), { version: 4 }), clock.now());
  await gateway.call('PUT', '/internal/v1/bundle', body);
  await expect.poll(async () => (await headOf()).size, { timeout: 20_000 }).toBe(before.size + 1);
});
