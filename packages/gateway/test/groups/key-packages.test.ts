/** The pool of key packages under concurrency, expiry and repetition, with real MLS key packages. */
import type { MlsEngine } from '@sealpost/crypto/mls';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, createBench } from '../directory/bench.ts';
import { createPerson, DAY, type Person } from '../directory/people.ts';
import { engineOf, keyPackageOf } from './mls.ts';

describe('key packages', () => {
  let bench: Bench;
  let engine: MlsEngine;
  beforeAll(async () => {
    bench = await createBench();
    engine = engineOf(bench.organisation);
  });
  afterAll(() => bench[Symbol.asyncDispose]());

  const upload = async (person: Person, count: number, wishes = {}) => {
    const made = await Promise.all(Array.from({ length: count }, () => keyPackageOf(engine, person, wishes)));
    const uploads = made.map((each) => each.upload);
    const device = (await bench.directory.device(person.device))!;
    return { uploads, available: await bench.groups.uploadKeyPackages(device, uploads) };
  };

  it('gives each package once however many claim at the same time, and loses none', async () => {
    const second = await bench.node();
    let name = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 24 }), async (packages, claims) => {
        const people = [await bench.enroll(`p${name++}`), await bench.enroll(`p${name++}`)];
        const uploads = (await Promise.all(people.map((person) => upload(person, packages)))).flatMap(
          (each) => each.uploads,
        );
        const devices = people.map(({ device }) => device);
        const answers = await Promise.all(
          Array.from({ length: claims }, (_, at) =>
            (at % 2 === 0 ? bench : second).groups.claim(at % 3 === 0 ? devices : [...devices].reverse()),
          ),
        );
        const given = answers.flat().flatMap(({ keyPackage }) => keyPackage ?? []);
        expect(new Set(given).size).toBe(given.length);
        expect(given.every((each) => uploads.some(({ keyPackage }) => keyPackage === each))).toBe(true);
        expect(given).toHaveLength(2 * Math.min(packages, claims));
      }),
      { numRuns: 8 },
    );
  });

  it('keeps the last-resort package for when the pool is empty, and a new one replaces it', async () => {
    const person = await bench.enroll('olga');
    const [single] = (await upload(person, 1)).uploads;
    const first = await upload(person, 1, { lastResort: true });
    expect(first.available).toBe(1);
    const claim = async () => (await bench.groups.claim([person.device]))[0]?.keyPackage;
    expect(await claim()).toBe(single?.keyPackage);
    expect(await claim()).toBe(first.uploads[0]?.keyPackage);
    expect(await claim()).toBe(first.uploads[0]?.keyPackage);
    const second = await upload(person, 1, { lastResort: true });
    expect(second.available).toBe(0);
    expect(await claim()).toBe(second.uploads[0]?.keyPackage);
  });

  it('never hands out a package outside its lifetime', async () => {
    await using own = await createBench();
    const person = await own.enroll('paul');
    const engineHere = engineOf(own.organisation);
    const short = await keyPackageOf(engineHere, person, { notAfter: Date.now() + 3_600_000 });
    const last = await keyPackageOf(engineHere, person, { lastResort: true, notAfter: Date.now() + 3_600_000 });
    const device = (await own.directory.device(person.device))!;
    expect(await own.groups.uploadKeyPackages(device, [short.upload, last.upload])).toBe(1);
    own.clock.advance(3_600_000);
    expect(await own.groups.available(person.device)).toBe(0);
    expect(await own.groups.claim([person.device])).toEqual([{ device: person.device, keyPackage: null }]);
  });

  it('does not bring a spent package back when its upload is repeated', async () => {
    const person = await bench.enroll('quinn');
    const { uploads } = await upload(person, 1);
    await bench.groups.claim([person.device]);
    const device = (await bench.directory.device(person.device))!;
    expect(await bench.groups.uploadKeyPackages(device, uploads)).toBe(0);
    expect((await bench.groups.claim([person.device]))[0]?.keyPackage).toBeNull();
  });

  it('refuses packages of another certificate, expired ones, mislabelled last resorts and other bytes, all or nothing', async () => {
    const person = await bench.enroll('rosa');
    const device = (await bench.directory.device(person.device))!;
    const good = (await keyPackageOf(engine, person)).upload;
    const stranger = await createPerson(bench.organisation, 'rosa');
    const bad = [
      (await keyPackageOf(engine, stranger)).upload,
      (await keyPackageOf(engine, person, { notBefore: Date.now() - 2 * DAY, notAfter: Date.now() - DAY })).upload,
      { ...good, lastResort: true },
      { keyPackage: 'AAEABQ', lastResort: false },
      { keyPackage: good.keyPackage.slice(0, -4), lastResort: false },
    ];
    for (const each of bad)
      await expect(bench.groups.uploadKeyPackages(device, [good, each])).rejects.toMatchObject({
        code: 'ERR_GROUPS_KEY_PACKAGE',
      });
    expect(await bench.groups.available(person.device)).toBe(0);
  });

  it('gives nothing for a revoked or unknown device, and answers each device once', async () => {
    const person = await bench.enroll('sven');
    await upload(person, 3);
    await bench.revoke(person);
    const unknown = await createPerson(bench.organisation, 'tina');
    expect(await bench.groups.claim([person.device, unknown.device, person.device])).toEqual([
      { device: person.device, keyPackage: null },
      { device: unknown.device, keyPackage: null },
    ]);
  });
});
