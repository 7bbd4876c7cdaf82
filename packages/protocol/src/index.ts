/**
 * `@sealpost/protocol`: the words all zones share. Pure: no I/O, no clock, no randomness, no cryptography. What people
 * author is in `./content`, what a route may carry in `./carriage`.
 */

export type {
  AlertmanagerWebhook,
  ConsoleFlow,
  ConsoleMessage,
  EnrollmentAnswer,
  MessageRequest,
  MessageStatus,
} from './api/control.ts';
export * as controlApi from './api/control.ts';
export type { DirectoryAnswer, Evidence, MessageEvidence, Timeline } from './api/gateway.ts';
export * as gatewayApi from './api/gateway.ts';
export {
  APPROVAL_ACTIONS,
  APPROVAL_TYPE,
  APPROVED_OBJECTS,
  type Approval,
  type ApprovalAction,
  type ApprovedObject,
  approvalSchema,
  approvedSchema,
  type ConsoleSession,
  type Principal,
} from './approval.ts';
export { concatBytes, equalBytes, fromBase64url, fromUtf8, toBase64url, toHex, utf8 } from './bytes.ts';
export { canonicalBytes, canonicalJson } from './canonical.ts';
export { DIRECTORY_TYPE, type DirectoryEntry, directoryEntrySchema } from './directory.ts';
export {
  type BatchStatement,
  batchStatementSchema,
  type CarrierPart,
  CLASSIFICATIONS,
  type Classification,
  carrierPartSchema,
  classificationSchema,
  type DevicePart,
  devicePartSchema,
  type Envelope,
  envelopeBytes,
  envelopeSchema,
  type Part,
  partSchema,
  type Submission,
  type SubmissionResult,
  submissionResultSchema,
  submissionSchema,
} from './envelope.ts';
export {
  ERROR_KINDS,
  type ErrorCode,
  type ErrorKind,
  type ErrorRow,
  type ErrorTable,
  errorsOf,
  PROTOCOL_ERRORS,
  type Problem,
  type ProblemDetail,
  problemDetailSchema,
  problemSchema,
  protocolError,
  SealpostError,
} from './errors.ts';
export { type EventKind, type EventOf, eventOfRecord, eventSchema, type LogEvent } from './events.ts';
export {
  type AgentId,
  type AttemptId,
  agentIdSchema,
  attemptIdSchema,
  type BlobId,
  base64urlSchema,
  blobIdSchema,
  type ChannelName,
  type ConversationId,
  channelNameSchema,
  conversationIdSchema,
  type DeviceId,
  deviceIdSchema,
  type EnvelopeId,
  envelopeIdSchema,
  type FlowName,
  flowNameSchema,
  type KeyId,
  keyIdSchema,
  type MemberId,
  type MessageId,
  memberIdSchema,
  messageIdSchema,
  newMessageId,
  type Organisation,
  organisationSchema,
  type SessionId,
  sessionIdSchema,
  type Timestamp,
  timestampSchema,
} from './ids.ts';
export {
  type AgentManifest,
  agentManifestSchema,
  BUNDLE_TYPE,
  type Bundle,
  bundleSchema,
  type ChannelManifest,
  type CompiledFlow,
  channelManifestSchema,
  durationSchema,
  type FlowManifest,
  flowManifestSchema,
  INSPECTION_DETECTORS,
  type InspectionManifest,
  type InspectionRule,
  inspectionManifestSchema,
  type LadderStep,
  type LinkPolicy,
  ladderStepSchema,
  linkPolicySchema,
  type Manifest,
  manifestSchema,
} from './manifest.ts';
export {
  ADAPTERS,
  type AdapterName,
  meetsFloor,
  PROTECTIONS,
  type Protection,
  protectionOf,
  protectionSchema,
  type Use,
  useSchema,
} from './protection.ts';
export {
  ACCEPTED_RECEIPT_TYPE,
  type AcceptedReceipt,
  acceptedReceiptSchema,
  DEVICE_RECEIPT_KINDS,
  DEVICE_RECEIPT_TYPE,
  type DeviceReceipt,
  deviceReceiptSchema,
} from './receipt.ts';
export {
  type ClientFrame,
  clientFrameSchema,
  type ServerFrame,
  SYNC_FRAME_LIMIT,
  SYNC_SIGNATURE_CONTEXT,
  SYNC_SUBPROTOCOL,
  type SyncItem,
  serverFrameSchema,
  syncItemSchema,
} from './sync.ts';
export { TRUST_TYPE, type Trust, trustSchema } from './trust.ts';
