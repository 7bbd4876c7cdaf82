/**
 * Receipts of devices: signed statements about exactly one message's content. Taken only from a device of the message's
 * conversation, about the commitment the envelope carries; a repeat is no error and no second event.
 */
import { verifyJws } from '@sealpost/crypto/verify';
import type { Database } from '@sealpost/platform';
import { DEVICE_RECEIPT_TYPE, deviceReceiptSchema, type Envelope } from '@sealpost/protocol';
import type { Directory } from '../directory/index.ts';
import type { Groups } from '../groups/index.ts';
import type { Log } from '../log/index.ts';
import type { RefusalCode } from './delivery-errors.ts';
import type { DeviceId, Input } from './types.ts';

export interface ReceiptResult {
  readonly outcome: 'recorded' | 'duplicate' | 'refused';
  readonly code?: RefusalCode;
}

export interface ReceiptIntakeDeps {
  readonly database: Database;
  readonly organisation: string;
  readonly log: Pick<Log, 'envelope'>;
  readonly groups: Pick<Groups, 'devices'>;
  readonly directory: Pick<Directory, 'device'>;
  /** `false` when this device has said the same before. */
  readonly record: (envelope: Envelope, input: Input) => Promise<boolean>;
}

export function createReceiptIntake(
  deps: ReceiptIntakeDeps,
): (jws: string, device: DeviceId) => Promise<ReceiptResult> {
  const refused = (code: RefusalCode): ReceiptResult => ({ outcome: 'refused', code });
  return async (jws, device) => {
    const known = await deps.directory.device(device);
    if (known === undefined || !known.active) return refused('ERR_DELIVERY_RECEIPT_DEVICE');
    const verdict = await verifyJws(jws, {
      typ: DEVICE_RECEIPT_TYPE,
      key: known.publicJwk,
      schema: deviceReceiptSchema,
    });
    if (verdict.kind === 'refused') return refused('ERR_DELIVERY_RECEIPT_SIGNATURE');
    const receipt = verdict.payload;
    if (receipt.device !== device || receipt.organisation !== deps.organisation)
      return refused('ERR_DELIVERY_RECEIPT_DEVICE');
    const envelope = await deps.log.envelope(deps.database, receipt.message);
    if (envelope === undefined || !(await isInConversation(deps, envelope, device)))
      return refused('ERR_DELIVERY_RECEIPT_MESSAGE');
    if (receipt.conversation !== envelope.conversation || receipt.commitment !== envelope.commitment)
      return refused('ERR_DELIVERY_RECEIPT_CONTENT');
    const input: Input = { kind: 'device-receipt', device, receipt: receipt.kind, jws };
    return { outcome: (await deps.record(envelope, input)) ? 'recorded' : 'duplicate' };
  };
}

async function isInConversation(
  { groups, database }: ReceiptIntakeDeps,
  envelope: Envelope,
  device: DeviceId,
): Promise<boolean> {
  return (await groups.devices(database, envelope.conversation)).includes(device);
}
