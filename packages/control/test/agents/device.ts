/**
 * A person's device in a test: enrolled by control, holding its own keys, uploading real key packages over signed requests,
 * and reading what the gateway has for it straight from the gateway's tables, as sync would hand it over.
 */
import { createMlsEngine, type GroupState, type KeyPackageBundle } from '@sealpost/crypto/mls';
import { createCertificateRequest, createSigningKey, type Signer, signRequest } from '@sealpost/crypto/signer';
import { sha256, verifyCertificateChain } from '@sealpost/crypto/verify';
import { type DeviceId, fromBase64url, type MemberId, toBase64url, utf8 } from '@sealpost/protocol';
import pg from 'pg';
import { type Estate, nonce } from './estate.ts';
import { ALICE, type ControlProcess } from './process.ts';

export interface TestDevice {
  readonly device: DeviceId;
  readonly member: MemberId;
  readonly signer: Signer;
  /** Makes and uploads that many one-time packages. */
  upload(count: number): Promise<void>;
  /** Opens every message of the conversation it can, in order; joins by the newest welcome that is for it. */
  read(conversation: string): Promise<{ epoch: bigint; sender: string; text: string }[]>;
}

const DAY = 86_400_000;

export async function enrolDevice(
  estate: Estate,
  control: ControlProcess,
  member: MemberId = ALICE,
): Promise<TestDevice> {
  const { surroundings } = estate;
  const { signer } = await createSigningKey('ES256');
  const code = nonce();
  const object = {
    member,
    codeHash: toBase64url(sha256(utf8(code))),
    expires: surroundings.now() + 500_000,
    nonce: nonce(),
  };
  await control.enrollment.invite(object, await estate.approve('device.invite', object));
  const request = toBase64url(await createCertificateRequest(signer, { commonName: 'phone' }));
  const { device, chain: texts } = await control.enrollment.enrol({ code, name: 'phone', request }, '127.0.0.1');
  const identity = { chain: texts.map((der) => fromBase64url(der)!), signer };
  const anchor = fromBase64url(estate.trust.deviceCa)!;
  const engine = createMlsEngine({
    async verify(chain, now) {
      for (const usage of ['device', 'agent'] as const) {
        const verdict = await verifyCertificateChain(chain, { anchor, now, usage });
        if (verdict.kind === 'ok') return { uri: verdict.uri, chain };
      }
      return undefined;
    },
  });
  const bundles: KeyPackageBundle[] = [];

  const joined = async (conversation: string): Promise<{ state: GroupState; epoch: number } | undefined> => {
    const welcomes = await rows(
      estate,
      'SELECT epoch, welcome, ratchet_tree FROM conversation_commit WHERE conversation = $1 AND welcome IS NOT NULL ORDER BY epoch',
      [conversation],
    );
    for (const { epoch, welcome, ratchet_tree } of welcomes) {
      const found = await engine.join(
        new Uint8Array(welcome),
        new Uint8Array(ratchet_tree),
        bundles,
        identity,
        surroundings.now(),
      );
      if (found !== undefined) return { state: found.state, epoch: Number(epoch) };
    }
    return undefined;
  };

  return {
    device,
    member,
    signer,
    async upload(count) {
      const lifetime = { notBefore: surroundings.now() - 60_000, notAfter: surroundings.now() + 20 * DAY };
      const made = await Promise.all(
        Array.from({ length: count }, () => engine.createKeyPackage(identity, lifetime, false)),
      );
      bundles.push(...made);
      const packages = made.map(({ keyPackage }) => ({ keyPackage: toBase64url(keyPackage), lastResort: false }));
      const body = utf8(JSON.stringify({ packages }));
      const url = 'http://127.0.0.1:8082/v1/key-packages';
      const headers = { 'content-type': 'application/json' };
      const signed = await signRequest({ method: 'POST', url, headers, body }, signer, {
        created: surroundings.now(),
        nonce: nonce(),
      });
      const answer = await fetch(`http://127.0.0.1:${estate.gateway.ports.device}/v1/key-packages`, {
        method: 'POST',
        headers: { ...headers, ...signed },
        body,
      });
      if (answer.status !== 200) throw new Error(`uploading: ${await answer.text()}`);
    },
    async read(conversation) {
      const start = await joined(conversation);
      if (start === undefined) return [];
      const commits = await rows(
        estate,
        'SELECT epoch, message FROM conversation_commit WHERE conversation = $1 AND epoch > $2 ORDER BY epoch',
        [conversation, start.epoch],
      );
      const envelopes = await rows(estate, 'SELECT body FROM envelope WHERE conversation = $1 ORDER BY message', [
        conversation,
      ]);
      const parts = envelopes.map(({ body }) => JSON.parse(new TextDecoder().decode(body)).parts[0]);
      const read: { epoch: bigint; sender: string; text: string }[] = [];
      let { state } = start;
      const readEpoch = async () => {
        for (const { epoch, ciphertext } of parts) {
          if (BigInt(epoch) !== state.epoch) continue;
          const result = await engine.receive(state, fromBase64url(ciphertext)!, surroundings.now());
          if (result.kind !== 'application')
            throw new Error(`not readable: ${JSON.stringify(result.kind === 'refused' ? result.reason : result.kind)}`);
          state = result.next;
          read.push({
            epoch: result.epoch,
            sender: result.sender.credential.uri,
            text: new TextDecoder().decode(result.plaintext),
          });
        }
      };
      await readEpoch();
      for (const { message } of commits) {
        const result = await engine.receive(state, new Uint8Array(message), surroundings.now());
        if (result.kind !== 'commit') break;
        state = result.next;
        await readEpoch();
      }
      return read;
    },
  };
}

export async function revokeDevice(
  estate: Estate,
  control: ControlProcess,
  { member, device }: TestDevice,
): Promise<void> {
  const object = { member, device, reason: 'lost in a taxi', nonce: nonce() };
  await control.enrollment.revoke(object as never, await estate.approve('device.revoke', object as never));
}

/** Rows of the gateway's own database. */
// biome-ignore lint/suspicious/noExplicitAny: rows of every shape
export async function rows(estate: Estate, text: string, values: unknown[] = []): Promise<any[]> {
  const client = new pg.Client(estate.gatewayDatabase.config);
  await client.connect();
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
}
