/**
 * Puts the parts of concatenated messages together, as the phone does: by sender, recipient, reference and total. A part
 * that comes twice replaces itself.
 */
import type { IssuedId } from './message-ids.ts';
import type { Submit } from './submit-schema.ts';

export interface WholeMessage {
  readonly submit: Submit;
  readonly text: string;
  /** The ids of those parts that asked for a receipt. */
  readonly receiptIds: readonly IssuedId[];
  readonly id: string;
}

/** Takes one submit; answers the whole message once nothing is missing. */
export function createReassembly(): (submit: Submit, id: IssuedId) => WholeMessage | undefined {
  const partial = new Map<string, Map<number, { submit: Submit; id: IssuedId }>>();
  return (submit, id) => {
    const { concatenation } = submit;
    if (concatenation === undefined) return whole([{ submit, id }]);
    const key = [submit.source, submit.destination, concatenation.reference, concatenation.total].join(' ');
    const parts = partial.get(key) ?? new Map<number, { submit: Submit; id: IssuedId }>();
    partial.set(key, parts.set(concatenation.part, { submit, id }));
    if (parts.size < concatenation.total) return undefined;
    partial.delete(key);
    return whole([...parts].sort(([left], [right]) => left - right).map(([, part]) => part));
  };
}

function whole(parts: readonly { submit: Submit; id: IssuedId }[]): WholeMessage | undefined {
  const last = parts.at(-1);
  if (last === undefined) return undefined;
  return {
    submit: last.submit,
    text: parts.map(({ submit }) => submit.text).join(''),
    receiptIds: parts.flatMap(({ submit, id }) => (submit.wantsReceipt ? [id] : [])),
    id: last.id.inResponse,
  };
}
