/**
 * Intake of submissions. Each envelope is judged alone: a refused one leaves its neighbours as they are. A repeat of what
 * was accepted is answered as a duplicate with the same receipt, even when the rules of today would refuse it.
 */
import type { Signer } from '@sealpost/crypto/signer';
import { verifySubmission } from '@sealpost/crypto/verify';
import type { Surroundings } from '@sealpost/platform';
import {
  type Envelope,
  type EnvelopeId,
  type MessageId,
  type Submission,
  type SubmissionResult,
  type Trust,
  toBase64url,
  utf8,
} from '@sealpost/protocol';
import { bytesOfBase64url } from '../../platform/base64url.ts';
import { reached } from '../../points.ts';
import type { Bundles } from '../bundle/index.ts';
import { type Log, laneOf, logError, prepareEvent } from '../log/index.ts';
import type { Draft } from './accept-statement.ts';
import { envelopesError, type RefusalCode, refusalError } from './envelopes-errors.ts';
import { frameFault } from './frame.ts';
import type { GroupCommit, Stored } from './group-commit.ts';
import type { Lookups } from './lookups.ts';
import { signReceipt } from './receipts.ts';
import { refusalOf } from './rules.ts';

export interface EnvelopesDeps {
  readonly log: Log;
  readonly bundles: Bundles;
  readonly lookups: Lookups;
  readonly groupCommit: GroupCommit;
  readonly trust: Trust;
  readonly surroundings: Surroundings;
  /** Signs accepted receipts; the key `gateway.receipts` of the trust file. */
  readonly receipts: Signer;
  /** The checkpoint origin receipts name. */
  readonly origin: string;
}

export interface Envelopes {
  /** Answers when everything accepted is committed. Throws when the submission as a whole, or each of its envelopes, is refused. */
  submit(submission: Submission): Promise<SubmissionResult>;
}

type Verdict =
  | { readonly outcome: 'accepted' | 'duplicate'; readonly envelope: EnvelopeId; readonly receipt: string }
  | { readonly outcome: 'refused'; readonly envelope: EnvelopeId; readonly code: RefusalCode };

interface Item {
  readonly envelope: Envelope;
  readonly id: EnvelopeId;
}

export function createEnvelopes(deps: EnvelopesDeps): Envelopes {
  const { log, bundles, lookups, groupCommit, trust, surroundings } = deps;

  const verifiedItems = async (submission: Submission): Promise<Item[]> => {
    const verdict = await verifySubmission(submission, {
      keys: (id) => (id === trust.control.submit.id ? trust.control.submit.jwk : undefined),
      audience: trust.gateway.audience,
      now: surroundings.now(),
    });
    if (verdict.kind === 'ok') {
      return submission.envelopes.flatMap(({ envelope }, at) => {
        const id = verdict.ids[at];
        return id === undefined ? [] : [{ envelope, id }];
      });
    }
    if (verdict.code === 'expired') throw envelopesError('ERR_ENVELOPES_STALE');
    const pointer = verdict.index === undefined ? '/statement' : `/envelopes/${verdict.index}`;
    throw envelopesError('ERR_ENVELOPES_SIGNATURE', { details: [{ pointer, detail: verdict.code }] });
  };

  const requireHealthyLog = () => {
    if (!log.healthy(surroundings.now())) throw logError('ERR_LOG_STALLED', { retryAfter: 1 });
  };

  /** One code an envelope, `undefined` for those that may be stored. */
  const judge = async (items: readonly Item[], version: number): Promise<(RefusalCode | undefined)[]> => {
    const running = await bundles.fresh(version);
    const now = surroundings.now();
    if (running === undefined || running.bundle.expires <= now) throw envelopesError('ERR_ENVELOPES_NO_BUNDLE');
    if (running.bundle.version !== version) return items.map(() => 'ERR_ENVELOPES_BUNDLE');
    const conversations = [...new Set(items.map(({ envelope }) => envelope.conversation))];
    const blobs = [...new Set(items.flatMap(({ envelope }) => envelope.blobs))];
    const facts = await lookups.conversations(conversations);
    const missing = blobs.length === 0 ? new Set() : await lookups.missingBlobs(blobs);
    return items.map(({ envelope }) => {
      const context = {
        organisation: trust.organisation,
        flow: bundles.flow(envelope.flow),
        facts: facts.get(envelope.conversation),
        dispatchKey: trust.dispatch.id,
        now,
      };
      const refusal = refusalOf(envelope, context) ?? frameFault(envelope);
      return refusal ?? (envelope.blobs.some((id) => missing.has(id)) ? 'ERR_ENVELOPES_BLOB' : undefined);
    });
  };

  const draftOf = ({ envelope, id }: Item, salt: Uint8Array): Draft => ({
    envelope,
    id: bytesOfBase64url(id) ?? new Uint8Array(),
    body: utf8(JSON.stringify(envelope)),
    lane: laneOf(envelope.conversation),
    prepared: prepareEvent(acceptedEvent(envelope, id, surroundings.now()), () => salt),
  });

  const promise = async (stored: Stored, { id, envelope }: Item): Promise<Verdict> => {
    if (stored.outcome === 'conflict') return { outcome: 'refused', envelope: id, code: 'ERR_ENVELOPES_CONFLICT' };
    const promised = { envelope: id, message: envelope.message, place: stored.place };
    const receipt = await signReceipt(promised, deps.origin, deps.receipts);
    return { outcome: stored.outcome, envelope: id, receipt };
  };

  const accept = async (items: readonly Item[], codes: readonly (RefusalCode | undefined)[]): Promise<Verdict[]> => {
    reached('envelopes.judged');
    const salts = surroundings.random(32 * items.length);
    const repeats = await repeatsAmong(items.filter((_, at) => codes[at] !== undefined));
    return await Promise.all(
      items.map(async (item, at) => {
        const code = codes[at];
        const repeat = repeats.get(item.envelope.message);
        if (repeat !== undefined) return await promise(repeat, item);
        if (code !== undefined) return { outcome: 'refused', envelope: item.id, code };
        const salt = salts.slice(32 * at, 32 * at + 32);
        return await promise(await groupCommit.accept(draftOf(item, salt)), item);
      }),
    );
  };

  const repeatsAmong = async (refused: readonly Item[]): Promise<Map<MessageId, Stored>> => {
    const repeats = new Map<MessageId, Stored>();
    if (refused.length === 0) return repeats;
    const known = await groupCommit.known(refused.map(({ envelope }) => envelope.message));
    for (const { envelope, id } of refused) {
      const place = known.get(envelope.message);
      const same = place !== undefined && toBase64url(place.id) === id;
      // Also after expiry: as long as the row is there, "refused" must mean that it was never taken.
      if (same) repeats.set(envelope.message, { outcome: 'duplicate', place });
    }
    return repeats;
  };

  return {
    async submit(submission) {
      const items = await verifiedItems(submission);
      requireHealthyLog();
      const codes = await judge(items, submission.statement.bundle);
      const results = await accept(items, codes);
      requireOneStored(results);
      return { results };
    },
  };
}

/** When nothing was stored the caller gets the first reason as a problem. */
function requireOneStored(results: readonly Verdict[]): void {
  const [first] = results;
  if (first?.outcome === 'refused' && results.every(({ outcome }) => outcome === 'refused')) {
    throw refusalError(first.code, 0);
  }
}

function acceptedEvent(envelope: Envelope, id: EnvelopeId, at: number) {
  const { message, conversation, recipient, flow, bundle, floor, expires, commitment } = envelope;
  return {
    v: 1,
    kind: 'message.accepted',
    at,
    message,
    envelope: id,
    conversation,
    recipient,
    flow,
    bundle,
    floor,
    expires,
    commitment,
  } as const;
}
