/**
 * One payload of every kind a route may carry, for tests that hold for all of them.
 */
import type { Clear, Payload } from '@sealpost/protocol/carriage';

const clear = (change: Partial<Clear> = {}): Clear => ({
  kind: 'clear',
  text: 'Disk full on db1',
  suggestions: [],
  ...change,
});
const reply = { kind: 'reply', text: 'Acknowledge', data: 'ack:42' } as const;
const open = { kind: 'open', text: 'Open', url: 'https://inbox.example/m/42#key' } as const;

export const PAYLOADS = {
  notice: { kind: 'notice', text: 'Something is waiting for you', url: 'https://inbox.example/m/42' },
  link: { kind: 'link', text: 'A message for you', url: 'https://gate.example/s/42#half' },
  text: clear(),
  suggestions: clear({ suggestions: [reply, open] }),
  card: clear({ title: 'db1 is down', suggestions: [reply, open] }),
  file: clear({
    file: {
      name: 'chart.png',
      mediaType: 'image/png',
      source: { kind: 'url', url: 'https://files.example/chart.png' },
    },
  }),
  fileCard: clear({
    title: 'db1 is down',
    suggestions: [reply],
    file: {
      name: 'chart.png',
      mediaType: 'image/png',
      source: { kind: 'url', url: 'https://files.example/chart.png' },
    },
  }),
} as const satisfies Record<string, Payload>;

export const PAYLOAD_NAMES = Object.keys(PAYLOADS) as (keyof typeof PAYLOADS)[];
export { clear as clearOf, open as openLink, reply as replyButton };
