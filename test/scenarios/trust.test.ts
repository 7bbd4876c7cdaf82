import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../packages/cli/src/bootstrap/bootstrap.ts';
import { compileFolder } from '../../packages/cli/src/manifests/compile-folder.ts';
import { requestToken } from '../../packages/cli/src/operator/operator.ts';
import type { Stage } from '../../packages/cli/src/story/stage.ts';
import { createFileStore, enroll, openDevice } from '../../packages/client/src/index.ts';
import { createSigningKey, type Signer, signBatch, signJws } from '../../packages/crypto/src/signer/index.ts';
import {
  BUNDLE_TYPE,
  type Bundle,
  controlApi,
  type Envelope,
  flowNameSchema,
  type MessageId,
  memberIdSchema,
  type Submission,
  submissionSchema,
  toBase64url,
} from '../../packages/protocol/src/index.ts';
import { bearer, call, callJson } from '../support/call.ts';
import { countsOf, settledSize } from '../support/changes.ts';
import { enrolByHand, enrollmentBody, type RawDevice, signedHeaders } from '../support/raw-device.ts';
import { has, readOnPhone } from '../support/reading.ts';
import { openHouse, type RunningHouse } from '../support/running-house.ts';
import {
  APPROVED_PATHS,
  approvalBy,
  assertionBy,
  codeOf,
  messageOn,
  operationsOf,
  outcomeOf,
  plannedWork,
  publicKeyOf,
  tokenRefusal,
} from '../support/signed.ts';
import { until } from '../support/until.ts';

const INCIDENTS = flowNameSchema.parse('incident-alerts');
const MAINTENANCE = flowNameSchema.parse('maintenance');
const ALICE = memberIdSchema.parse('alice');
const BOB = memberIdSchema.parse('bob');

let house: RunningHouse;
let stage: Stage;
let tablet: RawDevice;
/** A second flow, to be outside of: the same agent, the same floor. */
let bundle: Bundle;

beforeAll(async () => {
  house = await openHouse(6250);
  stage = await house.stage();
  const now = house.surroundings.now();
  const compiled = await compileFolder(house.manifests, {
    organisation: stage.operator.organisation,
    version: now,
    issued: now,
    lifetime: 86_400_000,
  });
  bundle = { ...compiled, flows: [...compiled.flows, { ...compiled.flows[0]!, name: MAINTENANCE }] };
  await stage.operator.applyBundle(bundle);
  await stage.operator.registerMember(BOB, 'Bob Berg', undefined);
  tablet = await enrolByHand(house, await stage.operator.inviteDevice(BOB));
}, 120_000);
afterAll(() => house?.close());

/** Nothing was stored and the log is as long as before. */
async function changesNothing(work: () => Promise<void>): Promise<void> {
  const before = { size: await settledSize(house), counts: await countsOf(house) };
  await work();
  expect({ size: await settledSize(house), counts: await countsOf(house) }).toEqual(before);
}

describe('tokens', () => {
  const application = memberIdSchema.parse('status-board');
  let key: Signer;
  beforeAll(async () => {
    key = (await createSigningKey('EdDSA')).signer;
    await stage.operator.registerApplication(application, publicKeyOf(key), [MAINTENANCE]);
  });

  test('an assertion by a key that is not registered gets no token', async () => {
    const stranger = (await createSigningKey('EdDSA')).signer;
    expect(await askToken(await assertionOf(stranger, application), 'flow:maintenance')).toBe('ERR_IDENTITY_ASSERTION');
    expect(await askToken(await assertionOf(key, 'nobody'), 'flow:maintenance')).toBe('ERR_IDENTITY_ASSERTION');
  });

  test('an application gets no token for a flow it is not registered for, nor an operator’s', async () => {
    expect(await askToken(await assertionOf(key, application), 'flow:incident-alerts')).toBe('ERR_IDENTITY_SCOPE');
    expect(await askToken(await assertionOf(key, application), 'operator')).toBe('ERR_IDENTITY_ASSERTION');
  });

  test('an assertion that has expired, is for somebody else, or comes twice gets no token', async () => {
    const hourAgo = Math.floor(house.surroundings.now() / 1000) - 3600;
    const expired = await assertionOf(key, application, { iat: hourAgo, exp: hourAgo + 60 });
    expect(await askToken(expired, 'flow:maintenance')).toBe('ERR_IDENTITY_EXPIRED');
    const elsewhere = await assertionOf(key, application, { aud: 'gateway' });
    expect(await askToken(elsewhere, 'flow:maintenance')).toBe('ERR_IDENTITY_AUDIENCE');
    const once = await assertionOf(key, application);
    expect(await askToken(once, 'flow:maintenance')).toBeUndefined();
    expect(await askToken(once, 'flow:maintenance')).toBe('ERR_IDENTITY_REPLAYED');
  });

  test('a token for one flow sends on no other, reads no log, and is refused once a letter of it is changed', async () => {
    const token = await requestToken(stage.control, key, application, 'flow:maintenance', house.surroundings);
    await changesNothing(async () => {
      const other = await callJson({ ...messagesCall(token), json: messageOn(INCIDENTS) });
      expect(other).toMatchObject({ status: 403, code: 'ERR_POLICY_DENIED' });
      const log = await call({ method: 'GET', url: `${house.urls.control}/v1/log/export`, headers: bearer(token) });
      expect(log).toMatchObject({ status: 403, code: 'ERR_MESSAGES_OPERATOR' });
      const forged = token.replace(/\.[^.]*$/, (signature) =>
        signature
          .split('')
          .reverse()
          .join('')
          .replace(/^(.*)\.$/, '.$1'),
      );
      const changed = await callJson({ ...messagesCall(forged), json: messageOn(MAINTENANCE) });
      expect(changed).toMatchObject({ status: 401, code: 'ERR_IDENTITY_UNAUTHENTICATED' });
    });
  });
});

test('an alert sender’s secret is good for its own flow’s alerts and nothing else', async () => {
  const secret = await stage.operator.registerAlertSender(memberIdSchema.parse('maintenance-mail'), MAINTENANCE, ALICE);
  const accepted = await callJson({
    method: 'POST',
    url: `${house.urls.control}/v1/alerts`,
    headers: bearer(secret),
    json: alert(),
  });
  expect(accepted.status).toBe(202);
  const { message } = controlApi.messageAcceptedSchema.parse(JSON.parse(accepted.text));
  expect(await stage.status(message), 'the flow is the secret’s, not the sender’s to name').toMatchObject({
    flow: MAINTENANCE,
  });
  await changesNothing(async () => {
    expect(await callJson({ ...messagesCall(secret), json: messageOn(INCIDENTS) })).toMatchObject({
      status: 403,
      code: 'ERR_POLICY_DENIED',
    });
    const wrong = `${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`;
    const renamed = secret.replace('maintenance-mail', 'alertmanager');
    for (const credential of [wrong, renamed]) {
      const refused = await callJson({
        method: 'POST',
        url: `${house.urls.control}/v1/alerts`,
        headers: bearer(credential),
        json: alert(),
      });
      expect(refused).toMatchObject({ status: 401, code: 'ERR_IDENTITY_UNAUTHENTICATED' });
    }
  });
  await readByAlice(message);
  const application = await stage.applicationToken();
  const asAlert = await callJson({
    method: 'POST',
    url: `${house.urls.control}/v1/alerts`,
    headers: bearer(application),
    json: alert(),
  });
  expect(asAlert).toMatchObject({ status: 403, code: 'ERR_ALERTS_SENDER' });
});

describe('enrollment', () => {
  const enrolling = async (code: string, signer: Signer) =>
    callJson({ method: 'POST', url: `${house.urls.control}/v1/enrollments`, json: await enrollmentBody(code, signer) });

  test('a wrong code enrols nothing', async () => {
    const { signer } = await createSigningKey('ES256');
    await changesNothing(async () => {
      expect(await enrolling('0000-0000-0000', signer)).toMatchObject({ status: 403, code: 'ERR_ENROLLMENT_CODE' });
    });
  });

  test('a code enrols one device; another key with the same code is refused', async () => {
    const code = await stage.operator.inviteDevice(BOB);
    await enrolByHand(house, code);
    const { signer } = await createSigningKey('ES256');
    await changesNothing(async () => {
      expect(await enrolling(code, signer)).toMatchObject({ status: 409, code: 'ERR_ENROLLMENT_USED' });
    });
  });

  test('a code is for the member who was invited: alice’s gives no device of bob, nor takes over bob’s key', async () => {
    const code = await stage.operator.inviteDevice(ALICE);
    await changesNothing(async () => {
      expect(await enrolling(code, tablet.signer)).toMatchObject({ status: 409, code: 'ERR_ENROLLMENT_KEY' });
      const body = { ...(await enrollmentBody(code, tablet.signer)), member: 'bob' };
      const named = await callJson({ method: 'POST', url: `${house.urls.control}/v1/enrollments`, json: body });
      expect(named).toMatchObject({ status: 400, code: 'ERR_HTTP_INVALID' });
    });
  });

  test('a request that does not prove its key is refused', async () => {
    const code = await stage.operator.inviteDevice(BOB);
    const body = await enrollmentBody(code, (await createSigningKey('ES256')).signer);
    const request = Buffer.from(body.request, 'base64url');
    request[request.length - 1]! ^= 1;
    const forged = { ...body, request: toBase64url(request) };
    expect(await callJson({ method: 'POST', url: `${house.urls.control}/v1/enrollments`, json: forged })).toMatchObject(
      {
        status: 400,
        code: 'ERR_ENROLLMENT_POSSESSION',
      },
    );
  });
});

test('an approval is good for exactly one object, by an approver', async () => {
  const store = openStore(house.sealpost.operator);
  const object = { member: memberIdSchema.parse('mallory'), displayName: 'Mallory', nonce: nonce() };
  const approved = await approvalOf('member.register', object, await store.signer('approver'));
  const posting = (json: unknown) => callJson({ method: 'POST', url: `${house.urls.control}/v1/members`, json });
  await changesNothing(async () => {
    const other = { ...object, displayName: 'Alice Anders' };
    expect(await posting({ object: other, approval: approved })).toMatchObject({
      status: 403,
      code: 'ERR_IDENTITY_APPROVAL',
    });
    const byOperator = await approvalOf('member.register', object, await store.signer('operator'));
    expect(await posting({ object, approval: byOperator })).toMatchObject({
      status: 403,
      code: 'ERR_IDENTITY_APPROVAL',
    });
  });
});

test('a request from this machine without a credential is refused on every protected route', async () => {
  const { control, devices } = house.urls;
  const message = '0190b5f0-0000-7000-8000-000000000000';
  const open = ['/v1/token', '/v1/trust', '/v1/enrollments', '/v1/log/checkpoint', '/v1/log/tile/'];
  await changesNothing(async () => {
    for (const { method, path, url } of [...(await operationsOf(control)), ...(await operationsOf(devices))]) {
      if (open.some((prefix) => path.startsWith(prefix))) continue;
      const filled = path
        .replace('{message}', message)
        .replace('{member}', 'alice')
        .replace(/\{[^}]+\}/, 'x'.repeat(43));
      // Without a length Node sends a DELETE’s body as the start of another request.
      const body =
        method === 'GET' || method === 'DELETE' ? {} : { headers: { 'content-type': 'application/json' }, body: '{}' };
      const answer = await call({ method, url: `${url}${filled}`, ...body });
      // What an approver signs is itself the credential: without one there is nothing to check.
      expect({ path, status: answer.status }).toEqual({ path, status: APPROVED_PATHS.includes(path) ? 400 : 401 });
    }
    const forwarded = { 'x-forwarded-for': '127.0.0.1', 'x-real-ip': '127.0.0.1', host: 'localhost' };
    expect(await call({ method: 'GET', url: `${control}/v1/log/export`, headers: forwarded })).toMatchObject({
      status: 401,
    });
  });
});

describe('device requests', () => {
  const body = JSON.stringify({ receipts: ['not.a.receipt'] });
  const request = { method: 'POST', path: '/v1/receipts', body };
  const posting = (headers: Readonly<Record<string, string>>, sent = body) =>
    call({
      method: 'POST',
      url: `${house.urls.devices}/v1/receipts`,
      headers: { 'content-type': 'application/json', ...headers },
      body: sent,
    });

  test('unsigned, signed by a stranger, or changed on the way, a device’s request is refused', async () => {
    await changesNothing(async () => {
      const refused = { status: 401, code: 'ERR_DEVICE_UNAUTHENTICATED' };
      expect(await posting({})).toMatchObject(refused);
      const stranger = (await createSigningKey('ES256')).signer;
      expect(await posting(await signedHeaders(house, stranger, request))).toMatchObject(refused);
      const changed = JSON.stringify({ receipts: ['not.a.receipx'] });
      expect(await posting(await signedHeaders(house, tablet.signer, request), changed)).toMatchObject(refused);
      const forAnother = await signedHeaders(house, tablet.signer, { ...request, path: '/v1/key-packages' });
      expect(await posting(forAnother)).toMatchObject(refused);
    });
  });

  test('a device’s request is taken once: the same nonce again is refused', async () => {
    const headers = await signedHeaders(house, tablet.signer, request);
    expect(await posting(headers)).toMatchObject({ status: 200 });
    expect(await posting(headers)).toMatchObject({ status: 401, code: 'ERR_DEVICE_REPLAYED' });
    const reused = /nonce="([^"]+)"/.exec(headers['signature-input'] ?? '')?.[1];
    expect(await posting(await signedHeaders(house, tablet.signer, request, reused))).toMatchObject({
      code: 'ERR_DEVICE_REPLAYED',
    });
  });
});

describe('bundles', () => {
  /** Three ways a bundle is not what an operator signed, each with an approver’s consent to exactly that text. */
  const unsigned = async (): Promise<[string, string][]> => {
    const store = openStore(house.sealpost.operator);
    const next = { ...bundle, version: house.surroundings.now() };
    const signed = await stage.operator.signBundle(next);
    const [head, , signature] = signed.split('.');
    const lowered = { ...next, flows: next.flows.map((flow) => ({ ...flow, floor: 'none' })) };
    const changed = [head, toBase64url(Buffer.from(JSON.stringify(lowered))), signature].join('.');
    const stranger = (await createSigningKey('EdDSA')).signer;
    const texts = [
      changed,
      [head, toBase64url(Buffer.from(JSON.stringify(next))), ''].join('.'),
      await signJws(BUNDLE_TYPE, next, stranger),
      await signJws(BUNDLE_TYPE, next, await store.signer('approver')),
    ];
    const approver = await store.signer('approver');
    return Promise.all(
      texts.map(
        async (text): Promise<[string, string]> => [text, await approvalOf('bundle.apply', { bundle: text }, approver)],
      ),
    );
  };

  test('control refuses a bundle that no operator signed, or that was changed', async () => {
    await changesNothing(async () => {
      for (const [text, approval] of await unsigned()) {
        const answer = await callJson({
          method: 'PUT',
          url: `${house.urls.control}/v1/bundle`,
          json: { object: { bundle: text }, approval },
        });
        expect(answer).toMatchObject({ status: 422, code: 'ERR_FLOWS_SIGNATURE' });
      }
    });
  });

  test('the gateway refuses it too, even from control itself', async () => {
    await changesNothing(async () => {
      for (const [text, approval] of await unsigned())
        expect(await codeOf(house.internal.putBundle(text, approval))).toBe('ERR_BUNDLE_SIGNATURE');
      const good = await stage.operator.signBundle({ ...bundle, version: house.surroundings.now() });
      const other = await approvalOf(
        'bundle.apply',
        { bundle: `${good}x` },
        await openStore(house.sealpost.operator).signer('approver'),
      );
      expect(await codeOf(house.internal.putBundle(good, other))).toBe('ERR_BUNDLE_APPROVAL');
    });
    expect((await house.internal.bundle()).version).toBe(bundle.version);
  });
});

describe('the gateway’s internal listener', () => {
  const url = () => `${house.urls.internal}/internal/v1/bundle`;

  test('answers control', async () => {
    const certificate = house.controlCertificate;
    expect(await call({ method: 'GET', url: url(), certificate })).toMatchObject({ status: 200 });
  });

  test('refuses whoever shows no certificate', async () => {
    await expect(call({ method: 'GET', url: url() })).rejects.toThrow(
      /certificate required|ECONNRESET|socket hang up/i,
    );
    await expect(call({ method: 'GET', url: url().replace('https:', 'http:') })).rejects.toThrow();
  });

  test('refuses a device’s certificate, and another service’s', async () => {
    const refusal = await call({ method: 'GET', url: url(), certificate: tablet.certificate }).then(
      ({ code }) => code ?? 'answered',
      (cause: unknown) => String(cause),
    );
    expect(refusal).toMatch(/ERR_SERVICE_DENIED|certificate|ECONNRESET|socket hang up/i);
    const certificate = await house.certificateOf('dispatcher');
    expect(await call({ method: 'GET', url: url(), certificate })).toMatchObject({
      status: 403,
      code: 'ERR_SERVICE_DENIED',
    });
  });
});

describe('the floor', () => {
  /** The newest envelope that control sealed, as it stored it. */
  const envelope = async (): Promise<Envelope> => {
    const { message } = await stage.sendAlert('FloorCheck', 'firing');
    await readByAlice(message);
    const [row] = await house.databases.control.query<{ submission: Uint8Array }>(
      'submission',
      'SELECT submission FROM message_request WHERE message = $1',
      [message],
    );
    const submission: Submission = submissionSchema.parse(JSON.parse(Buffer.from(row!.submission).toString('utf8')));
    return submission.envelopes[0]!.envelope;
  };
  /** Signed as control signs, with control’s own key, under a new message id. */
  const submitted = async (sealed: Envelope, change: Partial<Envelope>) => {
    const submit = await openStore(house.sealpost.folder.zone('control')).signer('submit');
    const message = house.surroundings.messageId();
    const terms = {
      audience: house.trust.gateway.audience,
      bundle: sealed.bundle,
      expires: house.surroundings.now() + 60_000,
    };
    return signBatch([{ ...sealed, message, ...change }], terms, submit);
  };

  test('an envelope that carries content below the floor is refused by the gateway, whoever signed it', async () => {
    const sealed = await envelope();
    const carried = sealed.parts.map((part) =>
      part.form === 'carrier' && part.channel === 'sms-main' ? { ...part, use: 'carry' as const } : part,
    );
    expect(carried).not.toEqual(sealed.parts);
    const onlyCarried = carried.filter((part) => part.form === 'carrier' && part.use === 'carry');
    await changesNothing(async () => {
      for (const parts of [carried, onlyCarried, [...sealed.parts, ...onlyCarried]])
        expect(await outcomeOf(house.internal.submit(await submitted(sealed, { parts })))).toBe(
          'ERR_ROUTING_BELOW_FLOOR',
        );
    });
  });

  test('an envelope that names a lower floor or classification than its flow is refused by the gateway', async () => {
    const sealed = await envelope();
    await changesNothing(async () => {
      for (const change of [
        { floor: 'none' },
        { floor: 'transport' },
        { classification: 'public' },
      ] as Partial<Envelope>[])
        expect(await outcomeOf(house.internal.submit(await submitted(sealed, change)))).toBe('ERR_ENVELOPES_FLOOR');
    });
  });
});

test('a revoked device is cut off at once and reads nothing sent afterwards, while the other reads on', async () => {
  const folder = join(house.folder, 'lost-phone');
  const store = await createFileStore(folder, join(house.folder, 'lost-phone-kek'));
  const code = await stage.operator.inviteDevice(ALICE);
  await enroll({
    control: house.urls.control,
    code,
    name: 'lost phone',
    store,
    rootFingerprint: house.sealpost.rootFingerprint,
    surroundings: house.surroundings,
  });
  const lost = await openDevice({ store, surroundings: house.surroundings });
  try {
    const { laptop } = stage;
    await Promise.all([lost.connect(), laptop.connect()]);
    const before = await stage.sendAlert('BeforeTheLoss', 'firing');
    for (const device of [lost, laptop]) await until('the first alert on both', () => has(device, before.message));

    const refused = new Promise<string | undefined>((resolve) =>
      lost.on(({ kind, code: why }) => (kind === 'problem' && why === 'ERR_CLIENT_REFUSED' ? resolve(why) : undefined)),
    );
    expect(await stage.operator.revokeDevice(ALICE, lost.identity.device, 'lost in a taxi')).toBe('done');
    expect(await refused).toBe('ERR_CLIENT_REFUSED');
    expect(lost.online).toBe(false);
    await lost.open(before.message);
    expect(await codeOf(lost.sendReceipts()), 'signed requests are refused as well').toBe('ERR_DEVICE_UNAUTHENTICATED');
    expect(await codeOf(lost.connect())).toBe('ERR_CLIENT_REFUSED');

    const after = await stage.sendAlert('AfterTheLoss', 'firing');
    await until('the next alert on the laptop', () => has(laptop, after.message));
    const commits = await house.databases.gateway.query<{ record: string }>(
      'commits',
      "SELECT record FROM lane_event WHERE kind = 'group.committed' ORDER BY at DESC LIMIT 1",
      [],
    );
    const { epoch, conversation } = JSON.parse(commits[0]!.record) as { epoch: number; conversation: string };
    const [sealed] = await house.databases.gateway.query<{ body: Uint8Array }>(
      'sealed',
      'SELECT body FROM envelope WHERE message = $1',
      [after.message],
    );
    const opened = JSON.parse(Buffer.from(sealed!.body).toString('utf8')) as Envelope;
    expect(opened.conversation).toBe(conversation);
    const [part] = opened.parts;
    expect(part?.form === 'device' && part.epoch, 'sealed after the commit that removed it').toBeGreaterThan(epoch - 1);
    const state = await house.internal.conversation(opened.conversation);
    expect(state?.devices).toContain(laptop.identity.device);
    expect(state?.devices).not.toContain(lost.identity.device);
    const queued = await house.databases.gateway.query(
      'queued',
      'SELECT 1 AS one FROM device_queue WHERE device = $1 AND message = $2',
      [lost.identity.device, after.message],
    );
    expect(queued, 'nothing waits for it').toEqual([]);
    expect((await lost.inbox()).map(({ message }) => message)).not.toContain(after.message);
  } finally {
    await stage.laptop.disconnect();
    await lost.close();
  }
});

const readByAlice = (message: MessageId) => readOnPhone(stage, message);
const askToken = (assertion: string, scope: string) => tokenRefusal(house.urls.control, assertion, scope);
const assertionOf = (key: Signer, subject: string, change: Record<string, unknown> = {}) =>
  assertionBy(key, subject, house.surroundings, change);
const approvalOf = (action: string, object: unknown, approver: Signer) =>
  approvalBy(approver, action, object, house.surroundings.now());
const alert = () => plannedWork(house.surroundings.uuid());
const nonce = () => toBase64url(house.surroundings.random(16));

const messagesCall = (credential: string) => ({
  method: 'POST',
  url: `${house.urls.control}/v1/messages`,
  headers: { ...bearer(credential), 'idempotency-key': house.surroundings.uuid() },
});
