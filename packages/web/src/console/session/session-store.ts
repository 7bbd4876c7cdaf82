/**
 * What this browser keeps of a console session, in IndexedDB of this origin: the session's name and its private key, which
 * WebCrypto lets nobody read out, and the organisation's root as it was pinned at the first sign-in.
 */
import type { PublicJwk } from '@sealpost/crypto/signer';
import type { SessionId, Timestamp } from '@sealpost/protocol';

export interface KeptSession {
  readonly session: SessionId;
  readonly expires: Timestamp;
  readonly privateKey: CryptoKey;
  readonly publicJwk: Extract<PublicJwk, { crv: 'P-256' }>;
}

interface Kept {
  readonly session: KeptSession;
  /** DER certificate, base64url. */
  readonly root: string;
}

export interface SessionStore {
  /** `undefined` for what is not kept. */
  read<Name extends keyof Kept>(name: Name): Promise<Kept[Name] | undefined>;
  write<Name extends keyof Kept>(name: Name, value: Kept[Name]): Promise<void>;
  remove(name: keyof Kept): Promise<void>;
}

const DATABASE = 'sealpost-console';
const TABLE = 'kept';

export async function openSessionStore(): Promise<SessionStore> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE);
  const database = await done(opening);
  const table = (mode: IDBTransactionMode) =>
    database.transaction(TABLE, mode, { durability: 'strict' }).objectStore(TABLE);
  return {
    read: (name) => done(table('readonly').get(name)),
    write: async (name, value) => void (await done(table('readwrite').put(value, name))),
    remove: async (name) => void (await done(table('readwrite').delete(name))),
  };
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** A key that can sign here and be copied nowhere. */
export async function createSessionKey(): Promise<Pick<KeptSession, 'privateKey' | 'publicJwk'>> {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
  const { x = '', y = '' } = await crypto.subtle.exportKey('jwk', pair.publicKey);
  return { privateKey: pair.privateKey, publicJwk: { crv: 'P-256', kty: 'EC', x, y } };
}
