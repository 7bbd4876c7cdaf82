/** Who can read, in words: taken from the certificates of the conversation's members when the message came. */
import { parseUri } from '@sealpost/crypto/verify';
import type { DeviceIdentity } from '../device.ts';
import type { Reader } from './message-schema.ts';

export function readersInWords(readers: readonly Reader[], own: DeviceIdentity): string[] {
  return readers.map(({ uri, lapsed }) => `${words(uri, own)}${lapsed ? ' (its certificate has lapsed)' : ''}`);
}

function words(uri: string, own: DeviceIdentity): string {
  const named = parseUri(uri);
  if (named?.kind === 'agent') return `the agent ${named.agent} of ${named.organisation}, run by its control server`;
  if (named?.kind !== 'device') return uri;
  if (uri === own.uri) return `this device, ${named.device} of ${named.member}`;
  const whose = named.member === own.member ? `your device ${named.device}` : `the device ${named.device}`;
  return `${whose} of ${named.member}`;
}
