/** A message from outside as an adapter hands it over, made fit to be sealed and parsed once more. */
import { type Inbound, inboundSchema } from '@sealpost/protocol/carriage';

/**
 * Halves of surrogate pairs, as a vendor leaves them where it cuts a text, have no place in canonical JSON and become
 * U+FFFD. `undefined` when it is still beyond what is kept.
 */
export function legibleInbound(message: Inbound): Inbound | undefined {
  const copy: unknown = JSON.parse(JSON.stringify(message), (_member, value: unknown) =>
    typeof value === 'string' ? value.toWellFormed() : value,
  );
  return inboundSchema.safeParse(copy).data;
}
