/** Enrollment: who is trusted, what is refused, what a second try does. */
import { describe, expect, it } from 'vitest';
import { fingerprintOf } from '../src/enrollment/fingerprint.ts';
import { Gateway } from './gateway.ts';
import { Disk, MemoryStore } from './memory-store.ts';
import { createOrganisation, DAY, NOW } from './organisation.ts';
import { enrolls, opens } from './story.ts';

describe('enrollment', () => {
  it('answers who the device is, pins the root, and fills the pool: 20 packages and one of last resort', async () => {
    const organisation = await createOrganisation();
    const gateway = new Gateway(organisation);
    const store = new MemoryStore(new Disk());
    const rootFingerprint = fingerprintOf(organisation.rootDer);
    const enrolled = await enrolls(gateway, store, {
      rootFingerprint: rootFingerprint.toLowerCase().replaceAll(':', ''),
    });
    expect(enrolled).toMatchObject({ member: 'alice', organisation: 'acme.example', rootFingerprint });
    expect(rootFingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    const { pool } = gateway.known(enrolled.device);
    expect(pool.filter(({ lastResort }) => lastResort)).toHaveLength(1);
    expect(pool).toHaveLength(21);
    const device = await opens(gateway, store);
    expect(device.identity).toEqual({
      organisation: 'acme.example',
      member: 'alice',
      device: enrolled.device,
      uri: `sealpost://acme.example/member/alice/device/${enrolled.device}`,
    });
    await device.close();
  });

  it('refuses another root than the one expected, and keeps nothing of it', async () => {
    const gateway = new Gateway(await createOrganisation());
    const store = new MemoryStore(new Disk());
    for (const rootFingerprint of [fingerprintOf(new Uint8Array(3)), 'not a fingerprint', ''])
      await expect(enrolls(gateway, store, { rootFingerprint })).rejects.toMatchObject({ code: 'ERR_CLIENT_ROOT' });
    expect(await store.read('identity')).toBeUndefined();
    await expect(opens(gateway, store)).rejects.toMatchObject({ code: 'ERR_CLIENT_NOT_ENROLLED' });
  });

  it('refuses a trust file the root did not sign, and a certificate of another organisation', async () => {
    const [acme, evil] = [await createOrganisation(), await createOrganisation()];
    const store = new MemoryStore(new Disk());
    const [header, payload] = acme.trustJws.split('.');
    const forged = [header, payload, evil.trustJws.split('.')[2]].join('.');
    const gateway = new Gateway({ ...acme, trustJws: forged });
    await expect(enrolls(gateway, store)).rejects.toMatchObject({ code: 'ERR_CLIENT_TRUST' });
    const mixed = new Gateway({ ...acme, issueDevice: evil.issueDevice });
    await expect(enrolls(mixed, store)).rejects.toMatchObject({ code: 'ERR_CLIENT_TRUST' });
    expect(await store.read('identity')).toBeUndefined();
  });

  it('refuses plain HTTP to another machine before anything is sent', async () => {
    const gateway = new Gateway(await createOrganisation());
    const store = new MemoryStore(new Disk());
    await expect(enrolls(gateway, store, { control: 'http://control.acme.example' })).rejects.toMatchObject({
      code: 'ERR_CLIENT_INSECURE',
    });
    expect(store.writes).toBe(0);
  });

  it('passes on what control answers, and an enrolled store is not enrolled again', async () => {
    const gateway = new Gateway(await createOrganisation());
    const store = new MemoryStore(new Disk());
    await expect(enrolls(gateway, store, { code: 'wrong' })).rejects.toMatchObject({ code: 'ERR_ENROLLMENT_CODE' });
    await enrolls(gateway, store);
    await expect(enrolls(gateway, store, { code: 'CODE-2' })).rejects.toMatchObject({ code: 'ERR_CLIENT_ENROLLED' });
  });

  it('an answer that was lost is asked for again with the same key', async () => {
    const gateway = new Gateway(await createOrganisation());
    const store = new MemoryStore(new Disk());
    const around = { now: () => NOW, random: (n: number) => crypto.getRandomValues(new Uint8Array(n)) };
    const losing: typeof fetch = async (input, init) => {
      await gateway.fetch(input, init);
      throw new TypeError('connection reset');
    };
    const lost = enrolls(gateway, store, { surroundings: { ...around, fetch: losing } });
    await expect(lost).rejects.toMatchObject({ code: 'ERR_CLIENT_AWAY' });
    const { device } = await enrolls(gateway, store);
    expect([...gateway.devices.keys()]).toEqual([device]);
    expect([...gateway.codes]).toHaveLength(1);
  });
});

describe('an enrolled device', () => {
  it('does not connect once its certificate has lapsed, but still opens what it has', async () => {
    const gateway = new Gateway(await createOrganisation());
    const disk = new Disk();
    await enrolls(gateway, new MemoryStore(disk));
    const later = await opens(gateway, new MemoryStore(disk), { now: () => NOW + 31 * DAY });
    expect(await later.inbox()).toEqual([]);
    await expect(later.connect()).rejects.toMatchObject({ code: 'ERR_CLIENT_EXPIRED' });
    await later.close();
  });

  it('refills its pool when ten are not left, with packages of its own certificate', async () => {
    const gateway = new Gateway(await createOrganisation());
    const disk = new Disk();
    const { device } = await enrolls(gateway, new MemoryStore(disk));
    for (let taken = 0; taken < 11; taken++) gateway.claim(device);
    const phone = await opens(gateway, new MemoryStore(disk));
    await phone.connect();
    await phone.inbox();
    const { pool } = gateway.known(device);
    expect(pool.filter(({ lastResort }) => !lastResort)).toHaveLength(20);
    expect(new Set(pool.map(({ keyPackage }) => keyPackage)).size).toBe(21);
    expect([...disk.values.keys()].filter((name) => name.startsWith('key-package/'))).toHaveLength(32);
    await phone.close();
  });

  it('keeps no code and no private key in an answer', async () => {
    const gateway = new Gateway(await createOrganisation());
    const disk = new Disk();
    const enrolled = await enrolls(gateway, new MemoryStore(disk));
    const text = JSON.stringify(enrolled);
    expect(text).not.toContain('CODE-1');
    expect(text).not.toContain(disk.privateJwk?.d ?? 'none');
    expect(await new MemoryStore(disk).read('enrollment')).toBeUndefined();
  });
});
