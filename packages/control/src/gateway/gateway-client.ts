/**
 * Every internal route of the gateway as a method. Answers are parsed before they are believed; a problem document becomes
 * a SealpostError with the gateway's own code, kind and Retry-After, so that callers decide by code and never by text.
 */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import {
  type BlobId,
  type ConversationId,
  type DeviceId,
  type DirectoryAnswer,
  ERROR_KINDS,
  type ErrorCode,
  type ErrorKind,
  fromUtf8,
  gatewayApi,
  type LogEvent,
  type MemberId,
  type MessageEvidence,
  type MessageId,
  problemSchema,
  SealpostError,
  type Submission,
  type SubmissionResult,
  submissionResultSchema,
  type Timeline,
  utf8,
  type VendorName,
  type VendorStates,
} from '@sealpost/protocol';
import { z } from 'zod';
import { gatewayError } from './gateway-errors.ts';
import { createMutualTls, type Exchange, type MutualTlsOptions } from './mutual-tls.ts';

type BundleState = z.output<typeof gatewayApi.bundleStateSchema>;
type ConversationState = z.output<typeof gatewayApi.conversationStateSchema>;
type ClaimedPackages = z.output<typeof gatewayApi.keyPackageClaimResultSchema>['packages'];
export type CommitPost = z.input<typeof gatewayApi.commitPostSchema>;

export interface GatewayClient {
  bundle(): Promise<BundleState>;
  putBundle(bundle: string, approval: string): Promise<BundleState>;
  vendors(): Promise<VendorStates>;
  putVendor(vendor: VendorName, wish: { readonly open: boolean; readonly by: string }): Promise<'done' | 'already'>;
  submit(submission: Submission): Promise<SubmissionResult>;
  /** `blob` is the SHA-256 of the bytes; a repeat is harmless. */
  putBlob(blob: BlobId, sealed: Uint8Array): Promise<void>;
  /** Idempotent for identical bytes; throws a conflict when the member's chain has another head. */
  postDirectory(entry: string): Promise<void>;
  /** No entries for a member without devices. */
  directory(member: MemberId): Promise<DirectoryAnswer>;
  claimKeyPackages(devices: readonly DeviceId[]): Promise<ClaimedPackages>;
  createConversation(conversation: ConversationId, creator: string): Promise<void>;
  /** `undefined` when the gateway knows no such conversation. */
  conversation(conversation: ConversationId): Promise<ConversationState | undefined>;
  /** Throws code ERR_GROUPS_EPOCH when another commit won that epoch. */
  commit(conversation: ConversationId, commit: CommitPost): Promise<void>;
  events(after: number, limit: number, waitMs: number): Promise<{ position: number; event: LogEvent }[]>;
  /** `undefined` when the gateway knows no such message. */
  timeline(message: MessageId): Promise<Timeline | undefined>;
  /** Ends it and takes back what can be; a repeat is harmless. `undefined` when the gateway knows no such message. */
  revoke(message: MessageId, by: string): Promise<gatewayApi.RevokeAnswer | undefined>;
  /** The events that tell how each of these messages stands; none of one the gateway does not know. */
  results(messages: readonly MessageId[]): Promise<LogEvent[]>;
  /** Of a message's entries after a position, those a checkpoint covers. */
  evidence(message: MessageId, after: number, limit: number): Promise<MessageEvidence>;
  /** Export lines as they come; the caller reads or destroys the stream. */
  exportLog(): Promise<Readable>;
  cosign(checkpoint: string): Promise<void>;
  /** What people sent back, sealed to control's inbound key; waits up to `waitMs` for the first. */
  inbound(after: number, limit: number, waitMs: number): Promise<gatewayApi.InboundAnswer['inbound']>;
  /** Everything up to this position is stored here: the gateway drops its bodies. A repeat is harmless. */
  acknowledgeInbound(position: number): Promise<void>;
  close(): void;
}

const TIMEOUT = 10_000;
/** A directory chain or a page of events; nothing control asks for is larger. */
const ANSWER_LIMIT = 16_000_000;
const anyJson = z.unknown();

export function createGatewayClient(options: MutualTlsOptions): GatewayClient {
  const transport = createMutualTls(options);
  const send = async (exchange: Omit<Exchange, 'timeout'>, timeout = TIMEOUT) => {
    const answer = await transport.send({ ...exchange, timeout });
    if ((answer.statusCode ?? 500) >= 300) throw await problemFrom(answer);
    return answer;
  };
  const get = async <Schema extends z.ZodType>(path: string, schema: Schema, timeout?: number) =>
    parse(schema, await bytesOf(await send({ method: 'GET', path }, timeout)));
  const call = async <Schema extends z.ZodType>(method: 'POST' | 'PUT', path: string, body: unknown, schema: Schema) =>
    parse(
      schema,
      await bytesOf(await send({ method, path, contentType: 'application/json', body: utf8(JSON.stringify(body)) })),
    );
  const conversationPath = (id: ConversationId) => `/internal/v1/conversations/${id}`;
  return {
    bundle: () => get('/internal/v1/bundle', gatewayApi.bundleStateSchema),
    putBundle: (bundle, approval) =>
      call('PUT', '/internal/v1/bundle', { bundle, approval }, gatewayApi.bundleStateSchema),
    vendors: () => get('/internal/v1/vendors', gatewayApi.vendorStatesSchema),
    putVendor: async (vendor, wish) =>
      (await call('PUT', `/internal/v1/vendors/${vendor}`, wish, gatewayApi.vendorPutAnswerSchema)).outcome,
    submit: (submission) => call('POST', '/internal/v1/envelopes', submission, submissionResultSchema),
    async putBlob(blob, sealed) {
      const path = `/internal/v1/blobs/${blob}`;
      await drain(await send({ method: 'PUT', path, contentType: 'application/octet-stream', body: sealed }, 30_000));
    },
    postDirectory: async (entry) => void (await call('POST', '/internal/v1/directory', { entry }, anyJson)),
    async directory(member) {
      const chain = await orMissing(get(`/internal/v1/directory/${member}`, gatewayApi.directoryAnswerSchema));
      return chain ?? { entries: [] };
    },
    claimKeyPackages: async (devices) =>
      (await call('POST', '/internal/v1/key-packages/claim', { devices }, gatewayApi.keyPackageClaimResultSchema))
        .packages,
    createConversation: async (conversation, creator) =>
      void (await call('POST', '/internal/v1/conversations', { conversation, creator }, anyJson)),
    conversation: (id) => orMissing(get(conversationPath(id), gatewayApi.conversationStateSchema)),
    commit: async (id, commit) => void (await call('POST', `${conversationPath(id)}/commits`, commit, anyJson)),
    async events(after, limit, waitMs) {
      const path = `/internal/v1/events?after=${after}&limit=${limit}&wait=${waitMs}`;
      return (await get(path, gatewayApi.eventsAnswerSchema, waitMs + TIMEOUT)).events;
    },
    timeline: (message) => orMissing(get(`/internal/v1/messages/${message}/timeline`, gatewayApi.timelineSchema)),
    revoke: (message, by) =>
      orMissing(call('POST', `/internal/v1/messages/${message}/revoke`, { by }, gatewayApi.revokeAnswerSchema)),
    results: async (messages) =>
      (await call('POST', '/internal/v1/messages/results', { messages }, gatewayApi.resultsAnswerSchema)).events,
    evidence: (message, after, limit) =>
      get(`/internal/v1/messages/${message}/evidence?after=${after}&limit=${limit}`, gatewayApi.messageEvidenceSchema),
    exportLog: () => send({ method: 'GET', path: '/internal/v1/log/export' }, 60_000),
    cosign: async (checkpoint) => void (await call('POST', '/internal/v1/log/cosignatures', { checkpoint }, anyJson)),
    async inbound(after, limit, waitMs) {
      const path = `/internal/v1/inbound?after=${after}&limit=${limit}&wait=${waitMs}`;
      return (await get(path, gatewayApi.inboundAnswerSchema, waitMs + TIMEOUT)).inbound;
    },
    async acknowledgeInbound(position) {
      const body = utf8(JSON.stringify({ position }));
      const path = '/internal/v1/inbound/acknowledge';
      await drain(await send({ method: 'POST', path, contentType: 'application/json', body }));
    },
    close: transport.close,
  };
}

async function orMissing<T>(lookup: Promise<T>): Promise<T | undefined> {
  try {
    return await lookup;
  } catch (error) {
    if (error instanceof SealpostError && error.kind === 'missing') return undefined;
    throw error;
  }
}

function parse<Schema extends z.ZodType>(schema: Schema, bytes: Uint8Array): z.output<Schema> {
  const parsed = schema.safeParse(jsonOf(bytes));
  if (!parsed.success) throw gatewayError('ERR_GATEWAY_ANSWER', { cause: parsed.error, retryAfter: 30 });
  return parsed.data;
}

/** `undefined` for what is not JSON, and for an empty body. */
function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(bytes));
  } catch {
    return undefined;
  }
}

async function drain(answer: IncomingMessage): Promise<void> {
  await bytesOf(answer);
}

async function bytesOf(answer: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of answer) {
      length += chunk.length;
      if (length > ANSWER_LIMIT) throw gatewayError('ERR_GATEWAY_TOO_LARGE');
      chunks.push(chunk);
    }
  } catch (cause) {
    throw cause instanceof SealpostError ? cause : gatewayError('ERR_GATEWAY_AWAY', { cause, retryAfter: 5 });
  }
  return Buffer.concat(chunks);
}

async function problemFrom(answer: IncomingMessage): Promise<SealpostError> {
  const problem = problemSchema.safeParse(jsonOf(await bytesOf(answer)));
  if (!problem.success || !isCode(problem.data.code)) return gatewayError('ERR_GATEWAY_ANSWER', { retryAfter: 30 });
  const { code, title, hint, errors = [], status } = problem.data;
  const seconds = Number(answer.headers['retry-after']);
  return new SealpostError(
    code,
    { kind: kindOf(status), sentence: title, hint },
    { details: errors, ...(Number.isFinite(seconds) ? { retryAfter: seconds } : {}) },
  );
}

function isCode(code: string): code is ErrorCode {
  return /^ERR_[A-Z0-9_]{1,60}$/.test(code);
}

/** A failure inside the gateway is, for control's callers, a service that is away for a while: 503, never our own 500. */
function kindOf(status: number): ErrorKind {
  for (const [kind, number] of Object.entries(ERROR_KINDS)) {
    if (number === status && isKind(kind) && kind !== 'internal') return kind;
  }
  return 'unavailable';
}

function isKind(kind: string): kind is ErrorKind {
  return kind in ERROR_KINDS;
}
