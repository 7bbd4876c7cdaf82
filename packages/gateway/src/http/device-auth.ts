/**
 * Who calls on the device listener: a signed request (RFC 9421) by the key of an active device, made within a minute, its
 * nonce used once across all nodes. Where a request comes from counts for nothing; the loopback is no credential.
 */
import { claimedKeyId, verifyRequest } from '@sealpost/crypto/verify';
import type { Server, Sql, Surroundings } from '@sealpost/platform';
import { type ErrorTable, errorsOf, type KeyId, type Timestamp, utf8 } from '@sealpost/protocol';
import type { FastifyRequest } from 'fastify';
import type { Directory, KnownDevice } from '../modules/directory/index.ts';

export const DEVICE_AUTH_ERRORS = {
  /** Sign the request anew; when it stays, the device was revoked or its certificate has run out. */
  ERR_DEVICE_UNAUTHENTICATED: {
    kind: 'unauthenticated',
    sentence: 'The request does not carry a valid signature of an active device.',
    hint: 'Sign method, path, query and body digest with the device key (RFC 9421), by a clock that is right, or enroll again.',
  },
  ERR_DEVICE_REPLAYED: {
    kind: 'unauthenticated',
    sentence: 'The nonce of this signature was used before.',
    hint: 'Sign each request, repeats too, with a fresh nonce.',
  },
} as const satisfies ErrorTable;
const authError = errorsOf(DEVICE_AUTH_ERRORS);

export interface DeviceAuthDeps {
  readonly directory: Pick<Directory, 'deviceOfKey'>;
  readonly database: Sql;
  readonly surroundings: Surroundings;
}

/** The device that signed this request; only inside a device scope. */
export type CallerOf = (request: FastifyRequest) => KnownDevice;

/** How old a signature may be, and how far ahead the device's clock. */
const MAX_AGE = 60_000;

/** Old nonces go a few at a time with each new one, so there is no sweep and no growth. */
const USE_NONCE = `
WITH old AS (
  DELETE FROM request_nonce WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM request_nonce WHERE expires < $4 ORDER BY expires LIMIT 10 FOR UPDATE SKIP LOCKED))
)
INSERT INTO request_nonce (key_id, nonce, expires) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING nonce`;

/**
 * Registers `routes` so that each request is authenticated before it is validated, and its body is kept as it was signed.
 */
export async function deviceScope(
  server: Server,
  deps: DeviceAuthDeps,
  routes: (scope: Server, callerOf: CallerOf) => void,
): Promise<void> {
  const bodies = new WeakMap<FastifyRequest, Uint8Array>();
  const callers = new WeakMap<FastifyRequest, KnownDevice>();
  await server.register(async (scope) => {
    const inner = scope as unknown as Server;
    const parseJson = inner.getDefaultJsonParser('error', 'error');
    // JSON or nothing: a body of another type would reach no digest check.
    inner.removeAllContentTypeParsers();
    inner.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
      bodies.set(request, typeof body === 'string' ? utf8(body) : body);
      parseJson(request, body.toString('utf8'), done);
    });
    inner.addHook('preValidation', async (request) => {
      callers.set(request, await authenticate(request, bodies.get(request), deps));
    });
    routes(inner, (request) => {
      const caller = callers.get(request);
      if (caller === undefined) throw new TypeError('this route is outside the device scope');
      return caller;
    });
  });
}

async function authenticate(
  request: FastifyRequest,
  body: Uint8Array | undefined,
  { directory, database, surroundings }: DeviceAuthDeps,
): Promise<KnownDevice> {
  const { method, url = '', headers } = request.raw;
  const signed = { method: method ?? '', url, headers, ...(body === undefined ? {} : { body }) };
  const now = surroundings.now();
  const claimed = claimedKeyId(signed);
  const device = claimed === undefined ? undefined : await directory.deviceOfKey(claimed);
  if (device === undefined) throw authError('ERR_DEVICE_UNAUTHENTICATED');
  const verdict = await verifyRequest(signed, device.publicJwk, { now, maxAge: MAX_AGE });
  if (verdict.kind === 'refused' || !device.active) throw authError('ERR_DEVICE_UNAUTHENTICATED');
  if (!(await useNonce(database, verdict, now))) throw authError('ERR_DEVICE_REPLAYED');
  return device;
}

/** Answers false for a nonce of this key that is known. It is kept until no clock could call the request fresh. */
async function useNonce(
  sql: Sql,
  { keyId, nonce, created }: { readonly keyId: KeyId; readonly nonce: string; readonly created: Timestamp },
  now: Timestamp,
): Promise<boolean> {
  const rows = await sql.query('request-nonce', USE_NONCE, [keyId, nonce, Math.max(created, now) + 2 * MAX_AGE, now]);
  return rows.length === 1;
}
