/** What sync asks of delivery: to take one signed receipt of the device that is connected. */
import type { DeviceId } from '@sealpost/protocol';

export interface ReceiptOutcome {
  readonly outcome: 'recorded' | 'duplicate' | 'refused';
  /** Why it was refused. */
  readonly code?: string | undefined;
}

export interface ReceiptIntake {
  /** Answers `refused` for a receipt that does not verify; throws only when it could not be decided. */
  deviceReceipt(jws: string, device: DeviceId): Promise<ReceiptOutcome>;
}
