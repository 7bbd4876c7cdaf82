import { fromBase64url, organisationSchema, toBase64url, vendorNameSchema } from '@sealpost/protocol';
import { type SealedInbound, sealedInboundSchema } from '@sealpost/protocol/carriage';
import { beforeAll, describe, expect, test } from 'vitest';
import { createUnwrappingKey, importUnwrappingKey, openInbound, type UnwrappingKey } from '../../src/open/index.ts';
import { type InboundBinding, sealInbound } from '../../src/seal/index.ts';
import { ACME } from '../verify/people.ts';

const BINDING: InboundBinding = { organisation: ACME, vendor: vendorNameSchema.parse('rcs-main') };
const messageOf = (text = 'The pump runs again.'): SealedInbound =>
  sealedInboundSchema.parse({
    v: 1,
    vendor: 'rcs-main',
    inbound: { id: 'm-1', address: '+4915112345678', content: { kind: 'text', text }, about: 'p-7' },
  });

/** Sealed by this release: a later one must open it. The private key is in this file and guards nothing. */
const RECORDED = {
  jwk: {
    crv: 'P-256',
    kty: 'EC',
    x: 'xEYHt1RwRaV3Obfatm95R3XwDY2WdWeRGQAQ6GUkGcI',
    y: 'CJpy6NoafC1JcBFm7p88J5ZyGUIm5hU073dD4iq2Y8A',
    d: 'hd7IxdTKagBD__PrQQTLJFjgj1CkRV3qImrlVuwFIYc',
  },
  sealed: {
    encapsulated: 'BEVIjGOWMX0G38oEv8F3zWVp3Sta3jQ-xsNCWgQak0gvoHytMdZVlLcR0pvOFsR1k7fmWGQz1IrWDtrTBZuuHDY',
    ciphertext: [
      'Cp1EucRpbGZEUXb7GiUbbTpkdfJuN8zavh5zY0Dx0-tAPc4JEOjsI0udRqWFVUBVEzyCClVMzrpxXW3adi3PzMitcEnpb65HT3j0',
      '_o92ctRD9wwNyQR3gbIWAjVrALfnpCSJMrQccp9sSifkX-gqpel11t_teP35YCuyMrjsNVGSkau9pbUpart9qPk7EyGdURnVt4et',
      'AOppPb8cSMY9kNQIVFMyXc06_ALC8EBhHn8gViabimWroovr-8RyUW_NKDpq-WGHLECpkAglThNBfSb1Z5JQv4-VvTEQx1hIq7yh',
      'lSq64sv6IkMWsU7cnCqQcjcJSNWP-LOS8gM8GMBU_n1bvTX1j5UYlQ5XQuZrjN6XQ6F6OfPeYS1707Vth4FIFDgjatnBrnLjTTPV',
      'aqHa6msHbHm-LDKHGbKLMPCbH27aMHxiBqPdVqGsUyUvpTu9HQVzmK6UupsZGWLKRFsYBUSphilZzCAVzGKf71Drg_Furnd8hWs8',
      'l7qgbnHCIg-Ei175PFzm6Z0VTc1ocSwY4ypJoH9vUZFCD82etYxqls9Ka9lcJ682VbQfJtz4dvd2rascVxwrLXLXD9J4CoLSuv4B',
      'qDWeL61C9MpXIJIw2374eFzJPun60Yz7ieiYAr18KpZPgEnkk_qqA4K9-SuZo-20o9dF55A2nmkdrXFgHKbgVbmFM1qzXbc0EGvs',
      '519fGrA5w6niOx3yDhSEBMw31HoqWnqJbtgKVqoQjHQi1xBNrgMVlXzoYW6svtR7x7xXX4CtFbkTCfyTobjR-O9e2dlGTNBlg-fj',
      'KZKOo00Aolp17He9YyM4Canztu-4CRvroN6A0bNoyC8R3ForQNpaKUYKpkqgu-KTu6s3mRnsvK5ZUNVqdbcVzRGxCBj2N7sf8frw',
      'lngx4_foKwhQ-KkqiRX3Pc-lIa-rL1h76Pjly-vQEW1G9M1_6ahxiStrLqVmtaC_eW7oYkyoeHURhTYZ_TWUl-c-eljbTer5tSLB',
      'DdteuLptEdyUtwFJcCQDfoExbEJ3wCXEg34NG6IqsPiTm9twt8Lm115hxF6p0-JMp6Js4dHjkPcEXbC8BQl_rmNIqpVkuOF3lRcg',
      'jzLPtvqk3qMH3sy04o6wrAzY_yPtzru1VAn8rTKRsQiW9pKy5EF0ZoAcBJYNBgzJiNOpcLHXqHf5t9AQGNaISiNGI8tvNs4GLcKk',
      'IwOu1hfa9ZkfFbqcdIpuf9UPCUEXaPwdh0hxWRZLUcMVyDsdF9SGUndhFXI7BfidDFNSqWsipc8CZOkWCix5PycWzGsD8u1aSko8',
      'Xwe1hfdT0OXqviM5uEncGwRYO0S2ZDxktNDJcZvHCXV4z37oSx1XOP1Evic24jl8MzCa7JXDRna85oMSD3cJPNM',
    ].join(''),
  },
} as const;

let key: UnwrappingKey;
let stranger: UnwrappingKey;
beforeAll(async () => {
  ({ key } = await createUnwrappingKey());
  ({ key: stranger } = await createUnwrappingKey());
});
const seal = async (message = messageOf(), binding = BINDING) => {
  const sealed = await sealInbound(message, key, binding);
  if (sealed === undefined) throw new Error('too long');
  return sealed;
};

describe('a message from outside', () => {
  test('opens with control’s inbound key to what was sealed', async () => {
    expect(await openInbound(await seal(), key, BINDING)).toEqual({ kind: 'ok', message: messageOf() });
  });

  test('of an earlier release opens', async () => {
    const recorded = await importUnwrappingKey(RECORDED.jwk);
    const sealed = { ...RECORDED.sealed, key: recorded.id };
    expect(await openInbound(sealed, recorded, BINDING)).toEqual({ kind: 'ok', message: messageOf() });
  });

  test('is refused with another key, for another organisation and for another vendor', async () => {
    const sealed = await seal();
    const reason = async (verdict: ReturnType<typeof openInbound>) => {
      const answer = await verdict;
      return answer.kind === 'refused' ? answer.reason : 'ok';
    };
    const other = {
      organisation: organisationSchema.parse('other.example'),
      vendor: vendorNameSchema.parse('sms-main'),
    };
    expect(await reason(openInbound(sealed, stranger, BINDING))).toBe('key');
    expect(await reason(openInbound({ ...sealed, key: stranger.id }, stranger, BINDING))).toBe('not-authentic');
    for (const name of ['organisation', 'vendor'] as const)
      expect(await reason(openInbound(sealed, key, { ...BINDING, [name]: other[name] })), name).toBe('not-authentic');
    expect(
      await reason(
        openInbound(await seal(messageOf(), { ...BINDING, vendor: other.vendor }), key, {
          ...BINDING,
          vendor: other.vendor,
        }),
      ),
    ).toBe('mismatch');
  });

  test('is refused after any octet is changed, and in a second spelling', async () => {
    const sealed = await seal();
    for (const field of ['encapsulated', 'ciphertext'] as const) {
      const bytes = fromBase64url(sealed[field]) ?? new Uint8Array(0);
      for (let at = 0; at < bytes.length; at += 29) {
        const changed = toBase64url(bytes.with(at, (bytes[at] ?? 0) ^ 1));
        expect((await openInbound({ ...sealed, [field]: changed }, key, BINDING)).kind).toBe('refused');
      }
      expect(await openInbound({ ...sealed, [field]: `${sealed[field]}=` }, key, BINDING)).toMatchObject({
        reason: 'malformed',
      });
    }
  });

  test('says by its length only which of five sizes it has, and is not kept beyond the last', async () => {
    const lengths = new Set<number>();
    for (const length of [1, 100, 700, 3000, 12_000, 50_000, 199_000])
      lengths.add((await seal(messageOf('x'.repeat(length)))).ciphertext.length);
    expect([...lengths]).toEqual([1387, 5483, 21_867, 87_403, 349_547]);
    expect(await sealInbound(messageOf('\u6f22'.repeat(100_000)), key, BINDING)).toBeUndefined();
  });
});
