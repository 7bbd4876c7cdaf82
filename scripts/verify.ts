/**
 * `npm run verify` and `npm test`: everything that must hold before a change lands, in the order that fails soonest.
 * Prints what is skipped for want of a peer and which package would install it, and ends with `N passed, N failed`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const bin = (name: string) => join(root, 'node_modules/.bin', name);
const reportFolder = mkdtempSync(join(tmpdir(), 'sealpost-verify-'));
const report = join(reportFolder, 'vitest.json');

const STEPS: readonly { name: string; command: readonly string[] }[] = [
  { name: 'format and lint', command: [bin('biome'), 'check', '--error-on-warnings', '.'] },
  { name: 'types', command: [process.execPath, join(root, 'node_modules/typescript7/bin/tsc'), '-p', 'tsconfig.json'] },
  { name: 'dependency rules', command: [process.execPath, 'scripts/deps.ts'] },
  { name: 'unused code', command: [bin('knip')] },
  { name: 'generated documents', command: [process.execPath, 'scripts/docs.ts', '--check'] },
  { name: 'bundles and their walls', command: [process.execPath, 'scripts/build.ts'] },
  {
    name: 'unit, contract and scenario tests',
    command: [
      process.execPath,
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
  },
];

const PEERS: readonly { path: string; gives: string; install: string }[] = [
  { path: '/usr/bin/chromium', gives: 'the browser half of the tests', install: 'chromium' },
  { path: '/usr/share/perl5/Net/SMPP.pm', gives: 'SMPP against an SMSC we did not write', install: 'libnet-smpp-perl' },
  { path: '/usr/sbin/bearerbox', gives: 'our SMSC as a client we did not write sees it', install: 'kannel' },
  {
    path: '/usr/bin/prometheus-alertmanager',
    gives: 'act one with a real Alertmanager',
    install: 'prometheus-alertmanager',
  },
  { path: '/usr/sbin/smtp-sink', gives: 'the faults of a mail relay', install: 'postfix' },
  { path: '/usr/bin/strace', gives: 'the order of fsync and answer', install: 'strace' },
];

let passed = 0;
let failed = 0;
const required = process.env.SEALPOST_REQUIRE_PEERS === '1';
for (const { path, gives, install } of PEERS) {
  if (existsSync(path)) continue;
  console.log(`${required ? 'missing' : 'skipped'}: ${gives} needs Debian's ${install} (apt-get install ${install})`);
  if (required) failed += 1;
}

const specs = process.env.SEALPOST_SPECS ?? join(root, '../shared/specs');
if (!existsSync(join(specs, 'google-rbm-v1.openapi.json'))) {
  console.log(
    `skipped: requests and answers against published API descriptions (none in ${specs}; name a folder with SEALPOST_SPECS)`,
  );
}

for (const { name, command } of STEPS) {
  console.log(`\n── ${name}`);
  const [program = '', ...options] = command;
  const { status } = spawnSync(program, options, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, NO_COLOR: '1' },
  });
  if (command.some((word) => word.includes('vitest')) && existsSync(report)) {
    const result = JSON.parse(readFileSync(report, 'utf8')) as {
      numPassedTests: number;
      numFailedTests: number;
    };
    passed += result.numPassedTests;
    failed += result.numFailedTests;
    // An unhandled rejection fails the run without failing a test.
    if (status !== 0 && result.numFailedTests === 0) failed += 1;
  } else if (status === 0) passed += 1;
  else {
    failed += 1;
    console.error(`${name}: failed`);
  }
}
rmSync(reportFolder, { recursive: true, force: true });
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
