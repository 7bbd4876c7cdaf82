/**
 * The life of a message in control (DESIGN section 5): authorize, inspect, decide, resolve, seal, store, submit. Up to the
 * store nothing has happened; from there on only the stored bytes are sent, however often the caller or a crash repeats.
 */
import type { Signer } from '@sealpost/crypto/signer';
import { sha256 } from '@sealpost/crypto/verify';
import type { Database, Logger, Surroundings } from '@sealpost/platform';
import {
  CLASSIFICATIONS,
  type Classification,
  type CompiledFlow,
  type ConsoleMessage,
  type ConsoleSession,
  canonicalJson,
  concatBytes,
  equalBytes,
  type gatewayApi,
  type MessageEvidence,
  type MessageId,
  type MessageRequest,
  type MessageStatus,
  type Principal,
  SealpostError,
  type Trust,
  utf8,
} from '@sealpost/protocol';
import type { Attachment } from '@sealpost/protocol/content';
import type { GatewayClient } from '../../gateway/gateway-client.ts';
import { reached } from '../../points.ts';
import type { Agents } from '../agents/index.ts';
import type { Consent } from '../consent/index.ts';
import { type Flows, flowsError } from '../flows/index.ts';
import { type Identity, identityError } from '../identity/index.ts';
import { blockedBy, inspect } from '../inspection/index.ts';
import { type Policy, policyError } from '../policy/index.ts';
import { decideRoute } from './decide-route.ts';
import { messagesError } from './messages-errors.ts';
import { newestMessages } from './newest.ts';
import { principalKey } from './principal-key.ts';
import {
  addRequest,
  discardRequest,
  findByMessage,
  findRequest,
  type Sender,
  type StoredRequest,
  senderOf,
} from './request-store.ts';
import { buildEnvelope, commitContent, type Draft, sealNotices, signSubmission } from './seal-envelope.ts';
import { stateOf } from './status.ts';
import { submitStored } from './submit.ts';

export interface MessageAccepted {
  readonly message: MessageId;
  readonly envelope: string;
  readonly receipt: string;
}

/** What is fetched only when the message is really to be sealed. */
export interface Preparation {
  readonly attachments: readonly Attachment[];
  /** Added below the body. */
  readonly lines: readonly string[];
}

export interface Prepared {
  readonly kind: 'alert';
  /** What makes two alerts the same one, in place of the whole request. */
  readonly identity: string;
  /** How many attachments there may be, for the policy to judge before any is fetched. */
  readonly attachments: number;
  prepare(flow: CompiledFlow): Promise<Preparation>;
}

export interface Messages {
  /** Answers once the gateway has promised inclusion. The same key and request answer the same message. */
  send(principal: Principal, request: MessageRequest, key: string, prepared?: Prepared): Promise<MessageAccepted>;
  /** Throws ERR_MESSAGES_MISSING to whoever neither sent it nor reads for the operators. */
  status(reader: Principal | ConsoleSession, message: MessageId): Promise<MessageStatus>;
  /** Takes it back for who sent it, or an approver. Throws ERR_MESSAGES_MISSING to anybody else. */
  revoke(principal: Principal, message: MessageId): Promise<gatewayApi.RevokeAnswer>;
  /** The application that sent it, and in which flow; `undefined` for what no application sent. */
  senderOf(message: string): Promise<Sender | undefined>;
  /** The newest fifty, newest first, with how each stands. */
  newest(): Promise<ConsoleMessage[]>;
  /** What proves a message's log entries. Throws ERR_MESSAGES_MISSING. */
  evidence(message: MessageId, after: number, limit: number): Promise<MessageEvidence>;
}

export interface MessagesDeps {
  readonly database: Database;
  readonly gateway: Pick<GatewayClient, 'submit' | 'timeline' | 'results' | 'evidence' | 'revoke'>;
  readonly identity: Pick<Identity, 'member'>;
  readonly consent: Pick<Consent, 'suppressed'>;
  readonly flows: Pick<Flows, 'current' | 'knownFlow'>;
  readonly policy: Pick<Policy, 'decide'>;
  readonly agents: Pick<Agents, 'withConversation'>;
  readonly trust: Trust;
  /** Ed25519; signs submissions. */
  readonly submitSigner: Signer;
  /** 32 bytes; keys the hashes of request bodies. */
  readonly storageKey: Uint8Array;
  readonly surroundings: Surroundings;
  readonly logger: Logger;
}

interface Order {
  readonly principal: Principal;
  readonly request: MessageRequest;
  readonly key: string;
  readonly bodyHash: Uint8Array;
  readonly prepared: Prepared | undefined;
}

/** What a principal was registered for, whatever the policies say. */
function mayUse(principal: Principal, flow: string, to: string): boolean {
  if (principal.kind === 'application') return principal.flows.includes(flow);
  return principal.kind === 'alert-sender' && principal.flow === flow && principal.to === to;
}

/** A message is read by who sent it, and by approvers and whoever they let in at the console. */
function mayRead(reader: Principal | ConsoleSession, { principal }: StoredRequest): boolean {
  if (reader.kind === 'approver' || reader.kind === 'console') return true;
  return principal === principalKey(reader);
}

/** Refusals after which the gateway certainly has not taken the envelope and never will: a fresh one may be sealed. */
const OVERTAKEN: readonly string[] = [
  'ERR_ENVELOPES_EPOCH',
  'ERR_ENVELOPES_BUNDLE',
  'ERR_ENVELOPES_EXPIRED',
  'ERR_ENVELOPES_MEMBERSHIP',
];
const SEALINGS = 3;
const KEY = /^[\x20-\x7e]{1,128}$/;

export function createMessages(deps: MessagesDeps): Messages {
  const { database, gateway, identity, flows, policy, agents, trust, surroundings, logger } = deps;

  const authorize = ({ principal, request, prepared }: Order): CompiledFlow => {
    const flow = flows.knownFlow(request.flow);
    const { subject, body, facts, acknowledge } = request.content;
    const texts = [subject, body, ...facts.flatMap(({ name, value }) => [name, value])];
    const bytes = texts.reduce((sum, text) => sum + utf8(text).length, 0);
    const attachments = prepared?.attachments ?? 0;
    const context = { bytes, facts: facts.length, attachments, acknowledge };
    const action = prepared === undefined ? 'send' : 'send-alert';
    const decision = policy.decide({ principal, action, flow, to: request.to, context });
    const granted = mayUse(principal, flow.name, request.to);
    if (decision.kind === 'allow' && granted) return flow;
    logger.info('denied', { flow: flow.name, reason: decision.kind === 'deny' ? decision.reason : 'scope' });
    throw policyError('ERR_POLICY_DENIED');
  };

  const inspected = ({ request }: Order, flow: CompiledFlow) => {
    const inspection = inspect(request.content, flow.inspection);
    if (inspection.kind === 'blocked') throw blockedBy(inspection.rules);
    const classification = highest(flow.classification, inspection.classification);
    return { content: inspection.content, classification };
  };

  const drafted = async (order: Order): Promise<Draft> => {
    const flow = authorize(order);
    const { content, classification } = inspected(order, flow);
    const notices = decideRoute(flow, order.request.route);
    const bundle = flows.current()?.bundle.version;
    if (bundle === undefined) throw flowsError('ERR_FLOWS_UNKNOWN');
    const { attachments, lines } = (await order.prepared?.prepare(flow)) ?? { attachments: [], lines: [] };
    const body = [content.body, ...lines].join('\n');
    return {
      message: surroundings.messageId(),
      flow,
      bundle,
      to: order.request.to,
      content: { kind: order.prepared?.kind ?? 'message', ...content, body, attachments: [...attachments] },
      classification,
      notices,
      created: surroundings.now(),
    };
  };

  const sealed = async (order: Order): Promise<StoredRequest> => {
    const member = await knownMember(order);
    const draft = await drafted(order);
    const phone = await heeded(member.phone, draft.flow.agent);
    return agents.withConversation(draft.flow.agent, draft.to, async (held) => {
      // Another request under the same key may have been faster while this one waited for the conversation.
      const known = await stored(order);
      if (known !== undefined) return known;
      const { plaintext, authenticatedData, commitment } = commitContent(draft, held, surroundings.random);
      const notices = await sealNotices(draft, phone, trust);
      return held.sealAndStore(plaintext, authenticatedData, async (tx, ciphertext) => {
        const envelope = buildEnvelope(draft, held, { ciphertext, notices, commitment }, trust);
        const signing = { trust, signer: deps.submitSigner, now: surroundings.now() };
        const signed = await signSubmission([envelope], signing);
        const row = {
          principal: principalKey(order.principal),
          key: order.key,
          bodyHash: order.bodyHash,
          message: draft.message,
          flow: draft.flow.name,
          recipient: draft.to,
          ...signed,
        };
        if (!(await addRequest(tx, row, surroundings.now()))) throw new Overtaken();
        reached('messages.before-commit');
        return { ...row, state: 'stored', receipt: null };
      });
    });
  };

  /** Whoever asked an agent to stop gets no notice of it: the app channel alone is left, and carries without an address. */
  const heeded = async (phone: string | undefined, agent: string) => {
    if (phone === undefined || !(await deps.consent.suppressed({ kind: 'phone', address: phone }, agent))) return phone;
    logger.info('notice not sealed', { reason: 'opted-out' });
    return undefined;
  };

  const knownMember = async ({ request }: Order) => {
    const member = await identity.member(request.to);
    if (member !== undefined) return member;
    throw identityError('ERR_IDENTITY_MEMBER', { details: [{ pointer: '/to', detail: 'is not registered' }] });
  };

  /** Throws ERR_MESSAGES_KEY_USED when the key stands for another request. */
  const stored = async ({ principal, key, bodyHash }: Order): Promise<StoredRequest | undefined> => {
    const known = await findRequest(database, principalKey(principal), key);
    if (known !== undefined && !equalBytes(known.bodyHash, bodyHash)) throw messagesError('ERR_MESSAGES_KEY_USED');
    return known;
  };

  const sealedOnce = (order: Order) =>
    sealed(order).catch(async (error) => {
      const winner = error instanceof Overtaken ? await stored(order) : undefined;
      if (winner === undefined) throw error;
      return winner;
    });

  const mayBeSealedAnew = (error: unknown, { submission }: StoredRequest): boolean => {
    if (!(error instanceof SealpostError) || !OVERTAKEN.includes(error.code)) return false;
    const running = flows.current()?.bundle.version;
    return error.code !== 'ERR_ENVELOPES_BUNDLE' || running !== submission.statement.bundle;
  };

  return {
    async send(principal, request, key, prepared) {
      if (!KEY.test(key)) throw messagesError('ERR_MESSAGES_KEY');
      const order = { principal, request, key, prepared, bodyHash: hashOf(request, prepared, deps.storageKey) };
      for (let sealing = 1; ; sealing++) {
        const row = (await stored(order)) ?? (await sealedOnce(order));
        try {
          const receipt = await submitStored(row, deps);
          return { message: row.message, envelope: row.envelope, receipt };
        } catch (error) {
          if (sealing === SEALINGS || !mayBeSealedAnew(error, row)) throw error;
          logger.info('overtaken', { message: row.message, count: sealing });
          await discardRequest(database, row.message);
        }
      }
    },
    async status(reader, message) {
      const row = await findByMessage(database, message);
      if (row === undefined || !mayRead(reader, row)) throw messagesError('ERR_MESSAGES_MISSING');
      const timeline = await gateway.timeline(message);
      if (timeline === undefined) throw messagesError('ERR_MESSAGES_MISSING');
      const { flow, recipient: to } = row;
      return { message, flow, to, state: stateOf(timeline), timeline: timeline.events };
    },
    async revoke(principal, message) {
      const row = await findByMessage(database, message);
      if (row === undefined || !mayRead(principal, row)) throw messagesError('ERR_MESSAGES_MISSING');
      const answer = await gateway.revoke(message, principalKey(principal));
      if (answer === undefined) throw messagesError('ERR_MESSAGES_MISSING');
      logger.info('taken back', { message, state: answer.outcome });
      return answer;
    },
    senderOf: (message) => senderOf(database, message),
    newest: () => newestMessages(database, gateway),
    async evidence(message, after, limit) {
      if ((await findByMessage(database, message)) === undefined) throw messagesError('ERR_MESSAGES_MISSING');
      return gateway.evidence(message, after, limit);
    },
  };
}

/** The caller's key was taken in the meantime; the transaction is undone. */
class Overtaken extends Error {}

/** Keyed, so that the hash of a short text cannot be guessed from the database alone. Throws ERR_MESSAGES_TEXT. */
function hashOf(request: MessageRequest, prepared: Prepared | undefined, storageKey: Uint8Array): Uint8Array {
  const { subject, body, facts } = request.content;
  const texts = [subject, body, ...facts.flatMap(({ name, value }) => [name, value])];
  if (!texts.every((text) => text.isWellFormed())) throw messagesError('ERR_MESSAGES_TEXT');
  const identity = prepared === undefined ? canonicalJson(request) : `alert ${prepared.identity}`;
  return sha256(concatBytes(utf8('sealpost/control/request/v1\n'), storageKey, utf8(identity)));
}

function highest(own: Classification, raised: Classification | undefined): Classification {
  return CLASSIFICATIONS.findLast((each) => each === own || each === raised) ?? own;
}
