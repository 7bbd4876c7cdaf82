/**
 * The rules an envelope must meet, one function each, in the order in which a sender can act on them. Pure: the same
 * envelope, bundle and facts always give the same answer.
 */
import { agentUri } from '@sealpost/crypto/verify';
import {
  CLASSIFICATIONS,
  type CompiledFlow,
  type Envelope,
  type KeyId,
  meetsFloor,
  type Organisation,
  type Timestamp,
} from '@sealpost/protocol';
import type { RefusalCode } from './envelopes-errors.ts';
import type { ConversationFacts } from './lookups.ts';

export interface RuleContext {
  readonly organisation: Organisation;
  readonly flow: CompiledFlow | undefined;
  readonly facts: ConversationFacts | undefined;
  readonly dispatchKey: KeyId;
  readonly now: Timestamp;
}

/** How far a sender's clock may be ahead of ours. */
const CLOCK_SKEW_MS = 120_000;

/** The first rule the envelope breaks; `undefined` when it may be stored. Blobs and frame are looked at elsewhere. */
export function refusalOf(envelope: Envelope, context: RuleContext): RefusalCode | undefined {
  const { flow } = context;
  if (envelope.organisation !== context.organisation) return 'ERR_ENVELOPES_ORGANISATION';
  if (flow === undefined) return 'ERR_ENVELOPES_FLOW';
  return (
    identityFault(envelope, flow) ??
    lifetimeFault(envelope, flow, context.now) ??
    partsFault(envelope, flow, context.dispatchKey) ??
    conversationFault(envelope, context)
  );
}

function identityFault(envelope: Envelope, flow: CompiledFlow): RefusalCode | undefined {
  if (envelope.sender !== flow.agent) return 'ERR_ENVELOPES_SENDER';
  if (envelope.floor !== flow.floor) return 'ERR_ENVELOPES_FLOOR';
  const rank = (name: Envelope['classification']) => CLASSIFICATIONS.indexOf(name);
  return rank(envelope.classification) < rank(flow.classification) ? 'ERR_ENVELOPES_FLOOR' : undefined;
}

function lifetimeFault({ created, expires }: Envelope, flow: CompiledFlow, now: Timestamp): RefusalCode | undefined {
  if (expires <= now) return 'ERR_ENVELOPES_EXPIRED';
  return created > now + CLOCK_SKEW_MS || expires > created + flow.expires ? 'ERR_ENVELOPES_LIFETIME' : undefined;
}

function partsFault({ parts }: Envelope, flow: CompiledFlow, dispatchKey: KeyId): RefusalCode | undefined {
  const seen = new Set<string>();
  let carries = false;
  for (const part of parts) {
    const route = part.form === 'device' ? 'device' : `${part.channel} ${part.use}`;
    if (seen.has(route)) return 'ERR_ENVELOPES_PARTS';
    seen.add(route);
    if (part.form === 'device') {
      if (!flow.ladder.some(({ adapter, use }) => adapter === 'app' && use === 'carry')) return 'ERR_ENVELOPES_ROUTE';
      carries = true;
      continue;
    }
    const steps = flow.ladder.filter(({ channel }) => channel === part.channel);
    if (steps.some(({ adapter }) => !meetsFloor(part.use, adapter, flow.floor))) return 'ERR_ROUTING_BELOW_FLOOR';
    if (!steps.some(({ use }) => use === part.use)) return 'ERR_ENVELOPES_ROUTE';
    if (part.key !== dispatchKey) return 'ERR_ENVELOPES_PARTS';
    carries ||= part.use === 'carry';
  }
  return carries ? undefined : 'ERR_ENVELOPES_PARTS';
}

function conversationFault(envelope: Envelope, { facts, organisation }: RuleContext): RefusalCode | undefined {
  if (facts === undefined) return 'ERR_ENVELOPES_CONVERSATION';
  if (facts.creator !== agentUri(organisation, envelope.sender)) return 'ERR_ENVELOPES_MEMBERSHIP';
  if (!facts.members.has(envelope.recipient)) return 'ERR_ENVELOPES_MEMBERSHIP';
  const device = envelope.parts.find((part) => part.form === 'device');
  return device === undefined || device.epoch === facts.epoch ? undefined : 'ERR_ENVELOPES_EPOCH';
}
