/**
 * Who takes part: an application, one member whose device stays online and some whose devices stay away until the end,
 * and so many conversations with each (one an agent). Every agent has two flows, one with a notice over RCS, one by SMS.
 */
import { join } from 'node:path';
import { compileFolder } from '../../packages/cli/src/manifests/compile-folder.ts';
import { openOperator } from '../../packages/cli/src/operator/operator.ts';
import { createFileStore, type Device, enroll, openDevice } from '../../packages/client/src/index.ts';
import { createSigningKey } from '../../packages/crypto/src/signer/index.ts';
import { systemSurroundings } from '../../packages/platform/src/index.ts';
import { type FlowName, flowNameSchema, type MemberId, memberIdSchema } from '../../packages/protocol/src/index.ts';
import { type Application, type Caller, createCaller } from './caller.ts';
import type { KillHouse } from './house.ts';
import { CHANNELS, writeManifests } from './manifests.ts';

export interface Resident {
  readonly member: MemberId;
  readonly phone: string;
  readonly device: Device;
  readonly online: boolean;
}

export interface Letterbox {
  readonly to: MemberId;
  readonly flow: FlowName;
  /** The channel of the flow's notice. */
  readonly notice: string;
}

export interface People {
  readonly caller: Caller;
  readonly residents: readonly Resident[];
  /** One list of flows a conversation: its sender takes them in turn. */
  readonly conversations: readonly (readonly Letterbox[])[];
  readonly operatorToken: () => Promise<string>;
  /** A member nobody has heard of yet, with a device; answers where to write to it. */
  newcomer(): Promise<{ readonly resident: Resident; readonly box: Letterbox }>;
  /** The same manifests as the next version of the bundle. */
  applyBundle(): Promise<void>;
  /** A secret of an alert sender that writes to the member who is online. */
  readonly alertSecret: string;
  close(): Promise<void>;
}

const BUNDLE_LIFETIME = 86_400_000;

export async function settle(
  house: KillHouse,
  folder: string,
  { agents, away }: { readonly agents: number; readonly away: number },
): Promise<People> {
  const surroundings = systemSurroundings();
  const { signer } = await createSigningKey('EdDSA');
  const application: Application = { id: memberIdSchema.parse('status-page'), signer };
  const caller = createCaller(house.ports.control, () => application);
  const operator = await openOperator(house.operator, caller.control, surroundings);
  const manifests = writeManifests(join(folder, 'manifests'), agents, house.ports.simulator);
  const devices: Device[] = [];
  let version = surroundings.now();
  let phones = 0;

  const applyBundle = async () => {
    version += 1;
    const terms = { version, issued: surroundings.now(), lifetime: BUNDLE_LIFETIME };
    const bundle = await compileFolder(manifests, { organisation: operator.organisation, ...terms });
    await caller.untilDone(() => operator.applyBundle(bundle));
  };

  const join_ = async (name: string, online: boolean): Promise<Resident> => {
    const member = memberIdSchema.parse(name);
    phones += 1;
    const phone = `+4915100000${String(phones).padStart(3, '0')}`;
    await caller.untilDone(() => operator.registerMember(member, name, phone));
    const code = await caller.untilDone(() => operator.inviteDevice(member));
    const store = await createFileStore(join(house.devices, name), join(house.devices, 'kek'));
    const { rootFingerprint } = house;
    const control = caller.control.url;
    await caller.untilDone(() => enroll({ control, code, name, store, rootFingerprint, surroundings }));
    const device = await openDevice({ store, surroundings });
    devices.push(device);
    return { member, phone, device, online };
  };

  await applyBundle();
  const flows = Array.from({ length: agents }, (_, at) =>
    CHANNELS.map(({ short, channel }) => ({ flow: flowNameSchema.parse(`${short}-${at}`), notice: channel })),
  );
  const { publicJwk } = signer;
  if (publicJwk.kty !== 'OKP') throw new TypeError('an EdDSA key');
  const publicKey = { kty: publicJwk.kty, crv: publicJwk.crv, x: publicJwk.x };
  await operator.registerApplication(
    application.id,
    publicKey,
    flows.flat().map(({ flow }) => flow),
  );
  const residents = [await join_('carol', true)];
  for (let at = 0; at < away; at++) residents.push(await join_(`away-${at}`, false));
  const [carol] = residents;
  const alertSecret = await operator.registerAlertSender(
    memberIdSchema.parse('alertmanager'),
    flowNameSchema.parse('alerts'),
    carol?.member ?? memberIdSchema.parse('carol'),
  );
  let newcomers = 0;
  return {
    caller,
    residents,
    alertSecret,
    conversations: residents.flatMap(({ member }) => flows.map((both) => both.map((one) => ({ to: member, ...one })))),
    operatorToken: () => caller.untilDone(() => operator.token()),
    applyBundle,
    async newcomer() {
      newcomers += 1;
      const resident = await join_(`newcomer-${newcomers}`, false);
      const [[box] = []] = flows;
      if (box === undefined) throw new TypeError('there is an agent');
      return { resident, box: { to: resident.member, ...box } };
    },
    async close() {
      for (const device of devices) await device.close();
    },
  };
}
