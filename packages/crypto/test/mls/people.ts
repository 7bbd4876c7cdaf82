/**
 * People with devices, for stories about groups: a made-up organisation that issues certificates (real enough in form,
 * signed by nobody), signers on WebCrypto, and a delivery service that hands every message to everybody.
 */
import {
  type ConversationId,
  canonicalBytes,
  concatBytes,
  conversationIdSchema,
  keyIdSchema,
  toBase64url,
  utf8,
} from '@sealpost/protocol';
import {
  createMlsEngine,
  type GroupState,
  type KeyPackageBundle,
  type MlsEngine,
  type MlsIdentity,
  type ReceiveResult,
  type VerifyCredential,
} from '../../src/mls/index.ts';
import type { PublicJwk, Signer } from '../../src/signer/signer.ts';

export const NOW = Date.UTC(2026, 10, 23);
export const HOUR = 3_600_000;
export const CONVERSATION: ConversationId = conversationIdSchema.parse(`con_${'a'.repeat(22)}`);
export const NO_DATA = new Uint8Array();

const { subtle } = globalThis.crypto;

/** Knows which certificate names whom, as a device CA and its status list would. */
export class Organisation {
  readonly #issued = new Map<string, string>();
  readonly #revoked = new Set<string>();
  #serial = 1;

  readonly verify: VerifyCredential = async (chain) => {
    const [leaf] = chain;
    const name = leaf === undefined ? undefined : toBase64url(leaf);
    const uri = name === undefined || this.#revoked.has(name) ? undefined : this.#issued.get(name);
    return uri === undefined ? undefined : { uri, chain };
  };

  issue(uri: string, spki: Uint8Array): Uint8Array {
    const certificate = certificateOf(this.#serial++, spki);
    this.#issued.set(toBase64url(certificate), uri);
    return certificate;
  }

  revoke(identity: MlsIdentity): void {
    for (const certificate of identity.chain) this.#revoked.add(toBase64url(certificate));
  }
}

export interface Keys {
  readonly signer: Signer;
  readonly spki: Uint8Array;
}

export async function newKeys(): Promise<Keys> {
  const pair = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const { x = '', y = '' } = await subtle.exportKey('jwk', pair.publicKey);
  const publicJwk: PublicJwk = { crv: 'P-256', kty: 'EC', x, y };
  const thumbprint = new Uint8Array(await subtle.digest('SHA-256', canonicalBytes(publicJwk)));
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
  return {
    spki: new Uint8Array(await subtle.exportKey('spki', pair.publicKey)),
    signer: {
      algorithm: 'ES256',
      keyId: keyIdSchema.parse(toBase64url(thumbprint)),
      publicJwk,
      sign: async (bytes) => new Uint8Array(await subtle.sign(algorithm, pair.privateKey, new Uint8Array(bytes))),
    },
  };
}

/** One device with its own engine; `state` follows what it is told to keep. */
export class Person {
  readonly name: string;
  readonly uri: string;
  readonly engine: MlsEngine;
  readonly keys: Keys;
  identity: MlsIdentity;
  #state: GroupState | undefined;

  constructor(name: string, keys: Keys, organisation: Organisation, verify: VerifyCredential = organisation.verify) {
    this.name = name;
    this.uri = `sealpost://acme.example/member/${name}`;
    this.keys = keys;
    this.engine = createMlsEngine({ verify });
    this.identity = { chain: [organisation.issue(this.uri, keys.spki)], signer: keys.signer };
  }

  get state(): GroupState {
    if (this.#state === undefined) throw new Error(`${this.name} is in no group`);
    return this.#state;
  }

  set state(state: GroupState) {
    this.#state = state;
  }

  async starts(conversation = CONVERSATION): Promise<void> {
    this.state = await this.engine.createGroup(conversation, this.identity, NOW);
  }

  keyPackage(lastResort = false): Promise<KeyPackageBundle> {
    return this.engine.createKeyPackage(
      this.identity,
      { notBefore: NOW - HOUR, notAfter: NOW + 24 * HOUR },
      lastResort,
    );
  }

  async sends(text: string, authenticatedData: Uint8Array = NO_DATA): Promise<Uint8Array> {
    const { next, ciphertext } = await this.engine.encrypt(this.state, this.identity, utf8(text), authenticatedData);
    this.state = next;
    return ciphertext;
  }

  async gets(message: Uint8Array): Promise<ReceiveResult> {
    const result = await this.engine.receive(this.state, message, NOW);
    if (result.kind === 'application' || result.kind === 'commit') this.state = result.next;
    return result;
  }

  /** Commits, keeps the next state and hands the commit to `others` and the welcome to the newcomers. */
  async commits(change: { add?: readonly Person[]; remove?: readonly number[] }, others: readonly Person[] = []) {
    const newcomers = await Promise.all(
      (change.add ?? []).map(async (person) => ({ person, bundle: await person.keyPackage() })),
    );
    const add = newcomers.map(({ bundle }) => bundle.keyPackage);
    const result = await this.engine.commit(this.state, this.identity, { add, remove: change.remove ?? [] }, NOW);
    this.state = result.next;
    const received = new Map<string, ReceiveResult>();
    for (const other of others) received.set(other.name, await other.gets(result.commit));
    for (const { person, bundle } of newcomers) {
      const joined = await person.engine.join(
        result.welcome ?? NO_DATA,
        result.ratchetTree,
        [bundle],
        person.identity,
        NOW,
      );
      if (joined === undefined) throw new Error(`${person.name} was not invited`);
      person.state = joined.state;
    }
    return { ...result, received };
  }
}

export async function people<Name extends string>(
  organisation: Organisation,
  ...names: readonly Name[]
): Promise<Record<Name, Person>> {
  const made = await Promise.all(names.map(async (name) => [name, new Person(name, await newKeys(), organisation)]));
  return Object.fromEntries(made);
}

/** Alice's conversation with Bob and Carol in it. */
export async function trio(organisation = new Organisation()) {
  const cast = await people(organisation, 'alice', 'bob', 'carol', 'dave');
  await cast.alice.starts();
  await cast.alice.commits({ add: [cast.bob, cast.carol] });
  return { organisation, ...cast };
}

/** A certificate in form (RFC 5280 section 4.1) around a real public key. */
export function certificateOf(serial: number, spki: Uint8Array): Uint8Array {
  const ecdsaSha256 = der(0x30, der(0x06, Uint8Array.of(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02)));
  const [version, number] = [der(0xa0, der(0x02, Uint8Array.of(2))), der(0x02, Uint8Array.of(0, serial >> 8, serial))];
  const empty = der(0x30, NO_DATA);
  const tbs = der(0x30, version, number, ecdsaSha256, empty, empty, empty, spki);
  return der(0x30, tbs, ecdsaSha256, der(0x03, new Uint8Array(65)));
}

function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(...contents);
  const { length } = content;
  const header = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return concatBytes(Uint8Array.of(tag, ...header), content);
}
