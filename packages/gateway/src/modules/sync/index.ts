/**
 * Sync: the device's WebSocket (protocol/sync.ts). It proves the device by a signed challenge, sends its queue as far as
 * credit reaches, takes acknowledgements and receipts, and ends at once on anything else. Owns the table sync_session.
 */
export type { ReceiptIntake, ReceiptOutcome } from './receipt-intake.ts';
export { createSync, type Sync, type SyncDeps } from './sync.ts';
