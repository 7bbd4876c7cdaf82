import { channelNameSchema, flowNameSchema, fromBase64url, messageIdSchema, toBase64url } from '@sealpost/protocol';
import { carriageSchema } from '@sealpost/protocol/carriage';
import { beforeAll, describe, expect, test } from 'vitest';
import { createDispatchKey, type DispatchKey, importDispatchKey, openCarrier } from '../../src/dispatch/index.ts';
import { type CarrierBinding, padCarriage, sealCarrier } from '../../src/seal/index.ts';
import { keyIdOf } from '../../src/signer/index.ts';
import { ACME, NOW } from '../verify/people.ts';

const SMS = channelNameSchema.parse('sms-main');
const MESSAGE = messageIdSchema.parse('01890000-0000-7000-8000-000000000001');
const OTHER = messageIdSchema.parse('01890000-0000-7000-8000-000000000002');
const BINDING: CarrierBinding = {
  organisation: ACME,
  message: MESSAGE,
  flow: flowNameSchema.parse('incidents'),
  channel: SMS,
  use: 'notice',
};
const carriage = (text = 'Something waits for you.', address = '+4915112345678') =>
  carriageSchema.parse({
    v: 1,
    message: MESSAGE,
    channel: SMS,
    address,
    expires: NOW,
    payload: { kind: 'notice', text, url: 'https://inbox.acme.example/m' },
  });

let key: DispatchKey;
let stranger: DispatchKey;
beforeAll(async () => {
  ({ key } = await createDispatchKey());
  ({ key: stranger } = await createDispatchKey());
});
const seal = (of = carriage(), change: Partial<CarrierBinding> = {}) =>
  sealCarrier(of, { dispatchKeyId: key.id, publicKey: key.publicKey, ...BINDING, ...change });

describe('a carrier part', () => {
  test('opens with the dispatch key to the carriage that was sealed', async () => {
    expect(await openCarrier(await seal(), key, BINDING)).toEqual({ kind: 'ok', carriage: carriage() });
  });

  test('is refused for another message, flow, organisation, channel or use', async () => {
    const part = await seal();
    const reason = async (change: object, by = part) => {
      const verdict = await openCarrier(by, key, { ...BINDING, ...change });
      return verdict.kind === 'refused' ? verdict.reason : 'ok';
    };
    expect(await reason({ message: OTHER })).toBe('not-authentic');
    expect(await reason({ flow: 'other' })).toBe('not-authentic');
    expect(await reason({ organisation: 'other.example' })).toBe('not-authentic');
    expect(await reason({ channel: 'rcs' })).toBe('mismatch');
    expect(await reason({ channel: 'rcs' }, { ...part, channel: channelNameSchema.parse('rcs') })).toBe(
      'not-authentic',
    );
    expect(await reason({ use: 'carry' }, { ...part, use: 'carry' })).toBe('not-authentic');
  });

  test('is refused with another key, whatever key it names', async () => {
    const part = await seal();
    expect(await openCarrier(part, stranger, BINDING)).toEqual({ kind: 'refused', reason: 'key' });
    expect(await openCarrier({ ...part, key: stranger.id }, stranger, BINDING)).toEqual({
      kind: 'refused',
      reason: 'not-authentic',
    });
  });

  test('is refused after any octet is changed, and in a second spelling', async () => {
    const part = await seal();
    for (const field of ['encapsulated', 'ciphertext'] as const) {
      const bytes = fromBase64url(part[field]) ?? new Uint8Array(0);
      for (let at = 0; at < bytes.length; at += 13) {
        const changed = toBase64url(bytes.with(at, (bytes[at] ?? 0) ^ 1));
        expect((await openCarrier({ ...part, [field]: changed }, key, BINDING)).kind).toBe('refused');
      }
      expect(await openCarrier({ ...part, [field]: `${part[field]}=` }, key, BINDING)).toEqual({
        kind: 'refused',
        reason: 'malformed',
      });
      expect((await openCarrier({ ...part, [field]: '' }, key, BINDING)).kind).toBe('refused');
    }
  });

  test('has the same length for every notice of ordinary length', async () => {
    const lengths = new Set<number>();
    for (const [text, address] of [
      ['.', '+4915112'],
      ['x'.repeat(300), '+491511234567890'],
    ] as const) {
      lengths.add((await seal(carriage(text, address))).ciphertext.length);
    }
    expect(lengths).toEqual(new Set([Math.ceil(((1024 + 16) * 4) / 3)]));
  });

  test('fits its schema at the longest carriage, and a longer one is not sealed', async () => {
    expect(padCarriage(new Uint8Array(1023))).toHaveLength(1024);
    expect(padCarriage(new Uint8Array(1024))).toHaveLength(4096);
    expect(toBase64url(new Uint8Array(padCarriage(new Uint8Array(262_143)).length + 16)).length).toBeLessThanOrEqual(
      350_000,
    );
    expect(() => padCarriage(new Uint8Array(262_144))).toThrow(RangeError);
  });

  test('is not made for another message or channel than the carriage says', async () => {
    await expect(seal(carriage(), { message: OTHER })).rejects.toThrow(TypeError);
    await expect(seal(carriage(), { channel: channelNameSchema.parse('rcs') })).rejects.toThrow(TypeError);
  });

  test('is not sealed to what is no key', async () => {
    const to = { dispatchKeyId: key.id, ...BINDING };
    await expect(sealCarrier(carriage(), { ...to, publicKey: 'A'.repeat(87) })).rejects.toThrow(TypeError);
    await expect(sealCarrier(carriage(), { ...to, publicKey: '=' })).rejects.toThrow(TypeError);
  });
});

test('a dispatch key is named by the thumbprint of its public half and comes back from its JWK', async () => {
  const { key: made, privateJwk } = await createDispatchKey();
  expect(made.id).toBe(await keyIdOf(privateJwk));
  const again = await importDispatchKey(privateJwk);
  expect([again.id, again.publicKey]).toEqual([made.id, made.publicKey]);
  expect(made.publicKey).toHaveLength(87);
});
