/** Sealed blobs over real HTTP: who may put and get them, and what survives. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemSurroundings } from '@sealpost/platform';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDiskStore } from '../../src/modules/blobs/index.ts';
import { type Bench, createBench } from '../directory/bench.ts';
import { storeEnvelope } from '../groups/envelope.ts';
import { commitPost, createAgent, engineOf, keyPackageOf, newConversationId } from '../groups/mls.ts';
import { type Listener, signed, startListener } from '../sync/listener.ts';
import { blobOf, blobStoreContract } from './blob-store.contract.ts';

const MEGABYTE = 1024 * 1024;

describe('disk blob store', () => {
  const folders: string[] = [];
  afterAll(async () => {
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  });
  const newFolder = async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sealpost-store-'));
    folders.push(folder);
    return folder;
  };
  blobStoreContract(async () => openDiskStore(await newFolder(), systemSurroundings()));

  it('removes what a crash left half-written and keeps what was stored', async () => {
    const folder = await newFolder();
    const bytes = new Uint8Array(randomBytes(1000));
    const once = async function* () {
      yield bytes;
    };
    await (await openDiskStore(folder, systemSurroundings())).put(blobOf(bytes), once());
    await writeFile(join(folder, 'arriving', 'half'), 'x');
    const again = await openDiskStore(folder, systemSurroundings());
    expect(await readdir(join(folder, 'arriving'))).toEqual([]);
    const stored = await again.open(blobOf(bytes));
    expect((await stored!.bytes.toArray()).reduce((sum, chunk) => sum + chunk.length, 0)).toBe(1000);
  });
});

describe('blobs', () => {
  let bench: Bench;
  let listener: Listener;
  beforeAll(async () => {
    bench = await createBench();
    listener = await startListener(bench);
  });
  afterAll(async () => {
    await listener[Symbol.asyncDispose]();
    await bench[Symbol.asyncDispose]();
  });

  const put = async (name: string, bytes: Uint8Array<ArrayBuffer>, type = 'application/octet-stream') => {
    const answer = await fetch(`${listener.internalUrl}/internal/v1/blobs/${name}`, {
      method: 'PUT',
      body: bytes,
      headers: { 'content-type': type },
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };

  it('stores bytes under their own hash, again without harm, and nothing under another name', async () => {
    const bytes = new Uint8Array(randomBytes(2 * MEGABYTE));
    const blob = blobOf(bytes);
    expect(await put(blobOf(new Uint8Array(1)), bytes)).toMatchObject({
      status: 422,
      body: { code: 'ERR_BLOBS_DIGEST' },
    });
    expect(await put(blob, bytes)).toEqual({ status: 200, body: { outcome: 'stored' } });
    expect(await put(blob, bytes)).toEqual({ status: 200, body: { outcome: 'already' } });
    expect(await readdir(join(listener.folder, 'arriving'))).toEqual([]);
    const names = await readdir(join(listener.folder, 'blobs'), { recursive: true });
    expect(names.filter((name) => name.includes('/'))).toEqual([join(blob.slice(0, 2), blob)]);
  });

  it('refuses more than 32 MB with and without a declared length, other names and other types', async () => {
    const large = new Uint8Array(32 * MEGABYTE + 1);
    expect(await put(blobOf(large), large)).toMatchObject({ status: 413, body: { code: 'ERR_BLOBS_TOO_LARGE' } });
    const undeclared = new ReadableStream({
      start(controller) {
        controller.enqueue(large);
        controller.close();
      },
    });
    const answer = await fetch(`${listener.internalUrl}/internal/v1/blobs/${blobOf(large)}`, {
      method: 'PUT',
      body: undeclared,
      duplex: 'half',
      headers: { 'content-type': 'application/octet-stream' },
    } as RequestInit);
    expect(answer.status).toBe(413);
    expect((await put('..%2f..%2fetc', new Uint8Array(1))).status).toBe(400);
    expect((await put(blobOf(new Uint8Array(1)), new Uint8Array(1), 'text/plain')).status).toBe(415);
    expect(await readdir(join(listener.folder, 'arriving'))).toEqual([]);
  });

  it('gives a blob only to devices of a conversation whose envelope names it', async () => {
    const { organisation } = bench;
    const engine = engineOf(organisation);
    const agent = await createAgent(organisation);
    const [anna, otto] = [await bench.enroll('anna'), await bench.enroll('otto')];
    const conversation = newConversationId();
    await bench.groups.create(conversation, agent.uri);
    const state = await engine.createGroup(conversation, agent.identity, Date.now());
    const keyPackage = (await keyPackageOf(engine, anna)).upload.keyPackage;
    await bench.groups.commit(
      conversation,
      (await commitPost(engine, agent, state, { add: [{ device: anna.device, keyPackage }] })).post,
    );
    const bytes = new Uint8Array(randomBytes(100_000));
    const blob = blobOf(bytes);
    await put(blob, bytes);
    const get = async (person: typeof anna, name: string = blob) => {
      const { url, init } = await signed(person, 'GET', `${listener.url}/v1/blobs/${name}`);
      return await fetch(url, init);
    };
    expect((await get(anna)).status).toBe(404);
    await storeEnvelope(bench, conversation, { devices: [anna.device], blobs: [blob] });
    const answer = await get(anna);
    expect(answer.headers.get('content-length')).toBe('100000');
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(bytes);
    expect((await get(otto)).status).toBe(404);
    expect((await fetch(`${listener.url}/v1/blobs/${blob}`)).status).toBe(401);
    await bench.revoke(anna);
    expect((await get(anna)).status).toBe(401);
  });
});
