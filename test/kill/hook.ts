/**
 * Loaded into a service before its own code (`node --import`): listens for the named points and ends the process there,
 * by SIGKILL, once the harness has said at which. Which one it was is written down first, as the dead tell nothing.
 */
import { subscribe } from 'node:diagnostics_channel';
import { writeFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { POINT_CHANNEL, type PointPassed } from '../../packages/platform/src/points.ts';
import { type Arm, KEEP_CODE } from './kill-messages.ts';

const epitaph = process.env.SEALPOST_KILL_EPITAPH;
let armed: Arm | undefined;
let passes = 0;

process.on('message', (message) => {
  if (isArm(message)) [armed, passes] = [message, 0];
  // Node writes its cache when a process ends in peace, which these never do.
  else if (message === KEEP_CODE) flushCompileCache();
});

subscribe(POINT_CHANNEL, (message) => {
  const { point } = message as PointPassed;
  if (armed === undefined || epitaph === undefined || !armed.points.includes(point)) return;
  passes += 1;
  if (passes < armed.pass) return;
  writeFileSync(epitaph, point);
  process.kill(process.pid, 'SIGKILL');
});

function isArm(message: unknown): message is Arm {
  return typeof message === 'object' && message !== null && 'kind' in message && message.kind === 'arm';
}
