/**
 * One letter after another: opened with control's inbound key, taken once by its name, told to the subscribers of the flows
 * that write through its vendor, and acknowledged only after all that is committed. A letter that cannot be opened or is of
 * another organisation is dropped and counted: it would come again for ever.
 */
import { type InboundVerdict, openInbound, type UnwrappingKey } from '@sealpost/crypto/open';
import { sha256 } from '@sealpost/crypto/verify';
import type { Database, Logger, Sql, Surroundings } from '@sealpost/platform';
import {
  type AddressKind,
  addressKindOf,
  type CompiledFlow,
  canonicalBytes,
  type gatewayApi,
  type Organisation,
  vendorsOf,
} from '@sealpost/protocol';
import type { InboundContent, SealedInbound } from '@sealpost/protocol/carriage';
import type { GatewayClient } from '../../gateway/gateway-client.ts';
import { reached } from '../../points.ts';
import { createWorker, type Worker } from '../../worker.ts';
import type { Consent } from '../consent/index.ts';
import type { Flows } from '../flows/index.ts';
import type { Subscriptions } from '../subscriptions/index.ts';

type Letter = gatewayApi.InboundAnswer['inbound'][number];

export interface InboundDeps {
  readonly database: Database;
  readonly gateway: Pick<GatewayClient, 'inbound' | 'acknowledgeInbound'>;
  readonly consent: Consent;
  readonly flows: Pick<Flows, 'current'>;
  readonly subscriptions: Pick<Subscriptions, 'publish'>;
  readonly organisation: Organisation;
  readonly key: UnwrappingKey;
  readonly surroundings: Pick<Surroundings, 'now'>;
  readonly logger: Logger;
}

const AT_ONCE = 50;
/** How long a stop may have to wait for it. */
const WAIT = 1000;
const REST = 1000;
/** Longer than the gateway keeps names: whatever it may tell twice is known here. */
const NAMES_KEPT = 30 * 86_400_000;

export function createInbound(deps: InboundDeps): Worker {
  const { gateway, logger } = deps;
  const work = async () => {
    const letters = await gateway.inbound(-1, AT_ONCE, WAIT);
    for (const letter of letters) {
      await take(letter, deps);
      reached('inbound.taken');
      await gateway.acknowledgeInbound(letter.position);
    }
    return true;
  };
  return createWorker({ name: 'inbound', work, rest: REST, logger });
}

async function take(letter: Letter, deps: InboundDeps): Promise<void> {
  const { database, organisation, key, logger } = deps;
  const verdict: InboundVerdict = await openInbound(letter, key, { organisation, vendor: letter.vendor });
  if (verdict.kind === 'refused') {
    logger.warn('inbound dropped', { vendor: letter.vendor, reason: verdict.reason });
    return;
  }
  const { message } = verdict;
  await database.transaction(async (tx) => {
    if (!(await isFirst(tx, message, deps.surroundings.now()))) return;
    const speakers = speakersOf(message, deps.flows.current()?.bundle.flows ?? []);
    await heed(tx, message, speakers, deps);
    await tell(tx, message, letter, speakers, deps);
  });
}

interface Speakers {
  readonly flows: readonly string[];
  readonly agents: readonly string[];
  readonly kind: AddressKind;
}

/** Who writes through a vendor by the running bundle, and what its addresses are. */
function speakersOf({ vendor, inbound: { address } }: SealedInbound, flows: readonly CompiledFlow[]): Speakers {
  const rungs = flows.flatMap((flow) =>
    flow.ladder.flatMap((rung) =>
      vendorsOf(rung).flatMap((each) => (each.vendor === vendor ? [{ flow, adapter: each.adapter }] : [])),
    ),
  );
  const adapter = rungs[0]?.adapter;
  return {
    flows: [...new Set(rungs.map(({ flow }) => flow.name))],
    agents: [...new Set(rungs.map(({ flow }) => flow.agent))],
    kind: adapter === undefined ? kindOfText(address) : addressKindOf(adapter),
  };
}

/** Of a vendor no running flow names. */
function kindOfText(address: string): AddressKind {
  if (/^\+?\d{5,15}$/.test(address)) return 'phone';
  return address.includes('@') ? 'email' : 'handle';
}

async function heed(tx: Sql, { inbound }: SealedInbound, { agents, kind }: Speakers, { consent }: InboundDeps) {
  const address = { kind, address: inbound.address };
  if (inbound.content.kind === 'opt-out') await consent.suppress(tx, address, agents);
  if (inbound.content.kind === 'opt-in') await consent.lift(tx, address, agents);
}

async function tell(
  tx: Sql,
  { vendor, inbound }: SealedInbound,
  { received }: Letter,
  { flows, kind }: Speakers,
  { consent, subscriptions }: InboundDeps,
): Promise<void> {
  const from = consent.pseudonym({ kind, address: inbound.address });
  await subscriptions.publish(
    tx,
    { flows },
    {
      type: TYPES[inbound.content.kind],
      subject: from,
      at: inbound.at ?? received,
      data: {
        vendor,
        from,
        ...(inbound.about === undefined ? {} : { about: inbound.about }),
        content: inbound.content,
      },
    },
  );
}

const TYPES = {
  text: 'sealpost.message.replied',
  suggestion: 'sealpost.message.suggestion',
  file: 'sealpost.message.file',
  'opt-out': 'sealpost.message.opted-out',
  'opt-in': 'sealpost.message.opted-in',
} as const satisfies Readonly<Record<InboundContent['kind'], string>>;

/** Old names go in the same breath. */
async function isFirst(tx: Sql, { vendor, inbound }: SealedInbound, now: number): Promise<boolean> {
  await tx.query('inbound-forget', 'DELETE FROM inbound_taken WHERE taken_at < $1', [now - NAMES_KEPT]);
  const text = 'INSERT INTO inbound_taken (name, taken_at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING taken_at';
  const name = sha256(canonicalBytes({ vendor, id: inbound.id }));
  return (await tx.query('inbound-take', text, [name, now])).length === 1;
}
