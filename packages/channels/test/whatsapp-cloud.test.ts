/** `whatsapp-cloud` beyond the contract: what a message becomes, what each code means, and whose webhooks count. */
import { createHmac } from 'node:crypto';
import type { Payload } from '@sealpost/protocol/carriage';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RawWebhook } from '../src/index.ts';
import { attemptTo } from './contract.ts';
import { clearOf, openLink, PAYLOAD_NAMES, PAYLOADS, replyButton } from './payloads.ts';
import { type Answering, failing, json, recordedAdapter } from './recorded-provider.ts';

const ALICE = '+491751234567';
const APP_SECRET = 'app-secret-1';
const FILES = { token: 'access-token-1', app: APP_SECRET, verify: 'verify-token-1' };
const SETTINGS = {
  phone_number_id: '106540352242922',
  access_token_file: 'token',
  app_secret_file: 'app',
  verify_token_file: 'verify',
};
const ROOT = 'https://graph.facebook.com/v23.0/106540352242922';
const WAMID = 'wamid.HBgLMTY1MDUwNzY1MjAVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA';
const taken: Answering = ({ url }) =>
  url.pathname.endsWith('/media')
    ? json(200, { id: 'media-1' })
    : json(200, { messaging_product: 'whatsapp', contacts: [], messages: [{ id: WAMID }] });
const refused = (status: number, code: number) => () =>
  json(status, { error: { message: ALICE, type: 'OAuthException', code, error_data: { details: ALICE } } });
const adapterOf = (answer: Answering, change = {}) =>
  recordedAdapter('whatsapp-cloud', { ...SETTINGS, ...change }, FILES, answer);

async function send(answer: Answering, payload: Payload = PAYLOADS.text, settings = {}, change = {}) {
  const { adapter, asked } = adapterOf(answer, settings);
  const outcome = await adapter.send(attemptTo(ALICE, { payload, ...change }));
  const said = asked.find(({ url }) => url.pathname.endsWith('/messages'))?.body;
  return { outcome, asked, body: JSON.parse(said ?? '{}') };
}

describe('requests', () => {
  it.each(PAYLOAD_NAMES)('carry a %s to one person by WhatsApp alone', async (kind) => {
    const { outcome, asked, body } = await send(taken, PAYLOADS[kind]);
    expect(outcome).toEqual({ kind: 'accepted', providerMessageId: WAMID });
    expect(asked.map(({ url }) => url.href)).toEqual([`${ROOT}/messages`]);
    expect(asked[0]?.headers.get('authorization')).toBe('Bearer access-token-1');
    expect(body).toMatchObject({ messaging_product: 'whatsapp', recipient_type: 'individual', to: '491751234567' });
    expect(asked[0]?.body).not.toMatch(/fallback|failover|sms/i);
  });

  it('show up to three replies as buttons and write out what stands beside them', async () => {
    const { body } = await send(taken, PAYLOADS.card);
    expect(body.interactive).toEqual({
      type: 'button',
      header: { type: 'text', text: 'db1 is down' },
      body: { text: 'Disk full on db1\nOpen: https://inbox.example/m/42#key' },
      action: { buttons: [{ type: 'reply', reply: { id: 'ack:42', title: 'Acknowledge' } }] },
    });
    const four = Array.from({ length: 4 }, (_, index) => ({ ...replyButton, text: `Choice ${index}` }));
    const many = (await send(taken, clearOf({ suggestions: four }))).body.interactive;
    expect([many.action.buttons.length, many.body.text]).toEqual([3, 'Disk full on db1\n→ Choice 3']);
  });

  it('show one link as a button, and a text too long for buttons with everything written out', async () => {
    expect((await send(taken, clearOf({ suggestions: [openLink] }))).body.interactive).toEqual({
      type: 'cta_url',
      body: { text: 'Disk full on db1' },
      action: { name: 'cta_url', parameters: { display_text: 'Open', url: openLink.url } },
    });
    const long = 'x'.repeat(2000);
    expect((await send(taken, clearOf({ title: 'T', text: long, suggestions: [replyButton] }))).body.text).toEqual({
      preview_url: false,
      body: `T\n\n${long}\n→ Acknowledge`,
    });
    expect((await send(taken, clearOf({ text: 'x'.repeat(4097) }))).outcome).toEqual({
      kind: 'permanent',
      reason: 'text-too-long',
    });
  });

  it('show a file with its caption, by link, as an image only where it is small enough for one', async () => {
    expect((await send(taken, PAYLOADS.file)).body).toMatchObject({
      type: 'image',
      image: { link: 'https://files.example/chart.png', caption: 'Disk full on db1' },
    });
    const source = { kind: 'url' as const, url: 'https://files.example/big.png', size: 6 * 1024 * 1024 };
    const big = clearOf({ file: { name: 'big.png', mediaType: 'image/png', source } });
    expect((await send(taken, big)).body.document).toEqual({
      link: source.url,
      filename: 'big.png',
      caption: 'Disk full on db1',
    });
    const { body } = await send(taken, PAYLOADS.fileCard);
    expect(body.interactive.header).toEqual({ type: 'image', image: { link: 'https://files.example/chart.png' } });
    expect(body.interactive.body.text).toBe('db1 is down\n\nDisk full on db1');
  });

  it('upload bytes first, and send nothing when that fails', async () => {
    const data = Buffer.from('%PDF-1.7').toString('base64url');
    const report = clearOf({ file: { name: 'r.pdf', mediaType: 'application/pdf', source: { kind: 'bytes', data } } });
    const { asked, body } = await send(taken, report);
    expect(asked.map(({ url }) => url.href)).toEqual([`${ROOT}/media`, `${ROOT}/messages`]);
    expect(asked[0]?.body).toContain('%PDF-1.7');
    expect(body.document).toEqual({ id: 'media-1', filename: 'r.pdf', caption: 'Disk full on db1' });
    for (const [answer, kind] of [
      [refused(500, 131000), 'retry-after'],
      [failing('UND_ERR_SOCKET'), 'retry-after'],
      [refused(400, 131053), 'permanent'],
      [refused(401, 190), 'auth-broken'],
    ] as const) {
      const failed = await send(answer, report);
      expect([failed.outcome.kind, failed.asked.length]).toEqual([kind, 1]);
    }
  });

  it('carry notices and links by the template where there is one, and content never', async () => {
    const notice_template = { name: 'sealpost_notice', language: 'en_US' };
    const template = { name: 'sealpost_notice', language: { code: 'en_US' } };
    for (const kind of ['notice', 'link'] as const) {
      const text = 'Something\n is   waiting';
      const { body } = await send(taken, { ...PAYLOADS[kind], text }, { notice_template });
      const parameters = ['Something is waiting', PAYLOADS[kind].url].map((value) => ({ type: 'text', text: value }));
      expect(body.template).toEqual({ ...template, components: [{ type: 'body', parameters }] });
    }
    expect((await send(taken, PAYLOADS.text, { notice_template })).body.type).toBe('text');
  });

  it('are not made once the time has passed, or without a token', async () => {
    const late = await send(taken, PAYLOADS.text, {}, { expires: Date.now() - 1 });
    expect([late.outcome.kind, late.asked.length]).toEqual(['permanent', 0]);
    const { adapter, asked } = recordedAdapter('whatsapp-cloud', SETTINGS, {}, taken);
    expect([(await adapter.send(attemptTo(ALICE))).kind, asked.length]).toEqual(['auth-broken', 0]);
  });
});

describe('answers', () => {
  it.each([
    [400, 131047, 'downgrade'],
    [400, 131026, 'downgrade'],
    [400, 131049, 'downgrade'],
    [400, 130429, 'retry-after'],
    [400, 131056, 'retry-after'],
    [400, 131048, 'security-stop'],
    [400, 131031, 'security-stop'],
    [403, 368, 'security-stop'],
    [401, 190, 'auth-broken'],
    [400, 200, 'auth-broken'],
    [400, 299, 'auth-broken'],
    [404, 132001, 'auth-broken'],
    [400, 100, 'permanent'],
    [400, 131051, 'permanent'],
    [400, 2, 'ambiguous'],
    [429, 4, 'retry-after'],
    [500, 131000, 'ambiguous'],
    [503, 131016, 'ambiguous'],
  ])('%i %i are %s, and say so by codes alone', async (status, code, kind) => {
    expect((await send(refused(status, code))).outcome).toMatchObject({ kind, reason: `${status} ${code}` });
  });

  it('without a message, or none at all, are ambiguous; a connection that never opened may be tried again', async () => {
    expect((await send(() => json(200, { messages: [] }))).outcome.kind).toBe('ambiguous');
    expect((await send(failing('UND_ERR_SOCKET'))).outcome.kind).toBe('ambiguous');
    expect((await send(failing('ECONNREFUSED'))).outcome.kind).toBe('retry-after');
  });
});

describe('webhooks', () => {
  const signatureOf = (body: Uint8Array, secret = APP_SECRET) =>
    `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
  function hook(value: object, id = SETTINGS.phone_number_id): RawWebhook {
    const changes = [
      { field: 'messages', value: { messaging_product: 'whatsapp', metadata: { phone_number_id: id }, ...value } },
    ];
    const text = JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: 'waba', changes }] });
    const body = new TextEncoder().encode(text);
    return { method: 'POST', query: '', headers: { 'X-Hub-Signature-256': signatureOf(body) }, body };
  }
  const read = async (request: RawWebhook) => adapterOf(taken).adapter.webhook?.(request);
  const AT = 1_764_000_000_000;
  const status = (reported: string, change = {}) => ({
    id: WAMID,
    status: reported,
    timestamp: '1764000000',
    recipient_id: '491751234567',
    ...change,
  });

  it('bring several statuses in one body, each with the code of its failure and no words', async () => {
    const errors = [{ code: 131047, title: ALICE, message: ALICE }];
    const statuses = [status('sent'), status('delivered'), status('read'), status('failed', { errors }), { odd: 1 }];
    expect(await read(hook({ statuses }))).toEqual({
      kind: 'events',
      inbound: [],
      receipts: [
        { providerMessageIds: [WAMID], status: 'delivered', code: 'delivered', at: AT },
        { providerMessageIds: [WAMID], status: 'read', code: 'read', at: AT },
        { providerMessageIds: [WAMID], status: 'failed', code: 'failed 131047', at: AT },
      ],
    });
  });

  it('bring texts, taps with their data, files with captions, and the wish to be left alone', async () => {
    const said = async (message: object) => {
      const common = { id: 'wamid.in', from: '491751234567', timestamp: '1764000000' };
      const result = await read(hook({ messages: [{ ...common, ...message }] }));
      return result?.kind === 'events' ? result.inbound : result?.kind;
    };
    const told = { id: 'wamid.in', address: ALICE, at: AT };
    expect(await said({ type: 'text', text: { body: 'On my way' }, context: { id: WAMID } })).toEqual([
      { ...told, about: WAMID, content: { kind: 'text', text: 'On my way' } },
    ]);
    const button_reply = { id: 'ack:42', title: 'Acknowledge' };
    expect(await said({ type: 'interactive', interactive: { type: 'button_reply', button_reply } })).toEqual([
      { ...told, content: { kind: 'suggestion', data: 'ack:42', text: 'Acknowledge' } },
    ]);
    const document = { id: 'media-9', mime_type: 'application/pdf', filename: 'a.pdf', caption: 'See page 2' };
    expect(await said({ type: 'document', document })).toEqual([
      { ...told, content: { kind: 'file', name: 'a.pdf', mediaType: 'application/pdf' } },
      { ...told, id: 'wamid.in-1', content: { kind: 'text', text: 'See page 2' } },
    ]);
    expect(await said({ type: 'text', text: { body: 'STOP' } })).toMatchObject([{ content: { kind: 'opt-out' } }]);
    expect(await said({ type: 'reaction', reaction: { emoji: 'x' } })).toBe('ignored');
    const user_preferences = [
      { wa_id: '491751234567', category: 'marketing_messages', value: 'stop', timestamp: 1764000000 },
    ];
    expect(await read(hook({ user_preferences }))).toMatchObject({
      inbound: [{ address: ALICE, content: { kind: 'opt-out' }, at: AT }],
    });
  });

  it('of another number of the same account are none of ours', async () => {
    expect((await read(hook({ statuses: [status('read')] }, '999999999')))?.kind).toBe('ignored');
  });

  it('answer the handshake to whoever knows our token', async () => {
    const ask = (token: string, challenge = '1158201444', mode = 'subscribe') =>
      read({
        method: 'GET',
        query: new URLSearchParams({
          'hub.mode': mode,
          'hub.verify_token': token,
          'hub.challenge': challenge,
        }).toString(),
        headers: {},
        body: new Uint8Array(),
      });
    expect(await ask('verify-token-1')).toEqual({ kind: 'handshake', answer: '1158201444' });
    expect(await ask('guess')).toEqual({ kind: 'forged' });
    expect(await ask('')).toEqual({ kind: 'forged' });
    expect((await ask('verify-token-1', '<script>'))?.kind).toBe('malformed');
    expect((await ask('verify-token-1', '1', 'unsubscribe'))?.kind).toBe('malformed');
  });

  it('are forged without the app secret’s code over these very bytes', async () => {
    const good = hook({ statuses: [status('read')] });
    const changed = hook({ statuses: [status('failed')] });
    for (const headers of [
      {},
      changed.headers,
      { 'x-hub-signature-256': signatureOf(good.body, 'guess') },
      { 'x-hub-signature-256': signatureOf(good.body).toUpperCase() },
      { 'x-hub-signature-256': signatureOf(good.body).slice(7) },
      { 'x-hub-signature': `sha1=${createHmac('sha1', APP_SECRET).update(good.body).digest('hex')}` },
    ])
      expect(await read({ ...good, headers })).toEqual({ kind: 'forged' });
    const { adapter } = recordedAdapter('whatsapp-cloud', SETTINGS, { ...FILES, app: '' }, taken);
    const empty = { 'x-hub-signature-256': signatureOf(good.body, '') };
    expect(await adapter.webhook?.({ ...good, headers: empty })).toEqual({ kind: 'forged' });
  });

  it('that are no webhook are malformed, and no bytes make them throw', async () => {
    const good = hook({});
    expect((await read({ ...good, body: new Uint8Array(600_000) }))?.kind).toBe('malformed');
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.json(), fc.string()), async (text) => {
        const body = new TextEncoder().encode(text);
        const headers = { 'x-hub-signature-256': signatureOf(body) };
        expect((await read({ ...good, headers, body }))?.kind).toBe('malformed');
      }),
      { numRuns: 50 },
    );
  });
});
