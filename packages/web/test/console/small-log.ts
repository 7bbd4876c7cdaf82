/** A log of a few events with its keys, as a gateway would make it, and a trust file that names them. */
import { createSigningKey, issueCertificate, type Signer, signJws } from '@sealpost/crypto/signer';
import { caUri, sha256 } from '@sealpost/crypto/verify';
import {
  canonicalJson,
  type Evidence,
  eventSchema,
  fromBase64url,
  type LogEvent,
  organisationSchema,
  TRUST_TYPE,
  toBase64url,
  utf8,
} from '@sealpost/protocol';
import {
  appendSignature,
  commitRecord,
  cosignatureLine,
  encodeCheckpoint,
  encodeVerifierKey,
  inclusionProof,
  leafData,
  leafHash,
  type NoteSigner,
  readerFromLeaves,
  rootOf,
  signNote,
  verifierKey,
} from '@sealpost/tlog';

export const MESSAGE = '01890000-0000-7000-8000-000000000000';
const ATTEMPT = '7f000000-0000-4000-8000-000000000001';
export const AT = 1_795_473_143_000;
const name = organisationSchema.parse('acme.example');

/** An event of the one message, `ms` after its acceptance. */
export function eventOf(kind: string, ms: number, rest: object): LogEvent {
  return eventSchema.parse({ v: 1, kind, at: AT + ms, message: MESSAGE, ...rest });
}

const channel = { step: 1, attempt: ATTEMPT, channel: 'rcs-main' };
export const EVENTS: readonly LogEvent[] = [
  eventOf('message.accepted', 0, {
    envelope: 'e'.repeat(43),
    conversation: `con_${'c'.repeat(22)}`,
    recipient: 'alice',
    flow: 'incident-alerts',
    bundle: 1,
    floor: 'e2ee',
    expires: AT + 60_000,
    commitment: 'h'.repeat(43),
  }),
  eventOf('route.step', 1, { step: 0, channel: 'app', adapter: 'app', use: 'carry', decision: 'taken', reason: 'due' }),
  eventOf('route.step', 2000, {
    step: 1,
    channel: 'rcs-main',
    adapter: 'rcs-google',
    use: 'notice',
    decision: 'taken',
    reason: 'due',
  }),
  eventOf('attempt.started', 2001, { ...channel, try: 1 }),
  eventOf('attempt.ended', 2100, { ...channel, outcome: 'accepted', reason: 'accepted' }),
  eventOf('receipt.provider', 2200, { ...channel, status: 'delivered', code: 'DELIVERED', effect: 'counted' }),
  eventOf('message.ended', 9000, { state: 'read', reason: 'read-by-device' }),
];

async function noteSigner(): Promise<{ signer: Signer; note: (name: string) => NoteSigner }> {
  const { signer } = await createSigningKey('EdDSA');
  const publicKey = fromBase64url(signer.publicJwk.x)!;
  return { signer, note: (as) => ({ name: as, publicKey, sign: signer.sign }) };
}

export async function smallLog() {
  const [log, witness] = [(await noteSigner()).note(`${name}/log`), (await noteSigner()).note(`${name}/control`)];
  const keys = {
    logKey: verifierKey(log.name, log.publicKey),
    witnessKey: verifierKey(witness.name, witness.publicKey, 'cosignature/v1'),
  };
  const entries = EVENTS.map((event, index) => {
    const salt = new Uint8Array(32).fill(index + 1);
    const record = canonicalJson(event);
    const leaf = leafData({ kind: event.kind, time: event.at, commitment: commitRecord(salt, utf8(record), sha256) });
    return { event, record, salt, leaf };
  });
  const hashes = entries.map(({ leaf }) => leafHash(leaf));
  const size = entries.length;
  const signed = await signNote(encodeCheckpoint({ origin: log.name, size, root: rootOf(hashes) }), log);
  const checkpoint = appendSignature(signed, await cosignatureLine(signed, witness, 1_795_473_200));
  const evidenceAt = async (position: number): Promise<Evidence> => {
    const { record, salt, leaf } = entries[position]!;
    const path = (await inclusionProof(position, size, readerFromLeaves(hashes))).map(toBase64url);
    return { record, salt: toBase64url(salt), leaf: toBase64url(leaf), position, size, path, checkpoint };
  };
  return { keys, checkpoint, uncosigned: signed, evidenceAt, size };
}

/** A trust file under a fresh root, naming these keys of the log. */
export async function trustOf(keys: Awaited<ReturnType<typeof smallLog>>['keys']): Promise<string> {
  const { signer: root } = await createSigningKey('ES256');
  const authority = async (uri: string, issuer: Signer, certificate: Uint8Array | 'self') => {
    const subject = certificate === 'self' ? root : (await createSigningKey('ES256')).signer;
    return issueCertificate({
      subjectPublicKey: subject.publicJwk,
      uri,
      usage: 'ca',
      notBefore: 1_760_000_000_000,
      notAfter: 1_840_000_000_000,
      serial: crypto.getRandomValues(new Uint8Array(16)),
      issuer: { signer: issuer, certificate },
    });
  };
  const der = await authority(caUri(name, 'root'), root, 'self');
  const named = async () => {
    const { signer } = await createSigningKey('EdDSA');
    return { id: signer.keyId, jwk: signer.publicJwk };
  };
  const { signer: dispatch } = await createSigningKey('ES256');
  if (dispatch.publicJwk.crv !== 'P-256') throw new Error('a P-256 key');
  const point = [4, ...fromBase64url(dispatch.publicJwk.x)!, ...fromBase64url(dispatch.publicJwk.y)!];
  const trust = {
    v: 1,
    organisation: name,
    issued: AT,
    root: toBase64url(der),
    deviceCa: toBase64url(await authority(caUri(name, 'devices'), root, der)),
    serviceCa: toBase64url(await authority(caUri(name, 'services'), root, der)),
    operators: [await named()],
    approvers: [await named()],
    control: { submit: await named(), witness: encodeVerifierKey(keys.witnessKey) },
    gateway: { audience: `${name}/gateway`, receipts: await named(), log: encodeVerifierKey(keys.logKey) },
    dispatch: { id: dispatch.keyId, publicKey: toBase64url(Uint8Array.from(point)) },
  };
  return signJws(TRUST_TYPE, trust, root);
}
