/** What every store must do. Each implementation runs this against itself. */
import { utf8 } from '@sealpost/protocol';
import { expect, it } from 'vitest';
import type { DeviceStore } from '../src/index.ts';

export interface StoreUnderTest {
  /** Opens the same store again. */
  open(): Promise<DeviceStore>;
  /** Changes one byte of a sealed value at rest. */
  flip(name: string, at: (length: number) => number): Promise<void>;
}

/** Where the version of a value's encoding begins to matter: the low byte of the container's version. */
export const VERSION_BYTE = 8;

export function storeContract(make: () => Promise<StoreUnderTest>): void {
  it('reads back what it wrote, also after it was opened again', async () => {
    const under = await make();
    const store = await under.open();
    await store.write(
      new Map([
        ['message/a', utf8('one')],
        ['message/b', utf8('two')],
        ['mls/con_X', new Uint8Array(100_000).fill(7)],
      ]),
    );
    await store.write(
      new Map([
        ['message/a', null],
        ['message/b', utf8('three')],
      ]),
    );
    await store.close();
    const again = await under.open();
    expect(await again.read('message/a')).toBeUndefined();
    expect(await again.read('message/b')).toEqual(utf8('three'));
    expect((await again.read('mls/con_X'))?.length).toBe(100_000);
    expect(await again.list('message/')).toEqual(['message/b']);
    await again.close();
  });

  it('makes its signature key once and keeps it', async () => {
    const under = await make();
    const store = await under.open();
    expect(await store.signer()).toBeUndefined();
    const made = await store.createSigner();
    await expect(store.createSigner()).rejects.toMatchObject({ code: 'ERR_CLIENT_ENROLLED' });
    await store.close();
    const again = await under.open();
    expect((await again.signer())?.keyId).toBe(made.keyId);
    expect(await again.signer().then((signer) => signer?.sign(utf8('x')))).toHaveLength(64);
    await again.close();
  });

  it('refuses a flipped byte, wherever it is after the header', async () => {
    const under = await make();
    for (const at of [(length: number) => length - 1, () => 12, (length: number) => length - 20]) {
      const store = await under.open();
      await store.write(new Map([['message/a', utf8('a secret of some length')]]));
      await store.close();
      await under.flip('message/a', at);
      const again = await under.open();
      await expect(again.read('message/a')).rejects.toMatchObject({ code: 'ERR_CLIENT_STATE_DAMAGED' });
      await again.close();
    }
  });

  it('refuses a newer format with its own reason', async () => {
    const under = await make();
    const store = await under.open();
    await store.write(new Map([['message/a', utf8('from the future')]]));
    await store.close();
    await under.flip('message/a', () => VERSION_BYTE);
    const again = await under.open();
    await expect(again.read('message/a')).rejects.toMatchObject({ code: 'ERR_CLIENT_STATE_NEWER' });
    await again.close();
  });

  it('is held by one at a time', async () => {
    const under = await make();
    const store = await under.open();
    await expect(under.open()).rejects.toMatchObject({ code: 'ERR_CLIENT_STORE_BUSY' });
    await store.close();
    await expect(store.read('x')).rejects.toMatchObject({ code: 'ERR_CLIENT_CLOSED' });
    await (await under.open()).close();
  });
}
