/**
 * The architecture as tables: which package may import which, which module which, and the walls between the zones
 * (DESIGN section 4). `scripts/deps.ts` checks them on imports, `scripts/build.ts` on the finished bundles.
 */

/** Package → packages it may import. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  tlog: ['protocol'],
  crypto: ['protocol'],
  platform: ['protocol', 'crypto'],
  client: ['protocol', 'tlog', 'crypto'],
  channels: ['protocol'],
  simulator: ['protocol', 'crypto', 'platform'],
  gateway: ['protocol', 'tlog', 'crypto', 'platform', 'channels'],
  control: ['protocol', 'tlog', 'crypto', 'platform', 'client'],
  web: ['protocol', 'tlog', 'crypto', 'client'],
  cli: ['protocol', 'tlog', 'crypto', 'platform', 'client', 'channels', 'simulator', 'gateway', 'control', 'web'],
};

/** Package → its modules; a module imports only modules further left, and only through their door. */
export const MODULES: Readonly<Record<string, readonly string[]>> = {
  gateway: ['log', 'bundle', 'directory', 'groups', 'blobs', 'routing', 'delivery', 'envelopes', 'sync', 'inbound'],
  control: [
    'identity',
    'consent',
    'flows',
    'policy',
    'enrollment',
    'inspection',
    'witness',
    'agents',
    'messages',
    'alerts',
    'subscriptions',
    'inbound',
  ],
};

export interface Wall {
  readonly name: string;
  /** Files it holds for: a prefix of paths, or one entry whose whole reach counts. */
  readonly from: string;
  readonly to: readonly string[];
  readonly why: string;
}

const crypto = (...doors: string[]) => doors.map((door) => `packages/crypto/src/${door}/`);

/** What can never be reached, through however many imports. */
export const WALLS: readonly Wall[] = [
  {
    name: 'gateway-cannot-open',
    from: 'packages/gateway/src/main.ts',
    to: [...crypto('mls', 'open', 'dispatch', 'split', 'threshold'), 'packages/channels/', 'packages/client/'],
    why: 'the gateway carries what it cannot open, and speaks to no provider',
  },
  {
    name: 'dispatcher-opens-only-carriers',
    from: 'packages/gateway/src/dispatcher/main.ts',
    to: [...crypto('mls', 'open', 'split', 'threshold'), 'packages/client/'],
    why: 'the dispatcher opens one carrier form and never content for devices',
  },
  {
    name: 'channels-hold-no-keys',
    from: 'packages/channels/src/index.ts',
    to: ['packages/crypto/'],
    why: 'an adapter knows one provider and no cryptography',
  },
  {
    name: 'gateway-never-sees-content',
    from: 'packages/gateway/src/main.ts',
    to: ['packages/protocol/src/content/'],
    why: 'what people author is not the gateway’s business',
  },
  {
    name: 'dispatcher-never-sees-content',
    from: 'packages/gateway/src/dispatcher/main.ts',
    to: ['packages/protocol/src/content/'],
    why: 'what people author is not the dispatcher’s business',
  },
  {
    name: 'channels-never-see-content',
    from: 'packages/channels/src/index.ts',
    to: ['packages/protocol/src/content/'],
    why: 'an adapter is handed what the route may carry',
  },
  {
    name: 'simulator-never-sees-content',
    from: 'packages/simulator/src/main.ts',
    to: ['packages/protocol/src/content/', 'packages/channels/'],
    why: 'a carrier sees only what it is sent, and is not our own adapter turned round',
  },
  {
    name: 'framing-opens-nothing',
    from: 'packages/crypto/src/framing/index.ts',
    to: [...crypto('mls', 'open', 'dispatch')],
    why: 'the gateway’s MLS door reads public headers',
  },
  {
    name: 'platform-decides-nothing',
    from: 'packages/platform/src/index.ts',
    to: [...crypto('mls', 'open', 'dispatch', 'threshold'), 'packages/protocol/src/content/'],
    why: 'what all servers share holds no business and opens nothing',
  },
  {
    name: 'console-holds-no-device',
    from: 'packages/web/src/console/main.tsx',
    to: [...crypto('mls', 'open', 'dispatch'), 'packages/client/', 'packages/web/src/inbox/'],
    why: 'what operators run verifies and shows; keys of a device and what it opened are in the inbox’s origin',
  },
  {
    name: 'inbox-is-no-console',
    from: 'packages/web/src/inbox/main.tsx',
    to: ['packages/web/src/console/', ...crypto('dispatch')],
    why: 'an operator page never runs in the inbox’s origin',
  },
  {
    name: 'carrier-page-holds-nothing',
    from: 'packages/web/src/carrier/main.tsx',
    to: ['packages/crypto/', 'packages/client/', 'packages/protocol/src/content/'],
    why: 'the carrier’s page shows what a carrier has: no keys, no content',
  },
  {
    name: 'frame-holds-nothing',
    from: 'packages/web/src/frame/main.tsx',
    to: ['packages/crypto/', 'packages/client/', 'packages/protocol/src/content/'],
    why: 'the frame shows three origins and belongs to none of their zones',
  },
];

/** Deployables: what `npm run build` bundles, with the SQL that goes beside each. */
export const DEPLOYABLES = [
  { name: 'control', entry: 'packages/control/src/main.ts', assets: ['packages/control/sql'] },
  { name: 'gateway', entry: 'packages/gateway/src/main.ts', assets: ['packages/gateway/sql'] },
  { name: 'dispatcher', entry: 'packages/gateway/src/dispatcher/main.ts', assets: [] },
  { name: 'simulator', entry: 'packages/simulator/src/main.ts', assets: [] },
  { name: 'sealpost', entry: 'packages/cli/src/main.ts', assets: ['manifests', 'packages/cli/package.json'] },
] as const;
