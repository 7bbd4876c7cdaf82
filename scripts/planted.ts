/** One violation per rule, added to a copy of the sources; a rule whose violation goes unseen checks nothing. */
export interface Planted {
  readonly rule: string;
  readonly file: string;
  readonly text: string;
}

export const PLANTED: readonly Planted[] = [
  {
    rule: 'gateway-cannot-open',
    file: 'packages/gateway/src/modules/log/index.ts',
    text: "import type {} from '@sealpost/crypto/mls';",
  },
  {
    rule: 'dispatcher-opens-only-carriers',
    file: 'packages/gateway/src/dispatcher/main.ts',
    text: "import type {} from '@sealpost/crypto/open';",
  },
  {
    rule: 'channels-hold-no-keys',
    file: 'packages/channels/src/adapter.ts',
    text: "import type {} from '@sealpost/crypto/verify';",
  },
  {
    rule: 'gateway-never-sees-content',
    file: 'packages/gateway/src/modules/log/index.ts',
    text: "import type { Content as PlantedContent } from '@sealpost/protocol/content';",
  },
  {
    rule: 'dispatcher-never-sees-content',
    file: 'packages/gateway/src/dispatcher/main.ts',
    text: "import type { Content as PlantedContent } from '@sealpost/protocol/content';",
  },
  {
    rule: 'channels-never-see-content',
    file: 'packages/channels/src/adapter.ts',
    text: "import type { Content as PlantedContent } from '@sealpost/protocol/content';",
  },
  {
    rule: 'simulator-never-sees-content',
    file: 'packages/simulator/src/main.ts',
    text: "import type { Content as PlantedContent } from '@sealpost/protocol/content';",
  },
  {
    rule: 'framing-opens-nothing',
    file: 'packages/crypto/src/framing/index.ts',
    text: "import type {} from '../open/index.ts';",
  },
  {
    rule: 'platform-decides-nothing',
    file: 'packages/platform/src/index.ts',
    text: "import type {} from '@sealpost/crypto/mls';",
  },
  {
    rule: 'console-holds-no-device',
    file: 'packages/web/src/console/main.tsx',
    text: "import type {} from '@sealpost/client';",
  },
  {
    rule: 'inbox-is-no-console',
    file: 'packages/web/src/inbox/main.tsx',
    text: "import '../console/main.tsx';",
  },
  {
    rule: 'carrier-page-holds-nothing',
    file: 'packages/web/src/carrier/main.tsx',
    text: "import type {} from '@sealpost/crypto/verify';",
  },
  {
    rule: 'frame-holds-nothing',
    file: 'packages/web/src/frame/main.tsx',
    text: "import type {} from '@sealpost/client';",
  },
  { rule: 'package-protocol', file: 'packages/protocol/src/planted.ts', text: "import type {} from '@sealpost/tlog';" },
  {
    rule: 'package-control',
    file: 'packages/control/src/planted.ts',
    text: "import type {} from '@sealpost/channels';",
  },
  {
    rule: 'gateway-module-door',
    file: 'packages/gateway/src/modules/sync/planted.ts',
    text: "import type {} from '../log/log-errors.ts';",
  },
  {
    rule: 'control-module-door',
    file: 'packages/control/src/modules/alerts/planted.ts',
    text: "import type {} from '../identity/identity-errors.ts';",
  },
  {
    rule: 'gateway-order-log',
    file: 'packages/gateway/src/modules/log/planted.ts',
    text: "import type {} from '../sync/index.ts';",
  },
  {
    rule: 'control-order-identity',
    file: 'packages/control/src/modules/identity/planted.ts',
    text: "import type {} from '../messages/index.ts';",
  },
  { rule: 'no-circular', file: 'packages/tlog/src/planted.ts', text: "import type {} from './planted-too.ts';" },
  { rule: 'no-circular', file: 'packages/tlog/src/planted-too.ts', text: "import type {} from './planted.ts';" },
];
