/**
 * `rcs-aws` beyond the contract: what requests say and never say, whose signature they bear, and which SNS deliveries count.
 * Certificates are made by `openssl`; the signer is compared with AWS's own.
 */
import { execFileSync } from 'node:child_process';
import { createHash, createHmac, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Payload } from '@sealpost/protocol/carriage';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { RawWebhook } from '../src/index.ts';
import { isSnsUrl } from '../src/rcs-aws/sns-signature.ts';
import { attemptTo } from './contract.ts';
import { clearOf, openLink, PAYLOAD_NAMES, PAYLOADS } from './payloads.ts';
import { type Answering, type Asked, failing, json, recordedAdapter } from './recorded-provider.ts';

const ALICE = '+14255550182';
/** After the certificates below begin. */
const NOW = Date.now() + 60_000;
const TOPIC = 'arn:aws:sns:eu-central-1:123456789012:sealpost-rcs';
const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const AGENT = 'rcs-c020de2520714385964ebf7b095c4b60';
const FILES = { secret: SECRET };
const SETTINGS = {
  region: 'eu-central-1',
  agent: `arn:aws:sms-voice:eu-central-1:123456789012:rcs-agent/${AGENT}`,
  configuration_set: 'sealpost',
  access_key_id: 'AKIAIOSFODNN7EXAMPLE',
  secret_access_key_file: 'secret',
  topic_arns: [TOPIC],
};
const folder = mkdtempSync(join(tmpdir(), 'sns-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A key and a certificate of SNS's form, self-signed: only where it is fetched from makes it Amazon's. */
function issue(name: string, days: number) {
  const files = ['-keyout', `${name}.key`, '-out', `${name}.pem`];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', String(days), '-subj', `/CN=${name}`];
  execFileSync('openssl', [...request, ...files], { cwd: folder, stdio: 'ignore' });
  return { key: readFileSync(join(folder, `${name}.key`)), pem: readFileSync(join(folder, `${name}.pem`), 'utf8') };
}
const sns = issue('sns.amazonaws.com', 36_500);
const stranger = issue('stranger.example', 36_500);

const HOST = 'https://sns.eu-central-1.amazonaws.com';
const CERTIFICATE_URL = `${HOST}/SimpleNotificationService-7506a1e35b36ef5a444dd1a8e7cc3ed8.pem`;
const taken: Answering = () => json(200, { MessageId: 'aws-message-1' });
const adapterOf = (answer: Answering, settings: object = SETTINGS) =>
  recordedAdapter('rcs-aws', settings, FILES, answer, { now: () => NOW });

async function send(answer: Answering, payload: Payload = PAYLOADS.text, expires = NOW + 600_000) {
  const { adapter, asked } = adapterOf(answer);
  const outcome = await adapter.send(attemptTo(ALICE, { payload, expires }));
  return { outcome, asked, body: JSON.parse(asked[0]?.body ?? '{}') };
}

describe('requests', () => {
  it.each(PAYLOAD_NAMES)('carry a %s by the agent itself: there is no fallback in them', async (kind) => {
    const { outcome, asked, body } = await send(taken, PAYLOADS[kind]);
    expect(outcome).toEqual({ kind: 'accepted', providerMessageId: 'aws-message-1' });
    expect(asked[0]?.url.href).toBe('https://sms-voice.eu-central-1.amazonaws.com/');
    expect(asked[0]?.headers.get('x-amz-target')).toBe('PinpointSMSVoiceV2.SendRcsMessage');
    expect(asked[0]?.headers.get('content-type')).toBe('application/x-amz-json-1.0');
    expect(Object.keys(body)).toEqual([
      'DestinationPhoneNumber',
      'OriginationIdentity',
      'RcsMessageContent',
      'TimeToLive',
      'ConfigurationSetName',
    ]);
    expect(body).toMatchObject({ DestinationPhoneNumber: ALICE, OriginationIdentity: SETTINGS.agent });
    expect(asked[0]?.body).not.toMatch(/fallback/i);
  });

  it('show a card for a title, a text otherwise, and link to a file, which would have to lie in S3', async () => {
    const chips = [
      { Reply: { Text: 'Acknowledge', PostbackData: 'ack:42' } },
      { OpenUrl: { Text: 'Open', PostbackData: 'open', Url: 'https://inbox.example/m/42#key' } },
    ];
    expect((await send(taken, PAYLOADS.suggestions)).body.RcsMessageContent).toEqual({
      Content: { TextMessage: { Body: 'Disk full on db1' } },
      Suggestions: chips,
    });
    expect((await send(taken, PAYLOADS.card)).body.RcsMessageContent).toEqual({
      Content: {
        RichCard: {
          CardOrientation: 'VERTICAL',
          CardContent: { Title: 'db1 is down', Description: 'Disk full on db1', Suggestions: chips },
        },
      },
    });
    expect((await send(taken, PAYLOADS.file)).body.RcsMessageContent.Content.TextMessage.Body).toBe(
      'Disk full on db1\nchart.png: https://files.example/chart.png',
    );
  });

  it('write a link that is not https into the text, because such a button is refused', async () => {
    const link = { ...openLink, url: 'http://inbox.example/m' };
    expect((await send(taken, clearOf({ suggestions: [link] }))).body.RcsMessageContent).toEqual({
      Content: { TextMessage: { Body: 'Disk full on db1\nOpen: http://inbox.example/m' } },
    });
  });

  it('say how long to keep trying: at most two days, and none is made with no time left', async () => {
    expect((await send(taken, PAYLOADS.text, NOW + 90 * 86_400_000)).body.TimeToLive).toBe(172_800);
    const late = await send(taken, PAYLOADS.text, NOW);
    expect([late.outcome.kind, late.asked.length]).toEqual(['permanent', 0]);
  });

  it('bear the signature AWS’s own signer makes of them', async () => {
    const { asked } = await send(taken, PAYLOADS.card);
    const [{ headers, body } = { headers: new Headers(), body: '' }] = asked;
    const authorization = headers.get('authorization') ?? '';
    const names = /SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(';') ?? [];
    expect(names).toEqual(expect.arrayContaining(['host', 'x-amz-date', 'x-amz-target']));
    const host = 'sms-voice.eu-central-1.amazonaws.com';
    const values = names.map((name) => [name, name === 'host' ? host : (headers.get(name) ?? '')]);
    const signer = new SignatureV4({
      service: 'sms-voice',
      region: SETTINGS.region,
      credentials: { accessKeyId: SETTINGS.access_key_id, secretAccessKey: SECRET },
      applyChecksum: false,
      sha256: NodeSha256,
    });
    const second = await signer.sign(
      { method: 'POST', protocol: 'https:', hostname: host, path: '/', headers: Object.fromEntries(values), body },
      { signingDate: new Date(NOW), unsignableHeaders: new Set(['authorization']) },
    );
    const signatureIn = (written: string | undefined) => /Signature=([0-9a-f]{64})$/.exec(written ?? '')?.[1];
    expect(signatureIn(authorization)).toMatch(/^[0-9a-f]{64}$/);
    expect(signatureIn(second.headers.authorization)).toBe(signatureIn(authorization));
  });
});

/** SHA-256 and HMAC as AWS's signer wants them given. */
class NodeSha256 {
  readonly #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    const key = typeof secret === 'string' || secret === undefined ? secret : bytesOf(secret);
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', key);
  }
  update(chunk: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(typeof chunk === 'string' ? chunk : bytesOf(chunk));
  }
  async digest(): Promise<Uint8Array> {
    return new Uint8Array(this.#hash.digest());
  }
  reset(): void {}
}
function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

describe('answers', () => {
  const refused = (status: number, type: string, reason?: string) => () =>
    json(status, { __type: `com.amazonaws.pinpointsmsvoicev2#${type}`, Message: ALICE, Reason: reason });

  it.each([
    [400, 'ThrottlingException', undefined, 'retry-after'],
    [402, 'ServiceQuotaExceededException', undefined, 'retry-after'],
    [400, 'ValidationException', 'FIELD_VALIDATION_FAILED', 'permanent'],
    [400, 'ValidationException', 'INVALID_IDENTITY_FOR_DESTINATION_COUNTRY', 'downgrade'],
    [409, 'ConflictException', 'DESTINATION_PHONE_NUMBER_OPTED_OUT', 'permanent'],
    [409, 'ConflictException', 'DESTINATION_PHONE_NUMBER_NOT_VERIFIED', 'downgrade'],
    [409, 'ConflictException', 'RESOURCE_NOT_ACTIVE', 'auth-broken'],
    [404, 'ResourceNotFoundException', undefined, 'auth-broken'],
    [400, 'AccessDeniedException', undefined, 'auth-broken'],
    [400, 'UnrecognizedClientException', undefined, 'auth-broken'],
    [403, 'InvalidSignatureException', undefined, 'auth-broken'],
    [400, 'constructor', undefined, 'permanent'],
    [500, 'InternalServerException', undefined, 'ambiguous'],
    [503, 'ServiceUnavailable', undefined, 'ambiguous'],
  ])('%i %s %s are %s, and say so by codes alone', async (status, type, reason, kind) => {
    const { outcome } = await send(refused(status, type, reason));
    expect(outcome).toMatchObject({ kind, reason: [status, type, reason].filter(Boolean).join(' ') });
  });

  it('without a message, or none at all, are ambiguous; a connection that never opened may be tried again', async () => {
    expect((await send(() => json(200, {}))).outcome.kind).toBe('ambiguous');
    expect((await send(failing('UND_ERR_SOCKET'))).outcome.kind).toBe('ambiguous');
    expect((await send(failing('ECONNREFUSED'))).outcome.kind).toBe('retry-after');
  });
});

describe('webhooks', () => {
  const serve: Answering = ({ url }: Asked) =>
    url.pathname.endsWith('.pem') ? new Response(sns.pem) : new Response('<ConfirmSubscriptionResponse/>');
  const reading = (answer: Answering = serve) => {
    const { adapter, asked } = adapterOf(answer);
    return { asked, read: async (request: RawWebhook) => adapter.webhook?.(request) };
  };
  interface Change extends Record<string, unknown> {
    SignatureVersion?: '1' | '2';
  }
  const post = (body: unknown): RawWebhook => ({
    method: 'POST',
    query: '',
    headers: { 'content-type': 'text/plain; charset=UTF-8' },
    body: new TextEncoder().encode(JSON.stringify(body)),
  });

  /** As the SNS guide says it, written apart from the adapter. */
  function delivery(change: Change = {}, key = sns.key) {
    const envelope: Record<string, unknown> = {
      Type: 'Notification',
      MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
      TopicArn: TOPIC,
      Message: '{}',
      Timestamp: new Date(NOW - 1000).toISOString(),
      SignatureVersion: '2',
      SigningCertURL: CERTIFICATE_URL,
      ...change,
    };
    const order =
      envelope.Type === 'Notification'
        ? ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
        : ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
    let text = '';
    for (const name of order) if (envelope[name] !== undefined) text += `${name}\n${envelope[name]}\n`;
    const digest = envelope.SignatureVersion === '1' ? 'sha1' : 'sha256';
    return { ...envelope, Signature: sign(digest, Buffer.from(text), key).toString('base64') };
  }
  const notify = (message: unknown, change: Change = {}) =>
    post(delivery({ Message: JSON.stringify(message), ...change }));
  const event = (eventType: string, messageStatus?: string) => ({
    eventType,
    eventVersion: '1.0',
    eventTimestamp: NOW - 5000,
    messageId: 'aws-message-1',
    destinationPhoneNumber: ALICE,
    messageStatus,
  });
  const confirmation = {
    Type: 'SubscriptionConfirmation',
    Token: '2336412f37',
    Message: 'You have chosen to subscribe',
    SubscribeURL: `${HOST}/?Action=ConfirmSubscription&TopicArn=${TOPIC}&Token=2336412f37`,
  };

  it.each([
    ['RCS_DELIVERED', 'DELIVERED', 'delivered'],
    ['RCS_READ', 'READ', 'read'],
    ['RCS_FAILED', 'UNDELIVERABLE', 'failed'],
    ['RCS_FAILED', 'REJECTED', 'failed'],
    ['RCS_TTL_EXPIRED', 'TTL_EXPIRATION_REVOKED', 'expired'],
    ['RCS_FALLEN_BACK_TO_SMS', undefined, 'failed'],
  ])('of %s %s tell of a message that is %s', async (type, reported, status) => {
    const code = reported === undefined ? type : `${type} ${reported}`;
    expect(await reading().read(notify(event(type, reported)))).toEqual({
      kind: 'events',
      receipts: [{ providerMessageIds: ['aws-message-1'], status, code, at: NOW - 5000 }],
      inbound: [],
    });
  });

  it('on the way, or of nothing we know, are ignored', async () => {
    for (const message of [event('RCS_DELIVERED', 'PENDING'), event('RCS_SENT'), { something: 'else' }])
      expect((await reading().read(notify(message)))?.kind).toBe('ignored');
  });

  it('are proved by both versions of the signature, and the certificate is fetched once', async () => {
    const { read, asked } = reading();
    for (const SignatureVersion of ['1', '2', '2'] as const)
      expect((await read(notify(event('RCS_READ', 'READ'), { SignatureVersion, Subject: 'x' })))?.kind).toBe('events');
    expect(asked.map(({ url }) => url.href)).toEqual([CERTIFICATE_URL]);
  });

  it('are forged when changed, old, of another topic, or signed by anyone else', async () => {
    const good = delivery({ Message: JSON.stringify(event('RCS_READ', 'READ')) });
    for (const body of [
      { ...good, Message: JSON.stringify(event('RCS_FAILED', 'REJECTED')) },
      { ...good, Subject: 'added' },
      { ...good, SignatureVersion: '1' },
      { ...good, Signature: 'AAAA' },
      { ...good, Signature: '!' },
      delivery({ TopicArn: TOPIC.replace('sealpost', 'stranger') }),
      delivery({ Timestamp: new Date(NOW - 25 * 3_600_000).toISOString() }),
      delivery({ Timestamp: new Date(NOW + 600_000).toISOString() }),
      delivery({}, stranger.key),
    ])
      expect(await reading().read(post(body))).toEqual({ kind: 'forged' });
  });

  it.each([
    'http://sns.eu-central-1.amazonaws.com/a.pem',
    'https://sns.eu-central-1.amazonaws.com.evil.example/a.pem',
    'https://evil.example/sns.eu-central-1.amazonaws.com/a.pem',
    'https://sns.eu-central-1.amazonaws.com@evil.example/a.pem',
    'https://user:pw@sns.eu-central-1.amazonaws.com/a.pem',
    'https://sns.eu-central-1.amazonaws.com:8443/a.pem',
    'https://sns.us-east-1.amazonaws.com/a.pem',
    'https://s3.eu-central-1.amazonaws.com/a.pem',
    'https://sns.eu-central-1.amazonaws.com/?Action=GetTopic',
    'not a url',
  ])('never make us fetch a certificate from %s', async (SigningCertURL) => {
    expect(isSnsUrl(SigningCertURL, 'eu-central-1', /\.pem$/)).toBe(false);
    const { read, asked } = reading(() => new Response(stranger.pem));
    expect(await read(post(delivery({ SigningCertURL }, stranger.key)))).toEqual({ kind: 'forged' });
    expect(asked).toEqual([]);
  });

  it('are forged while the certificate cannot be had, has ended, or is none', async () => {
    for (const answer of [failing('ECONNREFUSED'), () => json(404, {}), () => new Response('no certificate')])
      expect(await reading(answer).read(notify(event('RCS_READ', 'READ')))).toEqual({ kind: 'forged' });
    const { adapter } = recordedAdapter('rcs-aws', SETTINGS, FILES, serve, { now: () => NOW + 200 * 365 * 86_400_000 });
    const later = delivery({ Timestamp: new Date(NOW + 200 * 365 * 86_400_000).toISOString() });
    expect(await adapter.webhook?.(post(later))).toEqual({ kind: 'forged' });
  });

  it('confirm a subscription of our topic at SNS itself, and nowhere else', async () => {
    const { read, asked } = reading();
    expect(await read(post(delivery(confirmation)))).toEqual({ kind: 'handshake', answer: '' });
    expect(asked.map(({ url }) => url.href)).toEqual([CERTIFICATE_URL, confirmation.SubscribeURL]);
    for (const SubscribeURL of ['https://evil.example/', 'http://169.254.169.254/latest', `${HOST}/path`]) {
      const stray = reading();
      expect((await stray.read(post(delivery({ ...confirmation, SubscribeURL }))))?.kind).toBe('forged');
      expect(stray.asked.map(({ url }) => url.href)).toEqual([CERTIFICATE_URL]);
    }
    const forged = reading();
    expect((await forged.read(post(delivery(confirmation, stranger.key))))?.kind).toBe('forged');
    expect(forged.asked.map(({ url }) => url.href)).toEqual([CERTIFICATE_URL]);
  });

  it('bring texts, taps with their data, and the wish to be left alone', async () => {
    const said = async (messageBody: string, change = {}) => {
      const inbound = {
        originationNumber: '14255550182',
        destinationNumber: AGENT,
        messageBody,
        inboundMessageId: 'i1',
      };
      const result = await reading().read(notify({ ...inbound, ...change }));
      return result?.kind === 'events' ? result.inbound : result?.kind;
    };
    const told = { id: 'i1', address: ALICE };
    expect(await said('On my way', { previousPublishedMessageId: 'aws-message-1' })).toEqual([
      { ...told, about: 'aws-message-1', content: { kind: 'text', text: 'On my way' } },
    ]);
    expect(await said('{"type":"SUGGESTION","text":"Acknowledge","postbackData":"ack:42"}')).toEqual([
      { ...told, content: { kind: 'suggestion', data: 'ack:42', text: 'Acknowledge' } },
    ]);
    expect(await said('Stop')).toMatchObject([{ content: { kind: 'opt-out' } }]);
    expect(await said('{"type":"UNSUBSCRIBE"}')).toMatchObject([{ content: { kind: 'opt-out' } }]);
    expect(await said('{"type":"RCS_TYPING","receivedAt":"x"}')).toBe('ignored');
    expect(await said('{"a":1}')).toMatchObject([{ content: { kind: 'text', text: '{"a":1}' } }]);
    expect(await said('Hi', { destinationNumber: 'rcs-other' })).toBe('ignored');
  });

  it('that are no SNS delivery are malformed, and no bytes make them throw', async () => {
    const { read } = reading();
    expect((await read({ ...post(delivery()), method: 'GET' }))?.kind).toBe('malformed');
    expect((await read({ ...post({}), body: new Uint8Array(600_000) }))?.kind).toBe('malformed');
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.json(), fc.string()), async (body) => {
        expect((await read({ ...post({}), body: new TextEncoder().encode(body) }))?.kind).toBe('malformed');
      }),
      { numRuns: 50 },
    );
  });
});

describe('settings', () => {
  it('name an agent, never a pool that may fall back to SMS, and at least one topic', () => {
    for (const change of [
      { agent: 'pool-a1b2c3d4' },
      { agent: 'arn:aws:sms-voice:eu-central-1:123456789012:pool/pool-a1b2c3d4' },
      { agent: '+12065550100' },
      { topic_arns: [] },
      { topic_arns: undefined },
      { fallback: {} },
    ])
      expect(() => adapterOf(taken, { ...SETTINGS, ...change })).toThrow();
  });
});
