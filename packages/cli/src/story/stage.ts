/**
 * The story's stage: the organisation, its people and devices, and the two outside parties (Alertmanager's webhook and
 * the simulated carriers), each reached only the way anyone outside would reach them.
 */
import { join } from 'node:path';
import { createFileStore, type Device, enroll, openDevice } from '@sealpost/client';
import { createSigningKey, type Signer } from '@sealpost/crypto/signer';
import type { Surroundings } from '@sealpost/platform';
import {
  controlApi,
  flowNameSchema,
  type MemberId,
  type MessageId,
  type MessageStatus,
  memberIdSchema,
} from '@sealpost/protocol';
import { alertmanagerBody } from '@sealpost/simulator';
import { compileFolder } from '../manifests/compile-folder.ts';
import { type ControlClient, createControlClient } from '../operator/control-client.ts';
import { type Operator, openOperator, requestToken } from '../operator/operator.ts';
import type { RunningSealpost } from '../start/start.ts';
import { createSimulatorClient, type SimulatorClient } from './simulator-client.ts';
import { type Steps, storyError } from './steps.ts';

export const ALICE_PHONE = '+4915112345678';
export const ALICE = memberIdSchema.parse('alice');
export const FLOW = flowNameSchema.parse('incident-alerts');
/** Of every alert of the story. */
const DESCRIPTION = 'The data volume is 97 % full and grows by 1 % a minute.';
const BUNDLE_LIFETIME = 90 * 86_400_000;

export interface Stage {
  readonly surroundings: Surroundings;
  readonly control: ControlClient;
  readonly operator: Operator;
  readonly simulator: SimulatorClient;
  readonly phone: Device;
  readonly laptop: Device;
  /** The application's token for the flow, proved with its registered key. */
  applicationToken(): Promise<string>;
  /** Sends what Alertmanager would send; answers the message it became. */
  sendAlert(name: string, status: 'firing' | 'resolved'): Promise<{ message: MessageId; receipt: string }>;
  status(message: MessageId): Promise<MessageStatus>;
  readonly flow: string;
  readonly member: MemberId;
}

/** Sets the scene: bundle, member, application, alert sender, phone and laptop. */
export async function setStage(
  sealpost: RunningSealpost,
  manifests: string,
  surroundings: Surroundings,
  steps: Steps,
): Promise<Stage> {
  const control = createControlClient(`http://127.0.0.1:${sealpost.ports.control}`);
  const operator = await openOperator(sealpost.operator, control, surroundings);
  const simulator = createSimulatorClient(sealpost.ports.simulator);
  await steps.run(
    'bundle',
    'flow incident-alerts (floor e2ee) compiled, signed by the operator, verified and run by control and gateway',
    async () => {
      const bundle = await compileFolder(manifests, {
        organisation: operator.organisation,
        version: surroundings.now(),
        issued: surroundings.now(),
        lifetime: BUNDLE_LIFETIME,
      });
      await operator.applyBundle(bundle);
    },
  );
  await steps.run('member', 'alice registered by a signed approval, her number sealed in control', () =>
    operator.registerMember(ALICE, 'Alice Anders', ALICE_PHONE),
  );
  const phone = await steps.run('phone', 'alice’s phone enrolled with a single-use code and proof of its key', () =>
    enrollDevice('phone', sealpost, operator, surroundings),
  );
  const laptop = await steps.run('laptop', 'alice’s laptop enrolled the same way', () =>
    enrollDevice('laptop', sealpost, operator, surroundings),
  );
  const suffix = surroundings.uuid().slice(0, 8);
  const secret = await steps.run(
    'alert-sender',
    'alertmanager registered: one secret, hashed, for this flow only',
    () => operator.registerAlertSender(memberIdSchema.parse(`alertmanager-${suffix}`), FLOW, ALICE),
  );
  const application = await createSigningKey('EdDSA');
  const applicationId = memberIdSchema.parse(`status-page-${suffix}`);
  await steps.run('application', 'an application registered with its public key', () =>
    operator.registerApplication(applicationId, ed25519(application.signer), [FLOW]),
  );
  await simulator.setPhone(ALICE_PHONE, { rcs: true, online: true });
  await simulator.clearFaults();
  return {
    surroundings,
    control,
    operator,
    simulator,
    phone,
    laptop,
    flow: FLOW,
    member: ALICE,
    applicationToken: () => requestToken(control, application.signer, applicationId, `flow:${FLOW}`, surroundings),
    async sendAlert(name, status) {
      const image = simulator.imageUrl('disk');
      const body = alertmanagerBody({ name, description: DESCRIPTION, status, image, now: surroundings.now() });
      return control.call('POST', '/v1/alerts', controlApi.messageAcceptedSchema, { body, token: secret });
    },
    async status(message) {
      return control.call('GET', `/v1/messages/${message}`, controlApi.messageStatusSchema, {
        token: await operator.token(),
      });
    },
  };
}

async function enrollDevice(
  name: string,
  sealpost: RunningSealpost,
  operator: Operator,
  surroundings: Surroundings,
): Promise<Device> {
  const folder = join(sealpost.folder.zone('devices'), `${name}-${surroundings.now()}`);
  const store = await createFileStore(folder, join(sealpost.folder.zone('devices'), 'kek'));
  const code = await operator.inviteDevice(ALICE);
  await enroll({
    control: `http://127.0.0.1:${sealpost.ports.control}`,
    code,
    name,
    store,
    rootFingerprint: sealpost.rootFingerprint,
    surroundings,
  });
  return openDevice({ store, surroundings });
}

function ed25519(signer: Signer) {
  const { publicJwk } = signer;
  if (publicJwk.kty !== 'OKP')
    throw storyError('ERR_STORY_UNEXPECTED', { details: [{ pointer: 'application key', detail: 'is not Ed25519' }] });
  return { kty: publicJwk.kty, crv: publicJwk.crv, x: publicJwk.x };
}
