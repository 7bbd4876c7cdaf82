/** The bundle of a run as files: `agents` agents, each with a flow whose notice goes over RCS and one by SMS; and alerts. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';

export const CHANNELS = [
  { short: 'rcs', channel: 'rcs-main', adapter: 'rcs-google' },
  { short: 'sms', channel: 'sms-main', adapter: 'sms-smpp' },
] as const;

/** Where the provider ignores a repeat of an attempt. */
export const DEDUPLICATING: readonly string[] = ['rcs-main'];

const POLICY = `@id("applications-on-their-flows")
permit (principal is Application, action == Action::"send", resource is Flow)
when { principal.flows.contains(resource) };

@id("alert-senders-on-their-flow")
permit (principal is AlertSender, action == Action::"send-alert", resource is Flow)
when { principal.flow == resource && principal.to == context.to };
`;

/** Answers `folder`. */
export function writeManifests(folder: string, agents: number, simulator: number): string {
  mkdirSync(folder, { recursive: true });
  const at = Array.from({ length: agents }, (_, index) => index);
  const objects = [
    manifest('Channel', 'app', { adapter: 'app' }),
    ...CHANNELS.map(({ channel, adapter }) => manifest('Channel', channel, { adapter })),
    ...at.map((index) => manifest('Agent', `agent-${index}`, { displayName: `Agent ${index}` })),
    ...at.flatMap((index) =>
      CHANNELS.map(({ short, channel }) => manifest('Flow', `${short}-${index}`, flow(index, channel))),
    ),
    manifest('Flow', 'alerts', alerts(simulator)),
  ];
  writeFileSync(join(folder, 'all.yaml'), objects.map((object) => stringify(object)).join('---\n'));
  writeFileSync(join(folder, 'all.cedar'), POLICY);
  return folder;
}

function manifest(kind: string, name: string, spec: object): object {
  return { apiVersion: 'sealpost/v1', kind, metadata: { name }, spec };
}

const common = { classification: 'internal', floor: 'e2ee', expires: '4h' };

function flow(index: number, channel: string): object {
  return {
    ...common,
    purpose: 'Messages that must survive every kill',
    agent: `agent-${index}`,
    ladder: [
      { channel: 'app', use: 'carry' },
      { channel, use: 'notice' },
    ],
    notice: { text: 'A message is waiting for you in Sealpost.', url: 'http://127.0.0.1:4400/' },
  };
}

/** With a link to fetch, so that blobs are stored too. */
function alerts(simulator: number): object {
  return {
    ...common,
    purpose: 'Alerts with a picture',
    agent: 'agent-0',
    ladder: [{ channel: 'app', use: 'carry' }],
    links: {
      annotations: ['picture'],
      hosts: [{ host: '127.0.0.1', port: simulator, private: true }],
      types: ['image/png'],
      maxBytes: 5_000_000,
      timeout: '3s',
    },
  };
}
