/**
 * HPKE base mode, single shot (RFC 9180 section 6.1), with the one suite Sealpost uses: DHKEM(P-256, HKDF-SHA256) 0x0010,
 * HKDF-SHA256 0x0001, AES-128-GCM 0x0001. Only the composition is ours; the vectors of appendix A.3 are in the tests.
 */
import { concatBytes, utf8 } from '@sealpost/protocol';
import { hkdfExpand, hkdfExtract } from './hkdf.ts';
import type { AgreementKey, HpkeOpenInput, HpkeSealInput, Primitives } from './port.ts';

const VERSION = utf8('HPKE-v1');
const KEM_SUITE = concatBytes(utf8('KEM'), Uint8Array.of(0x00, 0x10));
const SUITE = concatBytes(utf8('HPKE'), Uint8Array.of(0x00, 0x10, 0x00, 0x01, 0x00, 0x01));
const MODE_BASE = 0x00;
const EMPTY = new Uint8Array(0);
const POINT_LENGTH = 65;
const [SECRET_LENGTH, KEY_LENGTH, NONCE_LENGTH] = [32, 16, 12];

type Platform = Pick<Primitives, 'hmacSha256' | 'sealAesGcm' | 'openAesGcm' | 'generateAgreementKey'>;

export interface Hpke {
  sealHpke(input: HpkeSealInput): Promise<{ readonly encapsulated: Uint8Array; readonly ciphertext: Uint8Array }>;
  /** Answers `undefined` when it does not open: wrong key, other info or additional data, changed bytes. */
  openHpke(input: HpkeOpenInput): Promise<Uint8Array | undefined>;
}

export function hpkeOver(platform: Platform): Hpke {
  const hmac = platform.hmacSha256;

  // RFC 9180 section 4
  const labeledExtract = (suite: Uint8Array, salt: Uint8Array, label: string, secret: Uint8Array) =>
    hkdfExtract(hmac, salt, concatBytes(VERSION, suite, utf8(label), secret));
  const labeledExpand = (suite: Uint8Array, key: Uint8Array, label: string, info: Uint8Array, length: number) =>
    hkdfExpand(
      hmac,
      key,
      concatBytes(Uint8Array.of(length >> 8, length & 0xff), VERSION, suite, utf8(label), info),
      length,
    );

  const pskIdHash = labeledExtract(SUITE, EMPTY, 'psk_id_hash', EMPTY);

  /** ExtractAndExpand of section 4.1. */
  function sharedSecret(agreed: Uint8Array, encapsulated: Uint8Array, publicKey: Uint8Array): Uint8Array {
    const extracted = labeledExtract(KEM_SUITE, EMPTY, 'eae_prk', agreed);
    return labeledExpand(KEM_SUITE, extracted, 'shared_secret', concatBytes(encapsulated, publicKey), SECRET_LENGTH);
  }

  /** KeySchedule of section 5.1 in base mode; the first sequence number is 0, so the base nonce is the nonce. */
  function keySchedule(shared: Uint8Array, info: Uint8Array): { key: Uint8Array; nonce: Uint8Array } {
    const context = concatBytes(Uint8Array.of(MODE_BASE), pskIdHash, labeledExtract(SUITE, EMPTY, 'info_hash', info));
    const secret = labeledExtract(SUITE, shared, 'secret', EMPTY);
    return {
      key: labeledExpand(SUITE, secret, 'key', context, KEY_LENGTH),
      nonce: labeledExpand(SUITE, secret, 'base_nonce', context, NONCE_LENGTH),
    };
  }

  async function agreedKeys(
    own: AgreementKey,
    peer: Uint8Array,
    encapsulated: Uint8Array,
    to: Uint8Array,
    info: Uint8Array,
  ) {
    const agreed = await own.agree(peer);
    if (agreed === undefined) return undefined;
    const schedule = keySchedule(sharedSecret(agreed, encapsulated, to), info);
    agreed.fill(0);
    return schedule;
  }

  return {
    async sealHpke({ publicKey, info, additionalData, plaintext, unsafeEphemeral }) {
      const ephemeral = unsafeEphemeral ?? (await platform.generateAgreementKey());
      const encapsulated = ephemeral.publicKey;
      const keys = await agreedKeys(ephemeral, publicKey, encapsulated, publicKey, info);
      if (keys === undefined) throw new TypeError('HPKE: the recipient key is not a point on P-256');
      const ciphertext = await platform.sealAesGcm({ ...keys, additionalData, plaintext });
      return { encapsulated, ciphertext };
    },
    async openHpke({ key, encapsulated, info, additionalData, ciphertext }) {
      if (encapsulated.length !== POINT_LENGTH) return undefined;
      const keys = await agreedKeys(key, encapsulated, encapsulated, key.publicKey, info);
      if (keys === undefined) return undefined;
      return platform.openAesGcm({ ...keys, additionalData, ciphertext });
    },
  };
}
