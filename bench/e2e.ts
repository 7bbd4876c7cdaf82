/**
 * End to end (DESIGN section 15): an agent commits to content and seals it by MLS, control signs the batch, the gateway
 * verifies, stores, decides and queues it, the device reads its queue and opens it by the client's own checks. All zones
 * are one process here. Group state is not stored between messages; what that costs, the agents and devices pay apart.
 */
import { randomBytes } from 'node:crypto';
import { createMlsEngine, type GroupState, type MlsEngine, type MlsIdentity } from '@sealpost/crypto/mls';
import { commitmentOf, encodeAuthenticatedData } from '@sealpost/crypto/seal';
import { createSigningKey, issueCertificate, type Signer } from '@sealpost/crypto/signer';
import { agentUri, memberDeviceUri } from '@sealpost/crypto/verify';
import { agentIdSchema, canonicalBytes, type Envelope, fromBase64url, toBase64url } from '@sealpost/protocol';
import { contentSchema } from '@sealpost/protocol/content';
import { createVerifyCredential } from '../packages/client/src/enrollment/verify-credential.ts';
import { checkEnvelope } from '../packages/client/src/inbox/check-envelope.ts';
import { AGENT, conversationOf, deviceOf, memberOf, submit } from '../packages/gateway/test/support/envelopes.ts';
import { measureBaseline } from './support/baseline.ts';
import { type House, withHouse } from './support/house.ts';
import { type Measured, type Meter, makeManyAsync, until } from './support/load.ts';
import type { BenchOptions, Result } from './support/report.ts';
import { withServer } from './support/server.ts';

const AMOUNTS = { usual: { groups: 64, rounds: 40 }, quick: { groups: 4, rounds: 3 } };
const DAY = 86_400_000;
const QUEUE_READ = 64;
const SENDER = agentIdSchema.parse(AGENT);

export function run(options: BenchOptions): Promise<Result> {
  const { groups, rounds } = options.quick ? AMOUNTS.quick : AMOUNTS.usual;
  return withServer(options, async (server) => {
    const base = await measureBaseline(server, 2_048);
    return withHouse(server, { noticeAfter: 30_000 }, async (house) => {
      const agent = await identityOf(
        house,
        'agent',
        await newSigner(),
        agentUri(house.organisation.trust.organisation, SENDER),
      );
      const pairs = await makeManyAsync(groups, (number) => pairOf(house, agent, number));
      const sealed = await sealAlone(server.meter, pairs, agent, house);
      await house.delivery.start();
      const { opened, measured } = await exchange(house, server.meter, pairs, agent, rounds).finally(() =>
        house.delivery.stop(),
      );
      await house.settle();
      return {
        bench: 'e2e',
        about: [`${groups} conversations of one device, ${rounds} messages each, signed ${groups} a batch`],
        lines: [
          ...base.lines,
          { name: 'seal alone', unit: 'msg/s', ...sealed },
          { name: 'seal, store, decide, queue, open', unit: 'msg/s', ...measured },
        ],
        budgets: [{ name: 'end to end, msg/s', value: measured.rate, budget: 1_000, bound: 'least' }],
        counted: { sent: groups * rounds, opened },
      };
    });
  });
}

const newSigner = async () => (await createSigningKey('ES256')).signer;

/** A conversation: the agent's end and the device's. */
interface Pair {
  readonly number: number;
  readonly engine: MlsEngine;
  agent: GroupState;
  device: GroupState;
  cursor: number;
}

async function pairOf(house: House, agent: MlsIdentity, number: number): Promise<Pair> {
  const { organisation, surroundings, device: signer } = house;
  const { trust } = organisation;
  const [deviceCa, root] = [fromBase64url(trust.deviceCa), fromBase64url(trust.root)];
  if (deviceCa === undefined || root === undefined) throw new Error('no anchors');
  const engine = createMlsEngine({ verify: createVerifyCredential(trust.organisation, { deviceCa, root }) });
  const now = surroundings.now();
  const uri = memberDeviceUri(trust.organisation, memberOf(number), deviceOf(number));
  const identity = await identityOf(house, 'device', signer, uri);
  const bundle = await engine.createKeyPackage(identity, { notBefore: now - 1_000, notAfter: now + DAY }, false);
  const first = await engine.createGroup(conversationOf(number), agent, now);
  const commit = await engine.commit(first, agent, { add: [bundle.keyPackage], remove: [] }, now);
  const welcome = commit.welcome ?? new Uint8Array();
  const joined = await engine.join(welcome, commit.ratchetTree, [bundle], identity, now);
  if (joined === undefined) throw new Error('the device was not invited');
  return { number, engine, agent: commit.next, device: joined.state, cursor: 0 };
}

async function identityOf(
  { organisation, surroundings }: House,
  usage: 'agent' | 'device',
  signer: Signer,
  uri: string,
): Promise<MlsIdentity> {
  const start = surroundings.now() - (surroundings.now() % 1_000) - 60_000;
  const certificate = fromBase64url(organisation.trust.deviceCa) ?? new Uint8Array();
  const leaf = await issueCertificate({
    ...{ subjectPublicKey: signer.publicJwk, uri, usage, notBefore: start, notAfter: start + 30 * DAY },
    serial: new Uint8Array(randomBytes(16)),
    issuer: { signer: organisation.keys.deviceCa.signer, certificate },
  });
  return { signer, chain: [leaf] };
}

async function seal(pair: Pair, agent: MlsIdentity, house: House): Promise<Envelope> {
  const envelope = house.envelope(pair.number);
  const { message, conversation } = envelope;
  const openingKey = new Uint8Array(randomBytes(32));
  const content = canonicalBytes(
    contentSchema.parse({
      ...{ v: 1, kind: 'alert', subject: 'Disk full on db-1', body: 'The data volume is 97 % full.' },
      ...{ facts: [{ name: 'severity', value: 'critical' }], attachments: [], acknowledge: true },
      openingKey: toBase64url(openingKey),
    }),
  );
  const commitment = commitmentOf({ openingKey, content, sender: AGENT, conversation, message });
  const authenticatedData = encodeAuthenticatedData({ message, commitment });
  const { next, ciphertext } = await pair.engine.encrypt(pair.agent, agent, content, authenticatedData);
  pair.agent = next;
  const part = { form: 'device', epoch: Number(next.epoch), ciphertext: toBase64url(ciphertext) } as const;
  return { ...envelope, commitment, parts: [part] };
}

/** The sender's share: messages that nobody is sent, which devices pass over as lost. */
function sealAlone(meter: Meter, pairs: readonly Pair[], agent: MlsIdentity, house: House): Promise<Measured> {
  return meter.timed(async () => {
    for (const pair of pairs) await seal(pair, agent, house);
    return pairs.length;
  });
}

async function exchange(house: House, meter: Meter, pairs: readonly Pair[], agent: MlsIdentity, rounds: number) {
  let opened = 0;
  const send = async () => {
    for (let round = 0; round < rounds; round++) {
      const sealed = await Promise.all(pairs.map((pair) => seal(pair, agent, house)));
      await house.envelopes.submit(await submit(house.organisation, sealed, house.surroundings.now()));
    }
  };
  const receive = () =>
    until(
      async () => {
        for (const pair of await pairsWithMail(house, pairs)) opened += await openAll(house, pair);
        return opened === pairs.length * rounds;
      },
      'every message was opened',
      1,
    );
  const measured = await meter.timed(async () => {
    await Promise.all([send(), receive()]);
    return opened;
  });
  return { opened, measured };
}

async function pairsWithMail({ groups }: House, pairs: readonly Pair[]): Promise<readonly Pair[]> {
  const waiting = new Set(await groups.waiting(pairs.map(({ number }) => deviceOf(number))));
  return pairs.filter(({ number }) => waiting.has(deviceOf(number)));
}

async function openAll({ groups, organisation, surroundings }: House, pair: Pair): Promise<number> {
  const [device, member] = [deviceOf(pair.number), memberOf(pair.number)];
  const { organisation: name } = organisation.trust;
  const uri = memberDeviceUri(name, member, device);
  const identity = { organisation: name, member, device, uri, rootFingerprint: '' };
  const { entries, through } = await groups.queue(device, pair.cursor, QUEUE_READ);
  for (const { item } of entries) {
    if (item.kind !== 'envelope') throw new Error(`a ${item.kind} nobody sent`);
    const verdict = await checkEnvelope(item.envelope, {
      engine: pair.engine,
      identity,
      state: pair.device,
      message: item.message,
      now: surroundings.now(),
    });
    if (verdict.kind === 'refused') throw new Error(`not opened: ${verdict.code}`);
    pair.device = verdict.next;
  }
  pair.cursor = through;
  await groups.acknowledge(device, through);
  return entries.length;
}
