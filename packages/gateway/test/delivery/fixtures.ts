/** One accepted message of the demo's flow, as the machine sees it. */
import {
  type AttemptId,
  attemptIdSchema,
  type CompiledFlow,
  type EventOf,
  eventSchema,
  messageIdSchema,
} from '@sealpost/protocol';

export const STARTED = 1_800_000_000_000;
export const MESSAGE = messageIdSchema.parse('01a2b3c4-d5e6-7f80-8123-456789abcdef');

const accepted = {
  v: 1,
  kind: 'message.accepted',
  at: STARTED,
  message: MESSAGE,
  envelope: 'A'.repeat(43),
  conversation: `con_${'A'.repeat(22)}`,
  recipient: 'alice',
  flow: 'incident-alerts',
  bundle: 1,
  floor: 'e2ee',
  expires: STARTED + 14_400_000,
  commitment: 'A'.repeat(43),
};
export const ACCEPTED = eventSchema.parse(accepted) as EventOf<'message.accepted'>;

export const FLOW = {
  name: 'incident-alerts',
  purpose: 'Incident notifications',
  agent: 'acme-incidents',
  classification: 'confidential',
  floor: 'e2ee',
  ladder: [
    { channel: 'app', adapter: 'app', use: 'carry', after: 0 },
    { channel: 'rcs-main', adapter: 'rcs-google', use: 'notice', after: 2000 },
    { channel: 'sms-main', adapter: 'sms-smpp', use: 'notice', after: 4000 },
  ],
  inspection: [],
  expires: 14_400_000,
} as unknown as CompiledFlow;

export function attemptIds(): () => AttemptId {
  let next = 0;
  return () => attemptIdSchema.parse(`00000000-0000-4000-8000-${String(next++).padStart(12, '0')}`);
}
