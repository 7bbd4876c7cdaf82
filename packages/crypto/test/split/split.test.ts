/** Split links: content opens with both secrets and its own binding, and with nothing less. */
import { canonicalBytes, concatBytes, messageIdSchema, organisationSchema, utf8 } from '@sealpost/protocol';
import { describe, expect, it } from 'vitest';
import { openSplit, type SplitBinding, sealSplit } from '../../src/split/index.ts';

const binding: SplitBinding = {
  organisation: organisationSchema.parse('acme.example'),
  message: messageIdSchema.parse('01920000-0000-7000-8000-000000000001'),
  link: 'lnk_0123456789abcdef',
};
const CONTENT = utf8('the quarterly figures');
const flipped = (bytes: Uint8Array, at: number) => bytes.map((octet, index) => (index === at ? octet ^ 1 : octet));

/** As RFC 5869 and SP 800-38D by WebCrypto alone, without a line of ours but the binding's form. */
async function openedElsewhere(
  sealed: Uint8Array,
  linkSecret: Uint8Array,
  gateSecret: Uint8Array,
): Promise<Uint8Array> {
  const info = canonicalBytes({ context: 'sealpost/split/v1', ...binding });
  const secret = await crypto.subtle.importKey('raw', concatBytes(linkSecret, gateSecret), 'HKDF', false, [
    'deriveKey',
  ]);
  const key = await crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: utf8('sealpost/split/v1'), info },
    secret,
    { name: 'AES-GCM', length: 256 },
    false,
    ['decrypt'],
  );
  const iv = sealed.slice(0, 12);
  return new Uint8Array(
    await crypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData: info }, key, sealed.slice(12)),
  );
}

describe('content behind a split link', () => {
  it('opens with the link secret and the gate secret together', async () => {
    const { sealed, ...secrets } = await sealSplit(CONTENT, binding);
    expect(await openSplit(sealed, secrets, binding)).toEqual(CONTENT);
  });

  it('is HKDF-SHA256 and AES-256-GCM as another implementation computes them', async () => {
    const { sealed, linkSecret, gateSecret } = await sealSplit(CONTENT, binding);
    const padded = await openedElsewhere(sealed, linkSecret, gateSecret);
    expect(padded.slice(0, CONTENT.length + 1)).toEqual(concatBytes(CONTENT, Uint8Array.of(0x80)));
  });

  it('does not open with one secret and a guess, with both exchanged, or with a short one', async () => {
    const { sealed, linkSecret, gateSecret } = await sealSplit(CONTENT, binding);
    const zeros = new Uint8Array(32);
    for (const secrets of [
      { linkSecret, gateSecret: zeros },
      { linkSecret: zeros, gateSecret },
      { linkSecret: gateSecret, gateSecret: linkSecret },
      { linkSecret, gateSecret: flipped(gateSecret, 31) },
      { linkSecret: concatBytes(linkSecret, gateSecret.slice(0, 1)), gateSecret: gateSecret.slice(1) },
    ])
      expect(await openSplit(sealed, secrets, binding)).toBeUndefined();
  });

  it('does not open behind another link, for another message or organisation, or altered anywhere', async () => {
    const { sealed, ...secrets } = await sealSplit(CONTENT, binding);
    const others: SplitBinding[] = [
      { ...binding, link: 'lnk_0123456789abcdeg' },
      { ...binding, organisation: organisationSchema.parse('other.example') },
      { ...binding, message: messageIdSchema.parse('01920000-0000-7000-8000-000000000002') },
    ];
    for (const other of others) expect(await openSplit(sealed, secrets, other)).toBeUndefined();
    for (const at of [0, 11, 12, sealed.length - 1])
      expect(await openSplit(flipped(sealed, at), secrets, binding)).toBeUndefined();
    for (const length of [0, 11, 12, 27])
      expect(await openSplit(sealed.slice(0, length), secrets, binding)).toBeUndefined();
  });

  it('is sealed under fresh secrets each time', async () => {
    const [one, two] = [await sealSplit(CONTENT, binding), await sealSplit(CONTENT, binding)];
    expect(one.linkSecret).not.toEqual(two.linkSecret);
    expect(one.gateSecret).not.toEqual(two.gateSecret);
    expect(one.gateSecret).not.toEqual(one.linkSecret);
  });

  it.each([0, 1, 4094, 4095, 4096, 70_000, 1_000_000])('tells of %i bytes only their size class', async (length) => {
    const content = new Uint8Array(length).fill(0x80);
    const { sealed, ...secrets } = await sealSplit(content, binding);
    expect((sealed.length - 12 - 16) % 4096).toBe(0);
    expect(sealed.length).toBeLessThanOrEqual(Math.max(4096, (length + 1) * 1.25) + 4096 + 28);
    expect(await openSplit(sealed, secrets, binding)).toEqual(content);
  });
});
