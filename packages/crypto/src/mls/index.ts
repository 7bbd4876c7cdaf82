/**
 * `@sealpost/crypto/mls`: end-to-end encryption for groups (RFC 9420) behind one port. It promises that the sender of
 * what it opens is the leaf MLS authenticated, that every leaf's certificate passed `VerifyCredential`, that a removed
 * member cannot follow, and that no given state is changed. It does not order commits, store anything, or decide whom
 * to trust. Private signature keys stay behind `Signer`; epoch and HPKE keys are in this process's memory.
 */
export { createMlsEngine, type MlsEngineOptions } from './create-engine.ts';
export {
  type CommitResult,
  DEFAULT_SUITE,
  type EncryptResult,
  type GroupState,
  type KeyPackageBundle,
  type Leaf,
  type MlsEngine,
  type MlsIdentity,
  type ReceiveResult,
  type VerifiedCredential,
  type VerifyCredential,
} from './engine.ts';
export { MLS_ERRORS } from './mls-errors.ts';
export type { MlsSuite, RandomBytes } from './suite.ts';
