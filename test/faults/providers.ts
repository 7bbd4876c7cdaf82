/**
 * Every adapter that speaks HTTP, as its provider answers it when all is well and as it reports a delivery. Forms are those
 * of the adapters' own tests, where each is held against what the provider has published.
 */
import { createHash, createHmac, generateKeyPairSync } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { SignJWT } from 'jose';
import twilio from 'twilio';
import webPush from 'web-push';
import type { ChannelAdapterName } from '../../packages/channels/src/index.ts';
import { createServiceAccount } from '../../packages/simulator/src/index.ts';

export interface Call {
  readonly method: string;
  /** Under the provider's own root. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Hook {
  readonly query?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface HttpProvider {
  readonly name: ChannelAdapterName;
  /** `root` is where the provider is; secrets are named by `files`. */
  settings(root: string): object;
  readonly files: Readonly<Record<string, string>>;
  /** Of the person with this number. */
  address(number: number, root: string): string;
  /** Calls that are no message: a token, a capability. */
  aside?(call: Call): Answer | undefined;
  /** The key by which the provider knows a repeat; ids are its own where there is none. */
  keyOf?(call: Call): string;
  newId?(seed: string): string;
  taken(id: string): Answer;
  readonly unauthorized?: Answer;
  /** A report that `id` was delivered; absent where the provider reports no deliveries, or none we could prove here. */
  delivered?(id: string, around: { readonly now: number; readonly forged: boolean }): Hook | Promise<Hook>;
}

const TIMEOUT = '300ms';
const phone = (number: number) => `+491511234${String(1000 + number)}`;
const json = (body: unknown) => JSON.stringify(body);
const hex = (seed: string, length: number) => createHash('sha256').update(seed).digest('hex').slice(0, length);
const uuidOf = (seed: string) => hex(seed, 32).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5');
const token = (call: Call, path: string): Answer | undefined =>
  call.path === path ? { status: 200, body: { access_token: 't', expires_in: 3600, token_type: 'bearer' } } : undefined;
const SECRET = 'a-secret-of-tests';
const secretOf = (forged: boolean) => (forged ? 'not-the-secret' : SECRET);
const hmac = (algorithm: string, key: string, text: string) => createHmac(algorithm, key).update(text);

const google = createServiceAccount();
const rcsGoogle: HttpProvider = {
  name: 'rcs-google',
  settings: (root) => ({
    base_url: root,
    token_url: `${root}/token`,
    agent_id: 'acme',
    service_account_file: 'account',
    client_token_file: 'secret',
    timeout: TIMEOUT,
  }),
  files: { account: google.serviceAccountJson, secret: SECRET },
  address: phone,
  aside: (call) =>
    call.path.endsWith('/capabilities') ? { status: 200, body: { features: [] } } : token(call, '/token'),
  keyOf: ({ query }) => query.get('messageId') ?? '',
  newId: uuidOf,
  taken: (id) => ({ status: 200, body: { name: `phones/x/agentMessages/${id}` } }),
  delivered(id, { forged }) {
    const data = Buffer.from(
      json({ senderPhoneNumber: phone(1), eventType: 'DELIVERED', eventId: id, messageId: id, agentId: 'acme' }),
    );
    const signature = createHmac('sha512', secretOf(forged)).update(data).digest('base64');
    return { headers: { 'x-goog-signature': signature }, body: json({ message: { data: data.toString('base64') } }) };
  },
};

const ACCOUNT = `AC${'a'.repeat(32)}`;
const TWILIO_HOOK = 'https://gateway.example/webhooks/twilio';
function twilioProvider(name: 'rcs-twilio' | 'sms-twilio', sender: string): HttpProvider {
  return {
    name,
    settings: (root) => ({
      base_url: root,
      ...(name === 'rcs-twilio' ? { content_url: root } : {}),
      account_sid: ACCOUNT,
      api_key_sid: `SK${'b'.repeat(32)}`,
      api_key_secret_file: 'secret',
      auth_token_file: 'secret',
      webhook_url: TWILIO_HOOK,
      sender,
      timeout: TIMEOUT,
    }),
    files: { secret: SECRET },
    address: phone,
    aside: ({ path }) => (path === '/v1/Content' ? { status: 201, body: { sid: `HX${'1'.repeat(32)}` } } : undefined),
    newId: (seed) => `SM${hex(seed, 32)}`,
    taken: (sid) => ({ status: 201, body: { sid, status: 'queued' } }),
    delivered(sid, { forged }) {
      const from = name === 'rcs-twilio' ? `rcs:${sender}` : sender;
      const fields = { AccountSid: ACCOUNT, MessageSid: sid, MessageStatus: 'delivered', From: from };
      const signature = twilio.getExpectedTwilioSignature(secretOf(forged), TWILIO_HOOK, fields);
      return { headers: { 'x-twilio-signature': signature }, body: new URLSearchParams(fields).toString() };
    },
  };
}

const infobip: HttpProvider = {
  name: 'rcs-infobip',
  settings: (root) => ({
    base_url: root,
    sender: 'Acme',
    api_key_file: 'key',
    webhook_credentials_file: 'hook',
    timeout: TIMEOUT,
  }),
  files: { key: 'k', hook: `sealpost:${SECRET}` },
  address: phone,
  keyOf: ({ text }) => JSON.parse(text).messages[0].destinations[0].messageId,
  taken: (messageId) => ({
    status: 200,
    body: { messages: [{ messageId, status: { groupName: 'PENDING', name: 'PENDING_ACCEPTED' }, destination: '49' }] },
  }),
  delivered: (messageId, { forged }) => ({
    headers: { authorization: `Basic ${Buffer.from(`sealpost:${secretOf(forged)}`).toString('base64')}` },
    body: json({
      results: [{ messageId, to: '49', status: { groupName: 'DELIVERED', name: 'DELIVERED_TO_HANDSET' } }],
    }),
  }),
};

const sinch: HttpProvider = {
  name: 'rcs-sinch',
  settings: (root) => ({
    base_url: root,
    token_url: `${root}/oauth2/token`,
    project_id: 'c36f3d3d-1513-4edd-ae42-11995557ff61',
    app_id: '01E3S8B6YCMRNR0GGM94H80ACX',
    key_id: 'key-1',
    key_secret_file: 'secret',
    webhook_secret_file: 'secret',
    timeout: TIMEOUT,
  }),
  files: { secret: SECRET },
  address: phone,
  aside: (call) => token(call, '/oauth2/token'),
  newId: (seed) => hex(seed, 26).toUpperCase(),
  taken: (id) => ({ status: 200, body: { message_id: id, accepted_time: '2026-11-24T02:00:00Z' } }),
  delivered(id, { now, forged }) {
    const body = json({
      app_id: '01E3S8B6YCMRNR0GGM94H80ACX',
      project_id: 'c36f3d3d-1513-4edd-ae42-11995557ff61',
      message_delivery_report: {
        message_id: id,
        status: 'DELIVERED',
        channel_identity: { channel: 'RCS', identity: '49' },
      },
    });
    const seconds = Math.floor(now / 1000);
    return {
      headers: {
        'x-sinch-webhook-signature': hmac('sha256', secretOf(forged), `${body}.n1.${seconds}`).digest('base64'),
        'x-sinch-webhook-signature-algorithm': 'HmacSHA256',
        'x-sinch-webhook-signature-nonce': 'n1',
        'x-sinch-webhook-signature-timestamp': String(seconds),
      },
      body,
    };
  },
};

const VONAGE_APPLICATION = '70af4457-1d44-4d5c-a5e5-7f6e5b3a1c11';
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const vonage: HttpProvider = {
  name: 'rcs-vonage',
  settings: (root) => ({
    base_url: root,
    revoke_url: root,
    application_id: VONAGE_APPLICATION,
    private_key_file: 'key',
    signature_secret_file: 'secret',
    sender: 'Acme',
    timeout: TIMEOUT,
  }),
  files: { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), secret: SECRET },
  address: phone,
  newId: uuidOf,
  taken: (id) => ({ status: 202, body: { message_uuid: id } }),
  async delivered(id, { now, forged }) {
    const body = json({
      message_uuid: id,
      to: '4915112341001',
      from: 'Acme',
      timestamp: new Date(now).toISOString(),
      channel: 'rcs',
      status: 'delivered',
    });
    const payload_hash = createHash('sha256').update(body).digest('hex');
    const proof = await new SignJWT({ payload_hash, application_id: VONAGE_APPLICATION, iss: 'Vonage' })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuedAt(Math.floor(now / 1000))
      .sign(new TextEncoder().encode(secretOf(forged)));
    return { headers: { authorization: `Bearer ${proof}` }, body };
  },
};

/** Its receipts are signed by Amazon's certificates, fetched from Amazon's own hosts: nobody here can play that. */
const aws: HttpProvider = {
  name: 'rcs-aws',
  settings: (root) => ({
    base_url: root,
    region: 'eu-central-1',
    agent: 'rcs-1',
    access_key_id: 'AKIAIOSFODNN7EXAMPLE',
    secret_access_key_file: 'secret',
    topic_arns: ['arn:aws:sns:eu-central-1:123456789012:sealpost'],
    timeout: TIMEOUT,
  }),
  files: { secret: SECRET },
  address: phone,
  newId: uuidOf,
  taken: (id) => ({ status: 200, body: { MessageId: id } }),
  unauthorized: { status: 403, body: { __type: 'AccessDeniedException' } },
};

const maap: HttpProvider = {
  name: 'rcs-maap',
  settings: (root) => ({
    base_url: root,
    bot_id: 'sip:acme@bot.example',
    access_token_file: 'token',
    webhook_token_file: 'secret',
    timeout: TIMEOUT,
  }),
  files: { token: 't', secret: SECRET },
  address: phone,
  aside: ({ path, method }) =>
    method === 'GET' && path.includes('Capabilities') ? { status: 200, body: {} } : undefined,
  newId: (seed) => `maap-${hex(seed, 12)}`,
  taken: (id) => ({ status: 202, body: { RCSMessage: { msgId: id, status: 'pending' } } }),
  delivered: (id, { now, forged }) => ({
    headers: { authorization: `Bearer ${secretOf(forged)}` },
    body: json({
      event: 'messageStatus',
      messageContact: { userContact: phone(1) },
      RCSMessage: { msgId: id, timestamp: new Date(now).toISOString(), status: 'delivered' },
    }),
  }),
};

const WHATSAPP_NUMBER = '106540352242922';
const whatsapp: HttpProvider = {
  name: 'whatsapp-cloud',
  settings: (root) => ({
    base_url: root,
    phone_number_id: WHATSAPP_NUMBER,
    access_token_file: 'token',
    app_secret_file: 'secret',
    verify_token_file: 'token',
    timeout: TIMEOUT,
  }),
  files: { token: 't', secret: SECRET },
  address: phone,
  newId: (seed) => `wamid.${hex(seed, 32)}`,
  taken: (id) => ({ status: 200, body: { messaging_product: 'whatsapp', contacts: [], messages: [{ id }] } }),
  unauthorized: { status: 401, body: { error: { type: 'OAuthException', code: 190 } } },
  delivered(id, { now, forged }) {
    const statuses = [{ id, status: 'delivered', timestamp: String(Math.floor(now / 1000)), recipient_id: '49' }];
    const metadata = { phone_number_id: WHATSAPP_NUMBER };
    const value = { messaging_product: 'whatsapp', metadata, statuses };
    const changes = [{ field: 'messages', value }];
    const body = json({ object: 'whatsapp_business_account', entry: [{ id: 'waba', changes }] });
    return {
      headers: { 'x-hub-signature-256': `sha256=${hmac('sha256', secretOf(forged), body).digest('hex')}` },
      body,
    };
  },
};

const slack: HttpProvider = {
  name: 'slack',
  settings: (root) => ({
    base_url: root,
    team_id: 'T1DC2JH3J',
    bot_token_file: 'token',
    signing_secret_file: 'token',
    timeout: TIMEOUT,
  }),
  files: { token: 't' },
  address: (number) => `U061F7A${String(100 + number)}`,
  taken: () => ({
    status: 200,
    body: { ok: true, channel: 'D024BE91L', ts: '1503435956.000247', message: { text: 'x' } },
  }),
  // Slack says so with 200 (Slack, "chat.postMessage", errors).
  unauthorized: { status: 200, body: { ok: false, error: 'invalid_auth' } },
};

const imessage: HttpProvider = {
  name: 'imessage',
  settings: (root) => ({ base_url: root, password_file: 'secret', webhook_token_file: 'secret', timeout: TIMEOUT }),
  files: { secret: SECRET },
  address: phone,
  aside: ({ path }) =>
    path.includes('/handle/availability')
      ? { status: 200, body: { status: 200, data: { available: true } } }
      : undefined,
  newId: (seed) => uuidOf(seed).toUpperCase(),
  taken: (guid) => ({ status: 200, body: { status: 200, message: 'Message sent!', data: { guid } } }),
  delivered: (guid, { now, forged }) => ({
    query: new URLSearchParams({ token: secretOf(forged) }).toString(),
    headers: {},
    body: json({
      type: 'updated-message',
      data: {
        guid,
        text: 'x',
        isFromMe: true,
        dateCreated: now,
        dateDelivered: now,
        chats: [{ guid: 'iMessage;-;+49' }],
        handle: { address: phone(1) },
      },
    }),
  }),
};

const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';
const teams: HttpProvider = {
  name: 'teams',
  settings: (root) => ({
    mode: 'bot',
    base_url: root,
    login_url: root,
    app_id: VONAGE_APPLICATION,
    tenant_id: TENANT,
    client_secret_file: 'secret',
    timeout: TIMEOUT,
  }),
  files: { secret: SECRET },
  address: (number) => `5e8b0f4d-2cd4-4e17-9467-${String(number).padStart(12, '0')}`,
  aside: (call) =>
    call.path === '/v3/conversations'
      ? { status: 201, body: { id: 'a:personal-chat' } }
      : token(call, `/${TENANT}/oauth2/v2.0/token`),
  taken: (id) => ({ status: 201, body: { id: hex(id, 13) } }),
};

const SIGNAL_ACCOUNT = '+4930123456';
const signal: HttpProvider = {
  name: 'signal',
  settings: (root) => ({
    mode: 'rest',
    base_url: root,
    account: SIGNAL_ACCOUNT,
    webhook_token_file: 'secret',
    timeout: TIMEOUT,
  }),
  files: { secret: SECRET },
  address: phone,
  aside: ({ path }) => (path.startsWith('/v1/search/') ? { status: 200, body: [{ registered: true }] } : undefined),
  // Signal names a message by the time it was sent.
  newId: (seed) => String(1_700_000_000_000 + Number.parseInt(hex(seed, 8), 16)),
  taken: (timestamp) => ({ status: 201, body: { timestamp } }),
  delivered(id, { now, forged }) {
    const receiptMessage = { when: now, isDelivery: true, isRead: false, isViewed: false, timestamps: [Number(id)] };
    const params = { account: SIGNAL_ACCOUNT, envelope: { sourceNumber: phone(1), receiptMessage } };
    return {
      query: new URLSearchParams({ token: secretOf(forged) }).toString(),
      headers: {},
      body: json({ jsonrpc: '2.0', method: 'receive', params }),
    };
  },
};

const imessageBusiness: HttpProvider = {
  name: 'imessage-business',
  settings: (root) => ({
    base_url: root,
    msp_id: 'msp',
    business_id: 'business',
    secret_file: 'secret',
    timeout: TIMEOUT,
  }),
  files: { secret: Buffer.from(SECRET).toString('base64') },
  address: (number) => `urn:mbid:AQAAY${1000 + number}`,
  taken: () => ({ status: 200, body: undefined }),
};

const vapid = webPush.generateVAPIDKeys();
const webpush: HttpProvider = {
  name: 'webpush',
  settings: () => ({
    subject: 'mailto:ops@acme.example',
    public_key: vapid.publicKey,
    private_key_file: 'key',
    unsafe_plaintext: true,
    timeout: TIMEOUT,
  }),
  files: { key: vapid.privateKey },
  // Any point of the curve is a browser's key as far as a push service can tell.
  address: (number, root) =>
    json({
      endpoint: `${root}/push/${number}`,
      keys: { p256dh: webPush.generateVAPIDKeys().publicKey, auth: Buffer.alloc(16, number).toString('base64url') },
    }),
  taken: () => ({ status: 201, body: {} }),
  unauthorized: { status: 403, body: {} },
};

export const HTTP_PROVIDERS: readonly HttpProvider[] = [
  rcsGoogle,
  twilioProvider('rcs-twilio', 'acme_agent'),
  twilioProvider('sms-twilio', '+15005550006'),
  infobip,
  sinch,
  vonage,
  aws,
  maap,
  whatsapp,
  slack,
  teams,
  signal,
  imessage,
  imessageBusiness,
  webpush,
];
