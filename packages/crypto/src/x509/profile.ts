/**
 * The certificate profile as one table, used by whoever issues and by whoever verifies. Lifetimes after GSMA RCC.16:
 * leaves 76 days, intermediates 1827, roots 3652.
 */
import { KEY_USAGE, OID } from './oid.ts';

const DAY = 86_400_000;

export const USAGES = ['device', 'agent', 'service', 'ca'] as const;
export type CertificateUsage = (typeof USAGES)[number];
export type LeafUsage = Exclude<CertificateUsage, 'ca'>;

interface Profile {
  readonly longest: number;
  readonly keyUsage: number;
  readonly extendedKeyUsage: readonly string[];
}

const leaf = { longest: 76 * DAY, keyUsage: KEY_USAGE.digitalSignature };

export const PROFILES: Readonly<Record<CertificateUsage, Profile>> = {
  device: { ...leaf, extendedKeyUsage: [OID.clientAuth] },
  agent: { ...leaf, extendedKeyUsage: [OID.clientAuth] },
  service: { ...leaf, extendedKeyUsage: [OID.serverAuth, OID.clientAuth] },
  ca: { longest: 1827 * DAY, keyUsage: KEY_USAGE.keyCertSign | KEY_USAGE.crlSign, extendedKeyUsage: [] },
};

export const ROOT_LONGEST = 3652 * DAY;
