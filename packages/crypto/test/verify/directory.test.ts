import { type DirectoryEntry, type MemberId, toBase64url } from '@sealpost/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Signer } from '../../src/signer/index.ts';
import { entryHash, verifyApproval, verifyDirectoryChain, verifyTrust } from '../../src/verify/index.ts';
import { ACME, ALICE, BOB, createOrganisation, DAY, deviceNamed, hashOf, NOW, signerOf } from './people.ts';

let acme: Awaited<ReturnType<typeof createOrganisation>>;
let phone: Signer;
let tablet: Signer;
let nonces = 0;
const nonce = () => String(nonces++).padStart(22, 'n');
const [PHONE, TABLET] = [deviceNamed('A'), deviceNamed('B')];

beforeAll(async () => {
  acme = await createOrganisation();
  phone = await signerOf('ES256');
  tablet = await signerOf('ES256');
});

const invitation = (member: MemberId = ALICE, change = {}) => ({
  member,
  codeHash: 'A'.repeat(43),
  expires: NOW + 600_000,
  nonce: nonce(),
  ...change,
});
async function enrolled(
  signer: Signer,
  device = PHONE,
  change: Partial<DirectoryEntry> = {},
  object: Record<string, unknown> = invitation(),
) {
  const chain = [toBase64url(await acme.issueDevice(signer, ALICE, device))];
  const approval = { object, jws: await acme.approve('device.invite', object) };
  return acme.signEntry({ member: ALICE, device, change: 'enrolled', chain, approval, ...change });
}
async function revoked(previous: string, device = PHONE, change = {}) {
  const object = { member: ALICE, device, reason: 'lost', nonce: nonce(), ...change };
  const approval = { object, jws: await acme.approve('device.revoke', object) };
  return acme.signEntry({
    member: ALICE,
    device: PHONE,
    change: 'revoked',
    chain: ['AAAA'],
    approval,
    previous: entryHash(previous),
  });
}
const verify = (entries: readonly string[], change = {}) =>
  verifyDirectoryChain(entries, { trust: acme.trust, member: ALICE, now: NOW, ...change });
const refusal = async (entries: readonly string[], change = {}) => {
  const verdict = await verify(entries, change);
  return verdict.kind === 'refused' ? `${verdict.reason} at ${verdict.index}` : 'ok';
};

describe('a directory chain', () => {
  test('names the devices that are enrolled and not revoked, with their keys, and its head', async () => {
    const first = await enrolled(phone);
    const second = await enrolled(tablet, TABLET, { name: 'tablet', previous: entryHash(first) });
    const both = await verify([first, second]);
    expect(both).toMatchObject({
      kind: 'ok',
      head: entryHash(second),
      devices: [
        { device: PHONE, member: ALICE, name: 'phone', publicJwk: phone.publicJwk, enrolledAt: NOW - 60_000 },
        { device: TABLET, name: 'tablet', publicJwk: tablet.publicJwk },
      ],
    });
    const third = await revoked(second);
    expect(await verify([first, second, third])).toMatchObject({ kind: 'ok', devices: [{ device: TABLET }] });
  });

  test('of no entry has no device and no head', async () => {
    expect(await verify([])).toEqual({ kind: 'ok', devices: [], head: null });
  });

  test('leaves out a device whose certificate has lapsed', async () => {
    expect(await verify([await enrolled(phone)], { now: NOW + 77 * DAY })).toMatchObject({ kind: 'ok', devices: [] });
  });

  test('of another member than asked for is refused', async () => {
    expect(await refusal([await enrolled(phone)], { member: BOB })).toBe('member at 0');
  });

  test('is refused when an entry is left out, doubled, reordered or names another predecessor', async () => {
    const first = await enrolled(phone);
    const second = await enrolled(tablet, TABLET, { previous: entryHash(first) });
    for (const [entries, at] of [
      [[second], 0],
      [[first, first], 1],
      [[second, first], 0],
      [[first, await enrolled(tablet, TABLET)], 1],
    ] as const) {
      expect(await refusal(entries)).toBe(`previous at ${at}`);
    }
  });

  test('is refused when somebody else than control signed an entry or a letter of it was changed', async () => {
    const entry = await enrolled(phone);
    const forged = await acme.signEntry(
      { member: ALICE, device: PHONE, change: 'enrolled', chain: ['AAAA'], approval: { object: {}, jws: 'x' } },
      acme.approver,
    );
    expect(await refusal([forged])).toBe('signature at 0');
    for (let at = 0; at < entry.length; at += 37) {
      const letter = entry[at] === 'A' ? 'B' : 'A';
      expect((await verify([entry.slice(0, at) + letter + entry.slice(at + 1)])).kind).toBe('refused');
    }
  });

  test('is refused for another organisation and for a time that runs back or lies ahead', async () => {
    const first = await enrolled(phone);
    expect(await refusal([first], { trust: { ...acme.trust, organisation: 'other.example' } })).toBe(
      'organisation at 0',
    );
    const earlier = await enrolled(tablet, TABLET, { previous: entryHash(first), at: NOW - 90_000 });
    expect(await refusal([first, earlier])).toBe('time at 1');
    expect(await refusal([first], { now: NOW - 10 * 60_000 })).toBe('time at 0');
  });

  test('is refused without an approval of a person for exactly this change', async () => {
    const object = invitation();
    const wrong = [
      { object, jws: await acme.approve('device.invite', invitation()) },
      { object, jws: await acme.approve('device.revoke', object) },
      { object, jws: await acme.approve('device.invite', object, {}, acme.submit) },
      { object, jws: await acme.approve('device.invite', object, { organisation: 'other.example' }) },
      { object, jws: await acme.approve('device.invite', object, { expires: NOW - 60_000 }) },
      { object, jws: await acme.approve('device.invite', object, { issued: NOW + DAY }) },
    ];
    for (const approval of wrong)
      expect(await refusal([await enrolled(phone, PHONE, { approval })])).toBe('approval at 0');
    expect(await refusal([await enrolled(phone, PHONE, {}, invitation(BOB))])).toBe('approval at 0');
    expect(await refusal([await enrolled(phone, PHONE, {}, invitation(ALICE, { expires: NOW - 60_000 }))])).toBe(
      'approval at 0',
    );
    const first = await enrolled(phone);
    expect(await refusal([first, await revoked(first, TABLET)])).toBe('approval at 1');
    expect(await refusal([first, await revoked(first, PHONE, { member: BOB })])).toBe('approval at 1');
  });

  test('is refused when one approval is used for two devices, even when it was signed twice', async () => {
    const object = invitation();
    const first = await enrolled(phone, PHONE, {}, object);
    const jws = await acme.approve('device.invite', object, { issued: NOW - 100_000 });
    const ghost = await enrolled(tablet, TABLET, { previous: entryHash(first), approval: { object, jws } });
    expect(await refusal([first, ghost])).toBe('approval-reused at 1');
  });

  test('is refused for a certificate of another device, another member or another CA', async () => {
    const chainOf = async (der: Promise<Uint8Array>) => [toBase64url(await der)];
    const stranger = await createOrganisation();
    for (const chain of [
      await chainOf(acme.issueDevice(phone, ALICE, TABLET)),
      await chainOf(acme.issueDevice(phone, BOB, PHONE)),
      await chainOf(stranger.issueDevice(phone, ALICE, PHONE)),
      ['AAAA'],
      ['A'],
    ]) {
      expect(await refusal([await enrolled(phone, PHONE, { chain })])).toBe('certificate at 0');
    }
  });

  test('lets an enrolled device renew its certificate but not change its key, nor return after revocation', async () => {
    const first = await enrolled(phone);
    const renewal = await enrolled(phone, PHONE, { previous: entryHash(first), name: 'renewed' });
    expect(await verify([first, renewal])).toMatchObject({ kind: 'ok', devices: [{ name: 'renewed' }] });
    expect(await refusal([first, await enrolled(tablet, PHONE, { previous: entryHash(first) })])).toBe('device at 1');
    const gone = await revoked(first);
    expect(await refusal([first, gone, await enrolled(phone, PHONE, { previous: entryHash(gone) })])).toBe(
      'device at 2',
    );
    expect(await refusal([first, gone, await revoked(gone)])).toBe('device at 2');
  });
});

describe('an approval', () => {
  const context = () => ({ approvers: acme.trust.approvers, organisation: ACME, now: NOW });

  test('verifies for its object and action, and gives an id for single use', async () => {
    const object = invitation();
    const jws = await acme.approve('device.invite', object);
    expect(await verifyApproval(jws, object, 'device.invite', context())).toMatchObject({
      kind: 'ok',
      id: entryHash(jws),
      approval: { object: hashOf(object), approver: acme.approver.keyId },
    });
  });

  test('is refused with the reason that tells what is wrong', async () => {
    const object = invitation();
    const jws = await acme.approve('device.invite', object);
    const reason = async (text: string, about: unknown = object, change = {}) => {
      const verdict = await verifyApproval(text, about, 'device.invite', { ...context(), ...change });
      return verdict.kind === 'refused' ? verdict.reason : 'ok';
    };
    expect(await reason(jws, { ...object, member: 'bob' })).toBe('object');
    expect(await reason(jws, { ...object, extra: 1 })).toBe('object');
    expect(await reason(jws, object, { now: NOW + DAY })).toBe('expired');
    expect(await reason(jws, object, { now: NOW - DAY })).toBe('not-yet-valid');
    expect(await reason(jws, object, { approvers: [] })).toBe('approver');
    expect(await reason(await acme.approve('bundle.apply', object))).toBe('action');
    expect(await reason(await acme.approve('device.invite', object, { approver: 'A'.repeat(43) }))).toBe('approver');
    expect(await reason(await acme.approve('device.invite', object, { organisation: 'other.example' }))).toBe(
      'organisation',
    );
    expect(await reason(`${jws.slice(0, -4)}AAAA`)).toBe('signature');
    expect(await reason('nonsense')).toBe('malformed');
  });
});

describe('a trust file', () => {
  const reason = async (jws: string, root = acme.rootDer) => {
    const verdict = await verifyTrust(jws, root);
    return verdict.kind === 'refused' ? verdict.reason : 'ok';
  };

  test('verifies against the pinned root', async () => {
    expect(await verifyTrust(await acme.trustJws(), acme.rootDer)).toEqual({ kind: 'ok', trust: acme.trust });
  });

  test('is refused against another root, or with another root inside', async () => {
    const other = await createOrganisation();
    expect(await reason(await acme.trustJws(), other.rootDer)).toBe('malformed');
    expect(await reason(await acme.trustJws({ root: other.trust.root }))).toBe('other-root');
    expect(await reason(await acme.trustJws(), acme.deviceCaDer)).toBe('root');
    expect(await reason(await acme.trustJws(), new Uint8Array(3))).toBe('root');
  });

  test('is refused when the root did not sign it', async () => {
    expect(await reason(await acme.trustJws({}, acme.deviceCa))).toBe('malformed');
    expect(await reason(await acme.trustJws({}, { ...acme.root, sign: acme.deviceCa.sign }))).toBe('signature');
  });

  test('is refused with a CA the root did not certify', async () => {
    const other = await createOrganisation();
    const leaf = toBase64url(await acme.issueDevice(phone, ALICE, PHONE));
    expect(await reason(await acme.trustJws({ deviceCa: other.trust.deviceCa }))).toBe('device-ca');
    expect(await reason(await acme.trustJws({ serviceCa: other.trust.serviceCa }))).toBe('service-ca');
    expect(await reason(await acme.trustJws({ deviceCa: leaf }))).toBe('device-ca');
  });

  test('is refused when a key is named by anything but its thumbprint', async () => {
    const { approvers, dispatch } = acme.trust;
    const renamed = approvers.map(({ jwk }) => ({ id: 'A'.repeat(43), jwk }));
    expect(await reason(await acme.trustJws({ approvers: renamed }))).toBe('key-id');
    expect(await reason(await acme.trustJws({ dispatch: { ...dispatch, id: 'A'.repeat(43) } }))).toBe('key-id');
  });
});
