/** Group state at rest: sealed under a storage key, bound to the conversation, the epoch and what it is. */
import { openState } from '@sealpost/crypto/open';
import { sealState } from '@sealpost/crypto/seal';
import type { ConversationId } from '@sealpost/protocol';
import { agentsError } from './agents-errors.ts';

const FORMAT = 1;

export interface Place {
  readonly conversation: ConversationId;
  readonly epoch: number;
  readonly kind: 'snapshot' | 'ratchet' | 'post';
}

const purposeOf = ({ conversation, epoch, kind }: Place) => `sealpost/control/agent/${conversation}/${epoch}/${kind}`;

export function close(state: Uint8Array, key: Uint8Array, place: Place): Promise<Uint8Array> {
  return sealState(state, key, { purpose: purposeOf(place), version: FORMAT });
}

/** Throws ERR_AGENTS_STATE for bytes that were not sealed so, for this place. */
export async function open(sealed: Uint8Array, key: Uint8Array, place: Place): Promise<Uint8Array> {
  const opened = await openState(new Uint8Array(sealed), key, { purpose: purposeOf(place), version: FORMAT });
  if (opened.kind === 'refused') throw agentsError('ERR_AGENTS_STATE');
  return opened.state;
}
