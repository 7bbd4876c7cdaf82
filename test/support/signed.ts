/** What is signed by hand to be right or wrong in one place, and the code it is refused with. */
import { createHash } from 'node:crypto';
import { type Signer, signJws } from '../../packages/crypto/src/signer/index.ts';
import type { Surroundings } from '../../packages/platform/src/index.ts';
import {
  APPROVAL_TYPE,
  type ApprovedObject,
  canonicalBytes,
  type SubmissionResult,
  toBase64url,
} from '../../packages/protocol/src/index.ts';
import { callJson } from './call.ts';

/** Where control takes what an approver signed. */
export const APPROVED_PATHS: readonly string[] = [
  '/v1/members',
  '/v1/applications',
  '/v1/alert-senders',
  '/v1/invites',
  '/v1/devices/revoke',
  '/v1/bundle',
  '/v1/console/invites',
  '/v1/vendors/switch',
];

/** A client assertion (RFC 7523 section 3) valid for a minute, with claims changed at will. */
export function assertionBy(
  key: Signer,
  subject: string,
  { now, uuid }: Pick<Surroundings, 'now' | 'uuid'>,
  change: Record<string, unknown> = {},
): Promise<string> {
  const seconds = Math.floor(now() / 1000);
  const claims = {
    iss: subject,
    sub: subject,
    aud: 'control',
    iat: seconds,
    exp: seconds + 60,
    jti: uuid(),
  };
  return signJws('JWT', { ...claims, ...change }, key);
}

/** An approval of any object under any action, valid for a minute. */
export function approvalBy(approver: Signer, action: string, object: unknown, now: number): Promise<string> {
  const hash = createHash('sha256')
    .update(canonicalBytes(object as ApprovedObject<'bundle.apply'>))
    .digest();
  const approval = {
    v: 1,
    organisation: 'acme.example',
    action,
    object: toBase64url(hash),
    approver: approver.keyId,
    issued: now,
    expires: now + 60_000,
  };
  return signJws(APPROVAL_TYPE, approval, approver);
}

export function publicKeyOf({ publicJwk }: Signer): { kty: 'OKP'; crv: 'Ed25519'; x: string } {
  if (publicJwk.kty !== 'OKP') throw new TypeError('an application’s key is Ed25519');
  return { kty: publicJwk.kty, crv: publicJwk.crv, x: publicJwk.x };
}

/** Alertmanager's webhook for one alert, told apart by `id`. */
export function plannedWork(id: string) {
  const labels = { alertname: 'PlannedWork' };
  return {
    version: '4',
    groupKey: `{}:{alertname="PlannedWork"}#${id}`,
    status: 'firing',
    receiver: 'sealpost',
    groupLabels: labels,
    commonLabels: labels,
    commonAnnotations: {},
    externalURL: 'http://alertmanager.acme.example',
    alerts: [
      {
        status: 'firing',
        labels,
        annotations: {},
        startsAt: '2026-01-01T00:00:00Z',
        endsAt: '0001-01-01T00:00:00Z',
        generatorURL: 'http://prometheus.acme.example',
        fingerprint: 'c0ffee',
      },
    ],
  };
}

interface Refusal {
  readonly code?: unknown;
}

/** The code something was refused with; says so when it was not. */
export async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'not refused',
    (cause: Refusal) => cause.code ?? cause,
  );
}

/** The code an envelope was refused with, whether its whole submission was or only it. */
export async function outcomeOf(work: Promise<SubmissionResult>): Promise<unknown> {
  return work.then(
    ({ results: [result] }) => (result?.outcome === 'refused' ? result.code : result?.outcome),
    (cause: Refusal) => cause.code ?? cause,
  );
}

/** Every operation of a server, as its own description names them. */
export async function operationsOf(url: string): Promise<{ method: string; path: string; url: string }[]> {
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, unknown>>;
  };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path, url })),
  );
}

/** Asks control for a token; the code it is refused with, `undefined` when it is given. */
export async function tokenRefusal(control: string, assertion: string, scope: string): Promise<string | undefined> {
  const json = {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
    scope,
  };
  return (await callJson({ method: 'POST', url: `${control}/v1/token`, json })).code;
}

/** A message of no matter on a flow. */
export const messageOn = (flow: string) => ({
  flow,
  to: 'alice',
  content: { subject: 'Work tonight', body: 'from ten to eleven' },
});
