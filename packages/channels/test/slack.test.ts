/**
 * `slack` beyond the contract: what a message becomes, what each code means, and whose requests count. Names of parameters
 * are checked against Slack's own description of its Web API, where that is present.
 */
import { createHmac } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Payload } from '@sealpost/protocol/carriage';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RawWebhook } from '../src/index.ts';
import { verifySlackSignature } from '../src/slack/signature.ts';
import { attemptTo } from './contract.ts';
import { clearOf, PAYLOAD_NAMES, PAYLOADS } from './payloads.ts';
import { type Answering, failing, json, recordedAdapter } from './recorded-provider.ts';

const SPEC = join(
  process.env.SEALPOST_SPECS ?? resolve(import.meta.dirname, '../../../../shared/specs'),
  'slack_web_openapi_v2.json',
);
const ALICE = 'U061F7AUR';
const SECRET = '8f742231b10e8888abcd99yyyzzz85a5';
const TEAM = 'T1DC2JH3J';
const FILES = { token: 'xoxb-token-1', signing: SECRET };
const SETTINGS = { team_id: TEAM, bot_token_file: 'token', signing_secret_file: 'signing' };
const TS = '1503435956.000247';
const UPLOAD = 'https://files.slack.com/upload/v1/ABC123';
const ANSWERS: Readonly<Record<string, object>> = {
  'chat.postMessage': { ok: true, channel: 'D024BE91L', ts: TS, message: { text: 'x' } },
  'conversations.open': { ok: true, channel: { id: 'D024BE91L' } },
  'files.getUploadURLExternal': { ok: true, upload_url: UPLOAD, file_id: 'F123ABC456' },
  'files.completeUploadExternal': { ok: true, files: [{ id: 'F123ABC456', title: 'x' }] },
};
const methodOf = (url: URL) => url.pathname.split('/').at(-1) ?? '';
const taken: Answering = ({ url }) =>
  url.href === UPLOAD ? new Response('OK - 4') : json(200, ANSWERS[methodOf(url)] ?? { ok: true });
const refused = (error: string) => () => json(200, { ok: false, error, detail: ALICE });
const adapterOf = (answer: Answering, change = {}) => recordedAdapter('slack', SETTINGS, FILES, answer, change);

async function send(answer: Answering, payload: Payload = PAYLOADS.text, address = ALICE, change = {}) {
  const { adapter, asked } = adapterOf(answer);
  const outcome = await adapter.send(attemptTo(address, { payload, ...change }));
  const said = asked.find(({ url }) => methodOf(url) === 'chat.postMessage')?.body;
  return { outcome, asked, body: JSON.parse(said ?? '{}') };
}

describe('requests', () => {
  it.each(PAYLOAD_NAMES)('carry a %s that Slack neither formats nor opens to show a preview', async (kind) => {
    const { outcome, asked, body } = await send(taken, PAYLOADS[kind]);
    expect(outcome).toEqual({ kind: 'accepted', providerMessageId: `D024BE91L:${TS}` });
    expect(asked.map(({ url }) => url.href)).toEqual(['https://slack.com/api/chat.postMessage']);
    expect(asked[0]?.headers.get('authorization')).toBe('Bearer xoxb-token-1');
    expect(body).toMatchObject({ channel: ALICE, mrkdwn: false, parse: 'none', link_names: false });
    expect(body).toMatchObject({ unfurl_links: false, unfurl_media: false });
    expect(asked[0]?.body).not.toMatch(/fallback|failover|sms/i);
  });

  it.for(PAYLOAD_NAMES)('for a %s have only parameters Slack has published', async (kind, context) => {
    if (!existsSync(SPEC)) return context.skip(`needs ${SPEC}: set SEALPOST_SPECS`);
    const operation = JSON.parse(readFileSync(SPEC, 'utf8')).paths['/chat.postMessage'].post;
    const published = new Set(operation.parameters.map(({ name }: { name: string }) => name));
    const { body } = await send(taken, PAYLOADS[kind]);
    expect(Object.keys(body).filter((name) => !published.has(name))).toEqual([]);
  });

  it('show a title and buttons as blocks of plain text', async () => {
    const { body } = await send(taken, PAYLOADS.card);
    expect(body.blocks).toEqual([
      { type: 'header', text: { type: 'plain_text', text: 'db1 is down', emoji: false } },
      { type: 'section', text: { type: 'plain_text', text: 'Disk full on db1', emoji: false } },
      {
        type: 'actions',
        elements: [
          {
            type: 'button',
            action_id: 'suggestion-0',
            text: { type: 'plain_text', text: 'Acknowledge', emoji: false },
            value: 'ack:42',
          },
          {
            type: 'button',
            action_id: 'suggestion-1',
            text: { type: 'plain_text', text: 'Open', emoji: false },
            url: 'https://inbox.example/m/42#key',
          },
        ],
      },
    ]);
  });

  it('escape what could mention a whole channel', async () => {
    expect((await send(taken, clearOf({ text: '<!channel> a & b' }))).body.text).toBe('&lt;!channel&gt; a &amp; b');
  });

  it('divide a long text into sections and cut nothing, whatever its characters', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }), fc.nat(60), async (text, times) => {
        const long = text.repeat(times + 1).slice(0, 11_000);
        if (long.trim() === '') return;
        const { body } = await send(taken, clearOf({ title: 'T', text: long }));
        const sections = body.blocks.filter(({ type }: { type: string }) => type === 'section');
        const pieces: string[] = sections.map((section: { text: { text: string } }) => section.text.text);
        expect(pieces.join('')).toBe(long);
        expect(pieces.every((piece) => piece.length > 0 && piece.length <= 3000)).toBe(true);
      }),
      { numRuns: 30 },
    );
    const parted = `x${'😀'.repeat(2500)}`;
    const { blocks } = (await send(taken, clearOf({ title: 'T', text: parted }))).body;
    expect(blocks.slice(1).map((section: { text: { text: string } }) => section.text.text)).toEqual([
      parted.slice(0, 2999),
      parted.slice(2999),
    ]);
    const { body } = await send(taken, clearOf({ title: 'T', text: 'x'.repeat(15_000) }));
    expect(body.text).toBe(`T\n\n${'x'.repeat(15_000)}`);
    expect((await send(taken, clearOf({ text: '&'.repeat(9_000) }))).outcome.kind).toBe('permanent');
  });

  it('upload a file into the person’s conversation in four calls, and give the bytes no token', async () => {
    const data = Buffer.from([1, 2, 3, 4]).toString('base64url');
    const file = clearOf({
      title: 'T',
      file: { name: 'a.bin', mediaType: 'application/octet-stream', source: { kind: 'bytes', data } },
    });
    const { outcome, asked } = await send(taken, file);
    expect(outcome).toEqual({ kind: 'accepted', providerMessageId: 'file:F123ABC456' });
    const methods = ['conversations.open', 'files.getUploadURLExternal', 'ABC123', 'files.completeUploadExternal'];
    expect(asked.map(({ url }) => methodOf(url))).toEqual(methods);
    expect(asked[1]?.body).toBe('filename=a.bin&length=4');
    expect(asked[2]?.headers.get('authorization')).toBeNull();
    expect(JSON.parse(asked[3]?.body ?? '')).toEqual({
      files: [{ id: 'F123ABC456', title: 'a.bin' }],
      channel_id: 'D024BE91L',
      initial_comment: 'T\n\nDisk full on db1',
    });
    const channel = await send(taken, file, 'C024BE91L');
    expect(channel.asked.map(({ url }) => methodOf(url))).toEqual(methods.slice(1));
  });

  it('leave a file ambiguous only at the call that shows it', async () => {
    const data = Buffer.from([1]).toString('base64url');
    const file = clearOf({ file: { name: 'a', mediaType: 'text/plain', source: { kind: 'bytes', data } } });
    for (const [step, kind] of [
      ['conversations.open', 'retry-after'],
      ['files.getUploadURLExternal', 'retry-after'],
      ['ABC123', 'retry-after'],
      ['files.completeUploadExternal', 'ambiguous'],
    ] as const) {
      const broken: Answering = (asked) => (methodOf(asked.url) === step ? json(500, {}) : taken(asked));
      expect((await send(broken, file)).outcome.kind).toBe(kind);
    }
  });

  it('are not made once the time has passed, or without a token', async () => {
    const late = await send(taken, PAYLOADS.text, ALICE, { expires: Date.now() - 1 });
    expect([late.outcome.kind, late.asked.length]).toEqual(['permanent', 0]);
    const { adapter, asked } = recordedAdapter('slack', SETTINGS, {}, taken);
    expect([(await adapter.send(attemptTo(ALICE))).kind, asked.length]).toEqual(['auth-broken', 0]);
  });
});

describe('answers', () => {
  it.each([
    ['channel_not_found', 'downgrade'],
    ['is_archived', 'downgrade'],
    ['user_disabled', 'downgrade'],
    ['invalid_auth', 'auth-broken'],
    ['token_revoked', 'auth-broken'],
    ['missing_scope', 'auth-broken'],
    ['msg_too_long', 'permanent'],
    ['msg_blocks_too_long', 'permanent'],
    ['constructor', 'permanent'],
    ['ratelimited', 'retry-after'],
    ['fatal_error', 'ambiguous'],
    ['internal_error', 'ambiguous'],
  ])('200 with ok false and %s are %s, and say so by codes alone', async (error, kind) => {
    expect((await send(refused(error))).outcome).toMatchObject({ kind, reason: `200 ${error}` });
  });

  it('wait as long as Slack asks, and never repeat what may have been shown', async () => {
    const busy = await send(() => json(429, { ok: false, error: 'ratelimited' }, { 'retry-after': '7' }));
    expect(busy.outcome).toMatchObject({ kind: 'retry-after', afterMs: 7_000 });
    for (const answer of [
      () => json(500, {}),
      () => json(200, { ok: true }),
      () => new Response('<html>'),
      failing('UND_ERR_SOCKET'),
    ])
      expect((await send(answer)).outcome.kind).toBe('ambiguous');
    expect((await send(failing('ECONNREFUSED'))).outcome.kind).toBe('retry-after');
  });
});

describe('taking back', () => {
  const sent = { id: attemptTo(ALICE).id, address: ALICE, providerMessageId: `D024BE91L:${TS}` };

  it('deletes the message where Slack said it stands, or the file', async () => {
    const { adapter, asked } = adapterOf(() => json(200, { ok: true }));
    expect(await adapter.revoke?.(sent)).toEqual({ kind: 'revoked' });
    expect(await adapter.revoke?.({ ...sent, providerMessageId: 'file:F123ABC456' })).toEqual({ kind: 'revoked' });
    expect(asked.map(({ url, body }) => [methodOf(url), JSON.parse(body)])).toEqual([
      ['chat.delete', { channel: 'D024BE91L', ts: TS }],
      ['files.delete', { file: 'F123ABC456' }],
    ]);
  });

  it.each([
    [refused('message_not_found'), 'too-late'],
    [refused('ratelimited'), 'retry-after'],
    [refused('cant_delete_message'), 'unknown'],
    [failing('ECONNREFUSED'), 'retry-after'],
    [failing('UND_ERR_SOCKET'), 'unknown'],
  ] as const)('says what came of it (%#)', async (answer, kind) => {
    expect((await adapterOf(answer).adapter.revoke?.(sent))?.kind).toBe(kind);
  });

  it('of a message without a name is not tried', async () => {
    const { adapter, asked } = adapterOf(taken);
    expect((await adapter.revoke?.({ ...sent, providerMessageId: undefined }))?.kind).toBe('unknown');
    expect(asked).toEqual([]);
  });
});

describe('the signature', () => {
  /** "Verifying requests from Slack", the example given there. */
  const PUBLISHED =
    'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';
  const SIGNATURE = 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503';
  const AT = '1531420618';
  const verify = (change: { signature?: string; timestamp?: string; body?: string; secret?: string; now?: number }) => {
    const given = {
      signature: SIGNATURE,
      timestamp: AT,
      body: PUBLISHED,
      secret: SECRET,
      now: 1_531_420_618_000,
      ...change,
    };
    const bytes = new TextEncoder().encode(given.body);
    return verifySlackSignature(given.signature, given.timestamp, bytes, given.secret, given.now);
  };

  it('is the one of the published example', () => {
    expect(verify({})).toBe(true);
  });

  it('holds for five minutes, these bytes and this secret alone', () => {
    for (const change of [
      { now: 1_531_420_918_001 },
      { now: 1_531_420_317_999 },
      { body: `${PUBLISHED} ` },
      { secret: 'guess' },
      { secret: '' },
      { timestamp: '1531420619' },
      { timestamp: 'NaN' },
      { signature: SIGNATURE.slice(3) },
      { signature: SIGNATURE.toUpperCase() },
      { signature: `${SIGNATURE}00` },
    ])
      expect(verify(change)).toBe(false);
    expect(verify({ now: 1_531_420_917_000 })).toBe(true);
  });
});

describe('webhooks', () => {
  const NOW = Date.UTC(2026, 10, 24, 3);
  function post(body: string, secret = SECRET): RawWebhook {
    const timestamp = String(NOW / 1000);
    const mac = createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex');
    const headers = { 'X-Slack-Signature': `v0=${mac}`, 'X-Slack-Request-Timestamp': timestamp };
    return { method: 'POST', query: '', headers, body: new TextEncoder().encode(body) };
  }
  const read = async (request: RawWebhook) => adapterOf(taken, { now: () => NOW }).adapter.webhook?.(request);
  const message = (change: object, team = TEAM) => {
    const event = { type: 'message', channel: 'D024BE91L', channel_type: 'im', user: ALICE, ts: TS, ...change };
    return post(JSON.stringify({ type: 'event_callback', team_id: team, event_id: 'Ev1', event }));
  };
  const said = async (change: object) => {
    const result = await read(message(change));
    return result?.kind === 'events' ? result.inbound : result?.kind;
  };
  const told = { id: `D024BE91L:${TS}`, address: ALICE, at: 1_503_435_956_000 };

  it('answer the check of our address', async () => {
    const check = JSON.stringify({
      type: 'url_verification',
      token: 'x',
      challenge: '3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P',
    });
    expect(await read(post(check))).toEqual({
      kind: 'handshake',
      answer: '3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P',
    });
    expect(await read(post(check, 'guess'))).toEqual({ kind: 'forged' });
  });

  it('bring what a person writes in a direct message, files, and the wish to be left alone', async () => {
    expect(await said({ text: 'a &lt; b &amp;amp; c', thread_ts: '1503435955.000100' })).toEqual([
      { ...told, about: 'D024BE91L:1503435955.000100', content: { kind: 'text', text: 'a < b &amp; c' } },
    ]);
    expect(await said({ text: 'stop' })).toMatchObject([{ content: { kind: 'opt-out' } }]);
    const files = [{ id: 'F1', name: 'a.png', mimetype: 'image/png', url_private: 'https://files.slack.com/a' }];
    expect(await said({ subtype: 'file_share', text: 'look', files })).toEqual([
      { ...told, content: { kind: 'text', text: 'look' } },
      {
        ...told,
        id: `D024BE91L:${TS}-1`,
        content: { kind: 'file', name: 'a.png', mediaType: 'image/png', url: 'https://files.slack.com/a' },
      },
    ]);
  });

  it('bring none of a channel’s talk, a bot’s words, edits, or another workspace’s events', async () => {
    expect(await said({ channel: 'C024BE91L', channel_type: 'channel', text: 'STOP' })).toBe('ignored');
    expect(await said({ bot_id: 'B1', text: 'Hi' })).toBe('ignored');
    expect(await said({ subtype: 'message_changed', text: 'Hi' })).toBe('ignored');
    expect((await read(message({ text: 'Hi' }, 'T999999')))?.kind).toBe('ignored');
  });

  it('bring a tap with its data, from the person in a direct message and from the channel elsewhere', async () => {
    const tapped = async (channel: string, change = {}) => {
      const action = {
        action_id: 'suggestion-0',
        action_ts: TS,
        value: 'ack:42',
        text: { type: 'plain_text', text: 'Acknowledge' },
      };
      const payload = {
        type: 'block_actions',
        team: { id: TEAM },
        user: { id: ALICE },
        channel: { id: channel },
        message: { ts: '1503435955.000100' },
        actions: [{ ...action, ...change }],
      };
      const result = await read(post(new URLSearchParams({ payload: JSON.stringify(payload) }).toString()));
      return result?.kind === 'events' ? result.inbound : result?.kind;
    };
    expect(await tapped('D024BE91L')).toEqual([
      {
        id: `${TS}:${ALICE}:suggestion-0`,
        address: ALICE,
        at: 1_503_435_956_000,
        about: 'D024BE91L:1503435955.000100',
        content: { kind: 'suggestion', data: 'ack:42', text: 'Acknowledge' },
      },
    ]);
    expect(await tapped('C024BE91L')).toMatchObject([{ address: 'C024BE91L' }]);
    expect(await tapped('D024BE91L', { value: undefined })).toBe('ignored');
  });

  it('that are in no published form are malformed, unsigned ones forged, and no bytes make them throw', async () => {
    const good = message({ text: 'Hi' });
    expect(await read({ ...good, headers: {} })).toEqual({ kind: 'forged' });
    expect(await read({ ...good, headers: message({ text: 'Ho' }).headers })).toEqual({ kind: 'forged' });
    expect((await read({ ...good, method: 'GET' }))?.kind).toBe('malformed');
    expect((await read({ ...good, body: new Uint8Array(600_000) }))?.kind).toBe('malformed');
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.json().map((value) => `payload=${value}`),
        ),
        async (body) => {
          expect((await read(post(body)))?.kind).toBe('malformed');
        },
      ),
      { numRuns: 50 },
    );
  });
});
