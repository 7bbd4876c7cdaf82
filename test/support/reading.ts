/** Reading, as alice would: what tests wait for before they say what must not happen any more. */
import type { Stage } from '../../packages/cli/src/story/stage.ts';
import type { MessageId } from '../../packages/protocol/src/index.ts';
import { until } from './until.ts';

/** Read on the phone, which ends what the gateway does for it: nothing of it happens later, beside another test. */
export async function readOnPhone(stage: Stage, message: MessageId): Promise<void> {
  const { phone } = stage;
  await phone.connect();
  await until('the message on the phone', () => has(phone, message));
  await phone.open(message);
  const over = async () => (await stage.status(message)).timeline.some(({ event }) => event.kind === 'message.ended');
  await until('the end of the message', over);
  await phone.disconnect();
}

/** Whether a device has it and can read it. */
export async function has(device: Stage['phone'], message: string): Promise<boolean> {
  return (await device.inbox()).some((entry) => entry.message === message && entry.state !== 'unreadable');
}
