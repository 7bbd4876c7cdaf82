/** SHA-256 by OpenSSL: for long logs several times as fast as the portable one of tlog. */
export { sha256 } from '@sealpost/crypto/verify';
