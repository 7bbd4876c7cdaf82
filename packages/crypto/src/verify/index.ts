/**
 * `crypto/verify`: everything that checks and nothing that signs, seals or opens. Hostile input gives a tagged refusal,
 * never an exception; time is a parameter.
 */
export { sha256 } from '#primitives';
export { keyIdOf } from '../primitives/key-id.ts';
export { agentUri, type CertificateUri, caUri, memberDeviceUri, parseUri, serviceUri } from '../x509/uri.ts';
export { type ApprovalVerdict, verifyApproval } from './approval.ts';
export { decodeAuthenticatedData } from './authenticated-data.ts';
export { type ChainVerdict, type LeafUsage, verifyCertificateChain } from './certificate-chain.ts';
export { verifyCertificateRequest } from './certificate-request.ts';
export { type CommittedContent, commitmentOf, verifyCommitment } from './commitment.ts';
export { type DirectoryDevice, type DirectoryVerdict, entryHash, verifyDirectoryChain } from './directory.ts';
export { envelopeId } from './envelope-id.ts';
export { fingerprintOf } from './fingerprint.ts';
export { type JwsVerdict, type PayloadSchema, verifyJws } from './jws.ts';
export { claimedKeyId, type RequestVerdict, type SignedRequest, verifyRequest } from './request.ts';
export { type SubmissionVerdict, verifySubmission } from './submission.ts';
export { verifySyncHello } from './sync-hello.ts';
export { type TrustVerdict, verifyTrust } from './trust.ts';
