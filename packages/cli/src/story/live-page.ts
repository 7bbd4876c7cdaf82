/**
 * The page that shows the story live: its link with a code for each of its two rooms, made with the operator's keys, and
 * the alert sender behind its button. Both are for the demo's one member on the demo's one flow.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Surroundings, writeDurably } from '@sealpost/platform';
import { memberIdSchema, utf8 } from '@sealpost/protocol';
import { createControlClient } from '../operator/control-client.ts';
import { type Operator, openOperator } from '../operator/operator.ts';
import type { Ports } from '../start/ports.ts';
import { monitoringSecret, originsOf } from '../start/services.ts';
import type { RunningSealpost } from '../start/start.ts';
import { createSimulatorClient } from './simulator-client.ts';
import { ALICE, ALICE_PHONE, FLOW } from './stage.ts';

/** The link holds two codes, each good for one browser and ten minutes; the fragment never leaves the browser. */
export async function pageLink(operator: Operator, ports: Ports): Promise<string> {
  const codes = new URLSearchParams({
    inbox: await operator.inviteDevice(ALICE),
    console: await operator.inviteConsole(),
  });
  return `${originsOf(ports).frame}/#${codes}`;
}

/** Prepares the page and answers its link; `undefined` where the operator's folder is elsewhere, as it should be one day. */
export async function openLivePage(sealpost: RunningSealpost, surroundings: Surroundings): Promise<string | undefined> {
  if (!existsSync(join(sealpost.operator, 'trust.jws'))) return undefined;
  const control = createControlClient(`http://127.0.0.1:${sealpost.ports.control}`);
  const operator = await openOperator(sealpost.operator, control, surroundings);
  // The simulator forgets its phones when it stops.
  await createSimulatorClient(sealpost.ports.simulator).setPhone(ALICE_PHONE, { rcs: true, online: true });
  await registerMonitoring(operator, monitoringSecret(sealpost.folder), surroundings);
  return pageLink(operator, sealpost.ports);
}

/** Once: the simulated monitoring system becomes an alert sender, and its secret a file that only it reads. */
async function registerMonitoring(operator: Operator, file: string, { uuid }: Surroundings): Promise<void> {
  if (existsSync(file)) return;
  const sender = memberIdSchema.parse(`monitoring-${uuid().slice(0, 8)}`);
  writeDurably(file, utf8(await operator.registerAlertSender(sender, FLOW, ALICE)));
}
