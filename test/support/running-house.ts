/**
 * A whole running Sealpost for one file of scenarios: every zone its own process in a temporary folder, alice with a phone
 * and a laptop, an alert sender, an application, and windows into both databases to see what changed. `close` ends every
 * process it started and removes the folder.
 */
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoManifests } from '../../packages/cli/src/assets.ts';
import { readBootstrapped } from '../../packages/cli/src/bootstrap/bootstrap.ts';
import { copyManifests } from '../../packages/cli/src/manifests/own-copy.ts';
import { type RunningSealpost, startSealpost } from '../../packages/cli/src/start/start.ts';
import { type Stage, setStage } from '../../packages/cli/src/story/stage.ts';
import { createSteps } from '../../packages/cli/src/story/steps.ts';
import { controlConfigSchema } from '../../packages/control/src/config/config.ts';
import { createGatewayClient, type GatewayClient } from '../../packages/control/src/gateway/gateway-client.ts';
import { gatewayConfigSchema } from '../../packages/gateway/src/config/config.ts';
import { type Database, loadConfig, openDatabase, systemSurroundings } from '../../packages/platform/src/index.ts';
import { fromBase64url, type Trust } from '../../packages/protocol/src/index.ts';

/** PEM. */
interface Certificate {
  readonly cert: string;
  readonly key: string;
}

type Zone = 'control' | 'gateway' | 'dispatcher';

export interface RunningHouse {
  readonly folder: string;
  readonly sealpost: RunningSealpost;
  readonly surroundings: ReturnType<typeof systemSurroundings>;
  readonly trust: Trust;
  /** Own copy of the demo's manifests, its ports moved. */
  readonly manifests: string;
  readonly databases: { readonly control: Database; readonly gateway: Database };
  /** What the supervisor printed so far. */
  readonly said: readonly string[];
  readonly urls: Readonly<Record<'control' | 'devices' | 'internal' | 'carriers' | 'inbox', string>>;
  /** What control shows the gateway. */
  readonly controlCertificate: Certificate;
  certificateOf(zone: Zone): Promise<Certificate>;
  /** The gateway's internal listener, called as control calls it. */
  readonly internal: GatewayClient;
  /** Sets the scene once: bundle, alice, her two devices (offline), sender and application. */
  stage(): Promise<Stage>;
  /** The size named in the newest checkpoint (C2SP tlog-checkpoint, second line). */
  checkpointSize(): Promise<number>;
  close(): Promise<void>;
}

export async function openHouse(portBase: number): Promise<RunningHouse> {
  const folder = await mkdtemp(join(tmpdir(), 'sealpost-scenario-'));
  // PostgreSQL runs as another user when root starts it and must pass through, not read.
  await chmod(folder, 0o711);
  const removeFolder = () => rm(folder, { recursive: true, force: true });
  const surroundings = systemSurroundings();
  const data = join(folder, 'data');
  const options = { data, portBase, organisation: 'acme.example', version: '0.1.0', logLevel: 'info' };
  const said: string[] = [];
  const sealpost = await startSealpost(options, surroundings, (text) => said.push(text)).catch(
    async (cause: unknown) => {
      await removeFolder();
      throw cause;
    },
  );
  const { trust } = await readBootstrapped(sealpost.operator);
  const databases = await openDatabases(sealpost);
  const certificateOf = async (zone: Zone) => {
    const pem = (name: string) => readFile(join(sealpost.folder.zone(zone), 'tls', name), 'utf8');
    return { cert: await pem('cert.pem'), key: await pem('key.pem') };
  };
  const controlCertificate = await certificateOf('control');
  const urls = urlsOf(sealpost);
  const internal = createGatewayClient({
    url: urls.internal,
    organisation: trust.organisation,
    serviceCa: fromBase64url(trust.serviceCa)!,
    certificate: controlCertificate.cert,
    key: controlCertificate.key,
  });
  const manifests = copyManifests(demoManifests(), join(folder, 'manifests'), portBase);
  let stage: Promise<Stage> | undefined;
  return {
    folder,
    sealpost,
    surroundings,
    trust,
    manifests,
    databases,
    said,
    urls,
    controlCertificate,
    certificateOf,
    internal,
    stage() {
      stage ??= setStage(
        sealpost,
        manifests,
        surroundings,
        createSteps(() => undefined),
      );
      return stage;
    },
    async checkpointSize() {
      const answer = await fetch(`${urls.devices}/v1/log/checkpoint`);
      return Number((await answer.text()).split('\n')[1]);
    },
    async close() {
      const set = await stage?.catch(() => undefined);
      for (const device of set === undefined ? [] : [set.phone, set.laptop]) await device.close();
      internal.close();
      await databases.control.close();
      await databases.gateway.close();
      await sealpost.stop();
      await removeFolder();
    },
  };
}

function urlsOf({ ports }: RunningSealpost): RunningHouse['urls'] {
  return {
    control: `http://127.0.0.1:${ports.control}`,
    devices: `http://127.0.0.1:${ports.devices}`,
    internal: `https://127.0.0.1:${ports.internal}`,
    carriers: `http://127.0.0.1:${ports.simulator}`,
    inbox: `http://127.0.0.1:${ports.inbox}`,
  };
}

async function openDatabases({ folder }: RunningSealpost): Promise<RunningHouse['databases']> {
  const run = folder.zone('run');
  const control = loadConfig(controlConfigSchema, join(run, 'control.yaml')).database;
  const gateway = loadConfig(gatewayConfigSchema, join(run, 'gateway.yaml')).database;
  const open = async ({ password_file, ...database }: typeof control) =>
    openDatabase({ ...database, password: (await readFile(password_file, 'utf8')).trim() });
  return { control: await open(control), gateway: await open(gateway) };
}
