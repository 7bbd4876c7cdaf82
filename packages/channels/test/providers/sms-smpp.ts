/** `sms-smpp` against two SMSCs: the simulator's, which shares our codec, and Debian's Net::SMPP, which does not. */
import { peerAbsent, startPeer } from '../peers/net-smpp.ts';
import type { Condition, Provider, Stage } from '../stage.ts';
import { contextWith, createAdapter, files, PASSWORD, recordingSink, smsSettings, startCarriers } from '../stages.ts';

const ALICE = '+4915112345678';
const NO_LOOKUP = 'SMS has no answer for "this person is not on SMS"';

const FAULTS: Partial<Record<Condition, object>> = {
  busy: { kind: '429' },
  'busy-once': { kind: '503', count: 1 },
  failing: { kind: '500' },
  'silent-before-effect': { kind: 'timeout-before-effect' },
  'silent-after-effect': { kind: 'timeout-after-effect' },
  'link-dropped': { kind: 'reset' },
  'nonsense-after-effect': { kind: 'malformed' },
  'never-takes': { kind: '400' },
  'credentials-refused': { kind: 'unauthorized' },
  'connection-refused': { kind: 'refuse' },
  'receipt-twice': { kind: 'duplicate-receipt' },
  'receipt-early': { kind: 'early-receipt' },
  'receipt-late': { kind: 'late-receipt' },
  'receipt-unknown': { kind: 'unknown-receipt' },
};

async function openSimulator(condition: Condition): Promise<Stage | { cannot: string }> {
  if (condition === 'cannot-reach') return { cannot: NO_LOOKUP };
  if (condition !== 'fine' && FAULTS[condition] === undefined)
    return { cannot: `SMPP has no "${condition}", or the fake SMSC does not play it` };
  const carriers = await startCarriers();
  if (FAULTS[condition] !== undefined) await carriers.call('PUT', '/faults/smsc', FAULTS[condition]);
  const settings = smsSettings(carriers.smscPort);
  const sink = recordingSink();
  const adapter = createAdapter('sms-smpp', settings, contextWith());
  await adapter.start(sink);
  return {
    adapter,
    address: ALICE,
    receipts: sink.receipts,
    shown: () => carriers.shown(ALICE),
    release: () => carriers.call('DELETE', '/faults'),
    secrets: [PASSWORD],
    elsewhere: { name: 'sms-smpp', settings, files },
    close: () => carriers.stop(),
  };
}

/** The peer chooses by the destination's last digits (peers/smsc-with-receipts.pl). */
const DESTINATIONS: Partial<Record<Condition, string>> = {
  fine: '001',
  busy: '058',
  failing: '008',
  'silent-after-effect': '900',
  'link-dropped': '901',
  'never-takes': '011',
  'credentials-refused': '001',
  'connection-refused': '001',
  'receipt-twice': '902',
  'receipt-early': '903',
  'receipt-unknown': '904',
};

async function openPeer(condition: Condition): Promise<Stage | { cannot: string }> {
  if (condition === 'cannot-reach') return { cannot: NO_LOOKUP };
  const digits = DESTINATIONS[condition];
  if (digits === undefined) return { cannot: `the Net::SMPP peer does not play "${condition}"` };
  const peer = await startPeer();
  if (condition === 'connection-refused') await peer.stop();
  const readSecret = async () => new TextEncoder().encode('wrong');
  const context = condition === 'credentials-refused' ? contextWith({ readSecret }) : contextWith();
  const settings = smsSettings(peer.port);
  const sink = recordingSink();
  const adapter = createAdapter('sms-smpp', settings, context);
  await adapter.start(sink);
  return {
    adapter,
    address: `+4915112345${digits}`,
    receipts: sink.receipts,
    shown: async () => peer.taken().length,
    release: async () => undefined,
    secrets: [PASSWORD, 'wrong'],
    elsewhere: { name: 'sms-smpp', settings, files },
    close: () => peer.stop(),
  };
}

export const smsSmpp: Provider = {
  name: 'sms-smpp against the simulator',
  adapter: 'sms-smpp',
  open: openSimulator,
};
export const smsSmppPeer: Provider = {
  name: 'sms-smpp against Net::SMPP',
  adapter: 'sms-smpp',
  absent: peerAbsent(),
  open: openPeer,
};
