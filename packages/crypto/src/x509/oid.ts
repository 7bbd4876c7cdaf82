/** Object identifiers and tags of the certificate profile (RFC 5280, RFC 5480, RFC 5758, RFC 2986). */
export const OID = {
  ecPublicKey: '1.2.840.10045.2.1',
  p256: '1.2.840.10045.3.1.7',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  organisation: '2.5.4.10',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  /** Context tags of TBSCertificate, AuthorityKeyIdentifier, GeneralName and CertificationRequestInfo. */
  version: 0xa0,
  extensions: 0xa3,
  keyIdentifier: 0x80,
  dnsName: 0x82,
  uri: 0x86,
  attributes: 0xa0,
} as const;

/** KeyUsage bits (RFC 5280 section 4.2.1.3), most significant first, as the first octet of the bit string. */
export const KEY_USAGE = { digitalSignature: 0x80, keyCertSign: 0x04, crlSign: 0x02 } as const;
