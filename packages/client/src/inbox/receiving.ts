/**
 * Taking what the device's queue holds, one item at a time. Whatever an item changes (MLS state, message, receipt, spent
 * key package) is stored together with the cursor in one write; only then may it be acknowledged. An item that comes
 * again finds the cursor, or its message, already there and changes nothing.
 */
import type { GroupState, MlsEngine } from '@sealpost/crypto/mls';
import { envelopeId } from '@sealpost/crypto/verify';
import {
  type ConversationId,
  type Envelope,
  fromBase64url,
  fromUtf8,
  type MessageId,
  SealpostError,
  type SyncItem,
  syncItemSchema,
  utf8,
} from '@sealpost/protocol';
import type { ClientErrorCode } from '../client-errors.ts';
import type { Conversations } from '../conversations/conversations.ts';
import type { DeviceChange } from '../device.ts';
import type { VerifiedIdentity } from '../enrollment/verified-identity.ts';
import type { KeyPackages } from '../key-packages/key-packages.ts';
import type { DeviceStore } from '../store/store.ts';
import type { ClientSurroundings } from '../surroundings.ts';
import { checkEnvelope } from './check-envelope.ts';
import { damagedEnvelope } from './damaged-envelope-schema.ts';
import { encodeMessage, messageName, type Reader, type StoredMessage } from './message-schema.ts';
import { findMessage } from './messages.ts';
import { receiptChange } from './receipts.ts';

export interface ReceivingDeps {
  readonly store: DeviceStore;
  readonly engine: MlsEngine;
  readonly verified: VerifiedIdentity;
  readonly conversations: Conversations;
  readonly keyPackages: Pick<KeyPackages, 'bundles' | 'spend'>;
  readonly surroundings: ClientSurroundings;
}

export interface Receiving {
  /** Everything up to here is stored. */
  cursor(): Promise<number>;
  /** Resolves once the item is stored; answers what to tell. Throws when it could not be stored: then nothing has happened. */
  take(cursor: number, item: unknown): Promise<readonly DeviceChange[]>;
}

/** What one item changes. */
interface Step {
  readonly changes: readonly (readonly [string, Uint8Array | null])[];
  readonly states: ReadonlyMap<ConversationId, GroupState | undefined>;
  readonly tell: readonly DeviceChange[];
}

const CURSOR = 'cursor';
const NOTHING: Step = { changes: [], states: new Map(), tell: [] };

export function createReceiving(deps: ReceivingDeps): Receiving {
  const { store, conversations } = deps;
  const cursor = async () => {
    const stored = await store.read(CURSOR);
    return stored === undefined ? 0 : Number(fromUtf8(stored));
  };
  return {
    cursor,
    async take(at, item) {
      if (at <= (await cursor())) return [];
      const step = await stepFor(deps, at, item);
      try {
        await store.write(new Map([...step.changes, [CURSOR, utf8(String(at))]]));
      } catch (error) {
        conversations.forget();
        throw error;
      }
      conversations.adopt(step.states);
      return step.tell;
    },
  };
}

async function stepFor(deps: ReceivingDeps, cursor: number, raw: unknown): Promise<Step> {
  const item = syncItemSchema.safeParse(raw);
  if (!item.success) return takeDamaged(deps, cursor, raw);
  switch (item.data.kind) {
    case 'welcome':
      return takeWelcome(deps, item.data);
    case 'commit':
      return takeCommit(deps, item.data);
    case 'envelope':
      return takeEnvelope(deps, cursor, item.data);
  }
}

const problem = (code: string): Step => ({ ...NOTHING, tell: [{ kind: 'problem', code }] });

async function takeWelcome(deps: ReceivingDeps, item: Extract<SyncItem, { kind: 'welcome' }>): Promise<Step> {
  const { engine, verified, conversations, keyPackages, surroundings } = deps;
  const [welcome, tree] = [fromBase64url(item.message), fromBase64url(item.ratchetTree)];
  if (welcome === undefined || tree === undefined) return problem('ERR_CLIENT_WELCOME');
  const joined = await joinWith(() =>
    keyPackages.bundles().then((own) => engine.join(welcome, tree, own, verified.mls, surroundings.now())),
  );
  if (joined === undefined || joined.state.conversation !== item.conversation) return problem('ERR_CLIENT_WELCOME');
  const current = await conversations.state(item.conversation);
  // A package of last resort joins again what it joined before; going back would lose keys in use.
  if (current !== undefined && joined.state.epoch <= current.epoch) return NOTHING;
  return {
    changes: [conversations.change(item.conversation, joined.state), ...(await keyPackages.spend(joined.used))],
    states: new Map([[item.conversation, joined.state]]),
    tell: [],
  };
}

/** What a peer can cause is not our failure: the invitation is void. */
async function joinWith<T>(join: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await join();
  } catch (error) {
    if (error instanceof SealpostError && error.code.startsWith('ERR_MLS_') && error.kind === 'integrity')
      return undefined;
    throw error;
  }
}

async function takeCommit(deps: ReceivingDeps, item: Extract<SyncItem, { kind: 'commit' }>): Promise<Step> {
  const { engine, conversations, surroundings } = deps;
  const state = await conversations.state(item.conversation);
  const commit = fromBase64url(item.message);
  if (state === undefined || commit === undefined) return problem('ERR_CLIENT_COMMIT');
  // Joined in a later epoch than this commit leads from: it is part of the state already.
  if (BigInt(item.epoch) < state.epoch) return NOTHING;
  const received = await engine.receive(state, commit, surroundings.now());
  if (received.kind !== 'commit' && received.kind !== 'removed') return problem('ERR_CLIENT_COMMIT');
  const next = received.kind === 'commit' ? received.next : undefined;
  return {
    changes: [conversations.change(item.conversation, next)],
    states: new Map([[item.conversation, next]]),
    tell: [],
  };
}

async function takeEnvelope(
  deps: ReceivingDeps,
  cursor: number,
  { message, envelope }: Extract<SyncItem, { kind: 'envelope' }>,
): Promise<Step> {
  const { store, engine, verified, conversations, surroundings } = deps;
  const known = await findMessage(store, message);
  if (known !== undefined) return known.envelope === envelopeId(envelope) ? NOTHING : problem('ERR_CLIENT_CONFLICT');
  const state = await conversations.state(envelope.conversation);
  const now = surroundings.now();
  const verdict = await checkEnvelope(envelope, { engine, identity: verified.identity, state, message, now });
  const states = new Map(verdict.next === undefined ? [] : [[envelope.conversation, verdict.next]]);
  const mls = [...states].map(([conversation, next]) => conversations.change(conversation, next));
  const facts = factsOf(message, envelope, cursor, now);
  if (verdict.kind === 'refused') {
    const step = await unreadable(deps, facts, verdict.code);
    return { ...step, states, changes: [...step.changes, ...mls] };
  }
  const { content, sender, next } = verdict;
  const readers = await readersOf(engine, next, now);
  const stored: StoredMessage = { ...facts, state: 'received', sender, content, readers };
  const receipt = await receiptChange('delivered', facts, verified, now);
  return {
    changes: [...mls, [messageName(message), encodeMessage(stored)], receipt],
    states,
    tell: [{ kind: 'received', message }],
  };
}

function factsOf(message: MessageId, envelope: Envelope, cursor: number, now: number) {
  const { conversation, flow, created, commitment } = envelope;
  return {
    message,
    conversation,
    flow,
    receivedAt: now,
    sentAt: created,
    commitment,
    envelope: envelopeId(envelope),
    cursor,
  };
}

async function unreadable(
  { verified, surroundings }: ReceivingDeps,
  facts: Omit<StoredMessage, 'state'> & ReturnType<typeof factsOf>,
  code: ClientErrorCode,
): Promise<Step> {
  const { message } = facts;
  const receipt = await receiptChange('unreadable', facts, verified, surroundings.now());
  const stored: StoredMessage = { ...facts, state: 'unreadable', code };
  return {
    ...NOTHING,
    changes: [[messageName(message), encodeMessage(stored)], receipt],
    tell: [{ kind: 'unreadable', message, code }],
  };
}

/** An item no schema takes: an envelope that still says what it was for gets its receipt; anything else is only told. */
async function takeDamaged(deps: ReceivingDeps, cursor: number, raw: unknown): Promise<Step> {
  const found = damagedEnvelope(raw);
  if (found === undefined) return problem('ERR_CLIENT_FRAME');
  if ((await findMessage(deps.store, found.message)) !== undefined) return problem('ERR_CLIENT_CONFLICT');
  return unreadable(deps, { ...found, receivedAt: deps.surroundings.now(), cursor }, 'ERR_CLIENT_ENVELOPE');
}

async function readersOf(engine: MlsEngine, state: GroupState, now: number): Promise<Reader[]> {
  const members = await engine.members(state, now);
  return members.map(({ credential, lapsed }) => ({ uri: credential.uri, lapsed: lapsed === true }));
}
