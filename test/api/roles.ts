/**
 * Who asks, and who may: written by hand and apart from the code, so that an operation whose guard is forgotten, or that is
 * added without a line here, is found.
 */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Stage } from '../../packages/cli/src/story/stage.ts';
import { createSigningKey, type Signer } from '../../packages/crypto/src/signer/index.ts';
import { flowNameSchema, memberIdSchema } from '../../packages/protocol/src/index.ts';
import { bearer, call } from '../support/call.ts';
import { enrolByHand, type RawDevice, signedHeaders } from '../support/raw-device.ts';
import type { RunningHouse } from '../support/running-house.ts';
import { assertionBy } from '../support/signed.ts';
import type { Plan } from './cases.ts';
import type { Send } from './check.ts';
import { nameOf, type Operation } from './description.ts';

type Access = Pick<Plan, 'right' | 'wrong'>;

const DENIED = [403];
const UNKNOWN = [401];
/** Known, and not for this: refused at the latest by the policy, or for what the request names. */
const REFUSED = [400, 403, 404, 409];

const anybody: Access = { right: 'nobody', wrong: {} };
const approver: Access = {
  right: 'operator',
  wrong: { nobody: UNKNOWN, stranger: UNKNOWN, application: DENIED, alerts: DENIED },
};
const application: Access = {
  right: 'application',
  wrong: { nobody: UNKNOWN, stranger: UNKNOWN, operator: DENIED, alerts: DENIED },
};
const device: Access = {
  right: 'device',
  wrong: { nobody: UNKNOWN, stranger: UNKNOWN, altered: UNKNOWN, replayed: UNKNOWN, revoked: UNKNOWN },
};
const control: Access = { right: 'control', wrong: { dispatcher: DENIED } };
/** A token for the console's own listener is a credential there and nowhere else, and no other one is there. */
const NOT_AT_THE_CONSOLE = { nobody: UNKNOWN, stranger: UNKNOWN, operator: UNKNOWN, application: UNKNOWN };
const reader: Access = { right: 'reader', wrong: { ...NOT_AT_THE_CONSOLE, left: UNKNOWN } };

const ACCESS: Readonly<Record<string, Access>> = {
  'control GET /v1/trust': anybody,
  // What these carry proves who asks: an assertion, an approval or a code.
  'control POST /v1/token': anybody,
  'control POST /v1/members': anybody,
  'control POST /v1/applications': anybody,
  'control POST /v1/console/invites': anybody,
  'control POST /v1/alert-senders': anybody,
  'control PUT /v1/bundle': anybody,
  'control POST /v1/invites': anybody,
  'control POST /v1/vendors/switch': anybody,
  'control GET /v1/vendors': approver,
  'control POST /v1/enrollments': anybody,
  'control POST /v1/devices/revoke': anybody,
  'control POST /v1/messages': {
    right: 'application',
    wrong: { nobody: UNKNOWN, stranger: UNKNOWN, operator: REFUSED, alerts: REFUSED },
  },
  'control GET /v1/messages/{message}': {
    right: 'operator',
    wrong: { nobody: UNKNOWN, stranger: UNKNOWN, application: [404], alerts: [404] },
  },
  'control DELETE /v1/messages/{message}': {
    right: 'operator',
    wrong: { nobody: UNKNOWN, stranger: UNKNOWN, application: [404], alerts: [404] },
  },
  'control GET /v1/directory/{member}': approver,
  'control GET /v1/log/export': approver,
  'control POST /v1/alerts': {
    right: 'alerts',
    wrong: { nobody: UNKNOWN, stranger: UNKNOWN, operator: REFUSED, application: REFUSED },
  },
  'control POST /v1/subscriptions': application,
  'control GET /v1/subscriptions': application,
  'control DELETE /v1/subscriptions/{subscription}': application,
  'control POST /v1/subscriptions/{subscription}/secret': application,
  'control GET /v1/subscriptions/{subscription}/dead-letters': application,
  'control POST /v1/subscriptions/{subscription}/dead-letters/replay': application,
  'control POST /v1/subscriptions/{subscription}/dead-letters/{event}/replay': application,
  // The inbox's listener takes enrollments and nothing else.
  'inbox GET /v1/trust': anybody,
  'inbox POST /v1/enrollments': anybody,
  'console GET /v1/trust': anybody,
  'console POST /v1/token': anybody,
  'console POST /v1/console/sessions': anybody,
  'console DELETE /v1/console/sessions/current': { right: 'leaving', wrong: NOT_AT_THE_CONSOLE },
  'console GET /v1/console/messages': reader,
  'console GET /v1/console/changes': reader,
  'console GET /v1/console/flows': reader,
  'console GET /v1/console/log': reader,
  'console GET /v1/messages/{message}': reader,
  'console GET /v1/messages/{message}/evidence': reader,
  'devices GET /v1/log/checkpoint': anybody,
  'devices GET /v1/log/tile/{*}': anybody,
  'devices POST /v1/key-packages': device,
  'devices GET /v1/blobs/{blob}': device,
  'devices POST /v1/receipts': device,
  'webhooks GET /webhooks/{vendor}': anybody,
  'webhooks POST /webhooks/{vendor}': { right: 'provider', wrong: { nobody: [400, 401, 404] } },
};

/** Throws for an operation nobody has thought about. The whole internal listener is control's. */
export function accessTo(operation: Operation): Access {
  const access = operation.api === 'internal' ? control : ACCESS[nameOf(operation)];
  if (access === undefined) throw new Error(`who may ${nameOf(operation)}? Add it to test/api/roles.ts`);
  return access;
}

export interface Cast {
  readonly tablet: RawDevice;
  /** Enrolled, and revoked since. */
  readonly lost: RawDevice;
  readonly send: Send;
}

/** Everybody who will ask, with what they have: keys, tokens, certificates. */
export async function castOf(house: RunningHouse, stage: Stage): Promise<Cast> {
  const tablet = await enrolByHand(house, await stage.operator.inviteDevice(stage.member));
  const lost = await enrolByHand(house, await stage.operator.inviteDevice(stage.member));
  await stage.operator.revokeDevice(stage.member, lost.device, 'lost');
  const sender = memberIdSchema.parse('alertmanager-api');
  const tokens: Readonly<Record<string, string>> = {
    application: await stage.applicationToken(),
    operator: await stage.operator.token(),
    alerts: await stage.operator.registerAlertSender(sender, flowNameSchema.parse(stage.flow), stage.member),
    stranger: 'eyJhbGciOiJub25lIn0.e30.',
    reader: await consoleToken(house, stage),
    leaving: await consoleToken(house, stage),
    left: await consoleToken(house, stage),
  };
  const leave = { method: 'DELETE', url: `${urlOf(house, 'console')}/v1/console/sessions/current` };
  await call({ ...leave, headers: bearer(tokens.left ?? '') });
  const keys: Readonly<Record<string, Signer>> = {
    device: tablet.signer,
    altered: tablet.signer,
    replayed: tablet.signer,
    revoked: lost.signer,
    stranger: (await createSigningKey('ES256')).signer,
  };
  const certificates = { control: house.controlCertificate, dispatcher: await house.certificateOf('dispatcher') };
  const clientToken = readFileSync(join(house.sealpost.folder.zone('dispatcher'), 'providers/rcs-client-token'));
  const send: Send = async (request, role, api) => {
    const { method, path, body, type, announced } = request;
    const plain = {
      method,
      url: `${urlOf(house, api)}${path}`,
      headers: {
        ...(type === undefined || body === undefined ? {} : { 'content-type': type }),
        ...(announced === undefined ? {} : { 'content-length': String(announced) }),
      },
      ...(body === undefined ? {} : { body }),
    };
    const withHeaders = (headers: Readonly<Record<string, string>>) =>
      call({ ...plain, headers: { ...plain.headers, ...headers } });
    if (api === 'internal')
      return call({ ...plain, certificate: role === 'dispatcher' ? certificates.dispatcher : certificates.control });
    if (api === 'webhooks') return role === 'provider' ? call(signedWebhook(plain, clientToken)) : call(plain);
    const key = keys[role];
    if (api === 'devices' && key !== undefined && isDecodable(path)) {
      const signed = { method, path: role === 'altered' ? `${path}0` : path, ...(body === undefined ? {} : { body }) };
      const headers = await signedHeaders(house, key, signed);
      // The first use is a good one, of whatever it says.
      if (role === 'replayed') await withHeaders(headers);
      return withHeaders(headers);
    }
    const token = tokens[role];
    if (api === 'console' && token !== undefined) return withHeaders(bearer(token));
    if (api === 'control' && token !== undefined)
      return withHeaders({ ...bearer(token), 'idempotency-key': house.surroundings.uuid() });
    return call(plain);
  };
  return { tablet, lost, send };
}

/** Signed in as a browser does: a code, a key of its own, an assertion for scope `console`. */
async function consoleToken(house: RunningHouse, stage: Stage): Promise<string> {
  const url = urlOf(house, 'console');
  const { signer } = await createSigningKey('ES256');
  const post = (path: string, body: unknown) =>
    call({
      method: 'POST',
      url: `${url}${path}`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const signedIn = await post('/v1/console/sessions', {
    code: await stage.operator.inviteConsole(),
    publicKey: signer.publicJwk,
  });
  const { session } = JSON.parse(signedIn.text) as { session: string };
  const token = await post('/v1/token', {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await assertionBy(signer, session, house.surroundings),
    scope: 'console',
  });
  return (JSON.parse(token.text) as { access_token: string }).access_token;
}

function urlOf({ urls, sealpost }: RunningHouse, api: string): string {
  if (api === 'webhooks') return `http://127.0.0.1:${sealpost.ports.webhooks}`;
  if (api === 'console') return `http://127.0.0.1:${sealpost.ports.console}`;
  if (api === 'control' || api === 'devices' || api === 'internal' || api === 'inbox') return urls[api];
  throw new Error(`no listener ${api}`);
}

/** As Google sends it: whatever it is about, in base64, under a signature of those bytes. */
function signedWebhook<Plain extends { readonly body?: string; readonly headers: Readonly<Record<string, string>> }>(
  plain: Plain,
  clientToken: Uint8Array,
): Plain {
  const { body } = plain;
  if (body === undefined) return plain;
  const data = Buffer.from(body);
  const signature = createHmac('sha512', clientToken).update(data).digest('base64');
  return {
    ...plain,
    headers: { ...plain.headers, 'x-goog-signature': signature },
    body: JSON.stringify({ message: { data: data.toString('base64') } }),
  };
}

function isDecodable(path: string): boolean {
  try {
    return decodeURI(path) !== '';
  } catch {
    return false;
  }
}
