import { existsSync } from 'node:fs';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';

/** Debian's Chromium; without it the browser project is left out and `scripts/verify.ts` says so by name. */
const CHROMIUM = '/usr/bin/chromium';
const chromiumArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** What runs in both: everything a device runs. Files named *.node.test.ts need Node itself. */
const shared = ['packages/{protocol,tlog,crypto,client}/test/**/*.test.ts'];
const nodeOnly = ['**/*.node.test.ts'];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'node',
          include: ['packages/*/test/**/*.test.ts', 'test/unit/**/*.test.ts', 'test/scenarios/**/*.test.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      ...(existsSync(CHROMIUM)
        ? [
            {
              test: {
                name: 'chromium',
                include: shared,
                exclude: [...nodeOnly, '**/node_modules/**'],
                testTimeout: 60_000,
                browser: {
                  enabled: true,
                  headless: true,
                  screenshotFailures: false,
                  provider: playwright({ launchOptions: { executablePath: CHROMIUM, args: chromiumArguments } }),
                  instances: [{ browser: 'chromium' as const }],
                },
              },
            },
          ]
        : []),
    ],
  },
});
