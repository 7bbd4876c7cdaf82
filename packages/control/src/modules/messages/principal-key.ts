/** The name under which a caller's idempotency keys and messages are kept; kinds never share one. */
import type { Principal } from '@sealpost/protocol';

export function principalKey(principal: Principal): string {
  switch (principal.kind) {
    case 'application':
    case 'alert-sender':
      return `${principal.kind}:${principal.id}`;
    case 'approver':
      return `approver:${principal.key}`;
  }
}
