/** Intake through the front door: what control may submit, what it is answered, and that nothing refused leaves a trace. */
import { verifyJws } from '@sealpost/crypto/verify';
import { ACCEPTED_RECEIPT_TYPE, acceptedReceiptSchema, fromBase64url, type Submission } from '@sealpost/protocol';
import { leafHash } from '@sealpost/tlog';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  bundleOf,
  conversationOf,
  makeEnvelope,
  mlsFrame,
  noticePart,
  seedConversations,
  signedBundle,
  submit,
} from '../support/envelopes.ts';
import { startTestGateway, type TestGateway } from '../support/running-gateway.ts';

let gateway: TestGateway;
const PATH = '/internal/v1/envelopes';

beforeAll(async () => {
  gateway = await startTestGateway();
  const { organisation, clock, database } = gateway;
  await seedConversations(database, organisation, 4);
  const applied = await gateway.call(
    'PUT',
    '/internal/v1/bundle',
    await signedBundle(organisation, bundleOf(organisation, clock.now()), clock.now()),
  );
  expect(applied.json).toMatchObject({ version: 1 });
});
afterAll(() => gateway[Symbol.asyncDispose]());

let before = 0;
beforeEach(async () => {
  before = await stored();
});

async function stored(): Promise<number> {
  const [row] = await gateway.database.query<{ n: number }>('t-n', 'SELECT count(*)::int AS n FROM envelope');
  return row!.n;
}

const envelope = (wish = {}) => makeEnvelope(gateway.organisation, gateway.clock, wish);
const signed = (...envelopes: ReturnType<typeof envelope>[]) =>
  submit(gateway.organisation, envelopes, gateway.clock.now());

async function refused(body: unknown, status: number, code: string): Promise<void> {
  const answer = await gateway.call('POST', PATH, body);
  expect(answer.json).toMatchObject({ status, code, type: `urn:sealpost:error:${code}` });
  expect(answer.type).toContain('application/problem+json');
  expect(answer.status).toBe(status);
  expect(await stored()).toBe(before);
}

test('an accepted envelope is stored when 202 is answered, and its receipt names a leaf that enters the log at its place', async () => {
  const sent = envelope();
  const answer = await gateway.call('POST', PATH, await signed(sent));
  expect(answer.status).toBe(202);
  const [{ outcome, receipt }] = answer.json.results;
  expect(outcome).toBe('accepted');
  expect(await stored()).toBe(before + 1);
  const verdict = await verifyJws(receipt, {
    typ: ACCEPTED_RECEIPT_TYPE,
    key: gateway.organisation.trust.gateway.receipts.jwk,
    schema: acceptedReceiptSchema,
  });
  if (verdict.kind === 'refused') throw new Error(verdict.reason);
  const { lane, sequence, leaf, message } = verdict.payload;
  expect(message).toBe(sent.message);
  // Waits for the next sequenced event until this one is there.
  for (let after = -1, found = false; !found; ) {
    const { json } = await gateway.call('GET', `/internal/v1/events?after=${after}&wait=5000`);
    found = json.events.some(({ event }: { event: { message?: string } }) => event.message === message);
    after = json.events.at(-1)?.position ?? after;
  }
  const [row] = await gateway.database.query<{ leaf: Uint8Array }>(
    't-leaf',
    'SELECT leaf FROM lane_event WHERE lane = $1 AND seq = $2',
    [lane, sequence],
  );
  expect(leafHash(row!.leaf)).toEqual(fromBase64url(leaf));
});

test('a repeat is a duplicate with the same receipt, also when signed in another batch', async () => {
  const sent = envelope();
  const first = await gateway.call('POST', PATH, await signed(sent));
  const again = await gateway.call('POST', PATH, await signed(sent, envelope({ number: 1 })));
  expect(again.json.results.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['duplicate', 'accepted']);
  expect(again.json.results[0].receipt).toBe(first.json.results[0].receipt);
  expect(await stored()).toBe(before + 2);
});

test('a message id used for another envelope is a conflict, and its neighbours are stored all the same', async () => {
  const sent = envelope();
  await gateway.call('POST', PATH, await signed(sent));
  before = await stored();
  const other = envelope({ changes: {} });
  const clash = { ...makeClash(sent) };
  await refused(await signed(clash), 409, 'ERR_ENVELOPES_CONFLICT');
  const mixed = await gateway.call('POST', PATH, await signed(clash, other));
  expect(mixed.status).toBe(202);
  expect(mixed.json.results).toMatchObject([
    { outcome: 'refused', code: 'ERR_ENVELOPES_CONFLICT' },
    { outcome: 'accepted' },
  ]);
});

function makeClash(sent: ReturnType<typeof envelope>) {
  return { ...sent, expires: sent.expires - 1 };
}

test('a retry of what was accepted succeeds even after the conversation has moved on', async () => {
  const sent = envelope({ number: 3 });
  const first = await gateway.call('POST', PATH, await signed(sent));
  await gateway.database.query('t-epoch', 'UPDATE conversation SET epoch = 2 WHERE conversation = $1', [
    conversationOf(3),
  ]);
  before = await stored();
  const again = await gateway.call('POST', PATH, await signed(sent));
  expect(again.json.results).toEqual([{ ...first.json.results[0], outcome: 'duplicate' }]);
  await refused(await signed(envelope({ number: 3 })), 409, 'ERR_ENVELOPES_EPOCH');
});

test.each([
  ['another organisation', { organisation: 'other.example' }, 403, 'ERR_ENVELOPES_ORGANISATION'],
  ['an unknown flow', { flow: 'nothing' }, 404, 'ERR_ENVELOPES_FLOW'],
  ['a sender that is not the agent of the flow', { sender: 'someone' }, 403, 'ERR_ENVELOPES_SENDER'],
  ['a lower floor than the flow', { floor: 'none' }, 403, 'ERR_ENVELOPES_FLOOR'],
  ['a lower classification than the flow', { classification: 'public' }, 403, 'ERR_ENVELOPES_FLOOR'],
  ['another bundle version', { bundle: 7 }, 409, 'ERR_ENVELOPES_BUNDLE'],
  ['a recipient who is not in the conversation', { recipient: 'person-2' }, 403, 'ERR_ENVELOPES_MEMBERSHIP'],
  ['a conversation that does not exist', { conversation: conversationOf(99) }, 404, 'ERR_ENVELOPES_CONVERSATION'],
  ['a blob that was not uploaded', { blobs: ['x'.repeat(43)] }, 404, 'ERR_ENVELOPES_BLOB'],
  ['a commitment that the MLS frame does not repeat', { commitment: 'A'.repeat(43) }, 422, 'ERR_ENVELOPES_FRAME'],
] as const)('an envelope with %s is refused and leaves no trace', async (_, changes, status, code) => {
  await refused(await signed(envelope({ changes })), status, code);
});

test('an envelope that carries content over a channel below the floor is refused with the floor’s own code', async () => {
  const parts = [...envelope().parts, noticePart(gateway.organisation, { use: 'carry' })];
  await refused(await signed(envelope({ changes: { parts } })), 403, 'ERR_ROUTING_BELOW_FLOOR');
});

test('parts for routes the flow does not have, twice the same, or sealed to another key are refused', async () => {
  const [device] = envelope().parts;
  const notice = noticePart(gateway.organisation);
  const elsewhere = { ...notice, channel: 'sms-main' };
  await refused(await signed(envelope({ changes: { parts: [device, elsewhere] } })), 400, 'ERR_ENVELOPES_ROUTE');
  await refused(await signed(envelope({ changes: { parts: [device, device] } })), 400, 'ERR_ENVELOPES_PARTS');
  await refused(await signed(envelope({ changes: { parts: [notice] } })), 400, 'ERR_ENVELOPES_PARTS');
  const otherKey = { ...notice, key: 'k'.repeat(43) };
  await refused(await signed(envelope({ changes: { parts: [device, otherKey] } })), 400, 'ERR_ENVELOPES_PARTS');
});

test('an envelope that has expired, lives too long or comes from the future is refused', async () => {
  const now = gateway.clock.now();
  await refused(await signed(envelope({ changes: { expires: now - 1 } })), 409, 'ERR_ENVELOPES_EXPIRED');
  await refused(await signed(envelope({ changes: { expires: now + 5 * 3_600_000 } })), 400, 'ERR_ENVELOPES_LIFETIME');
  await refused(
    await signed(envelope({ changes: { created: now + 600_000, expires: now + 700_000 } })),
    400,
    'ERR_ENVELOPES_LIFETIME',
  );
});

test('a frame of another epoch or another kind than the envelope says is refused', async () => {
  const base = envelope();
  const device = base.parts.find((part) => part.form === 'device');
  const proposal = mlsFrame(base.conversation, 1, new Uint8Array(), new Uint8Array(32), 2);
  const text = Buffer.from(proposal).toString('base64url');
  await refused(
    await signed({ ...base, parts: [{ ...device!, ciphertext: text } as never] }),
    422,
    'ERR_ENVELOPES_FRAME',
  );
});

test('a submission that was changed, signed by a stranger, or meant for another gateway is refused as a whole', async () => {
  const good: Submission = await signed(envelope());
  const changed = structuredClone(good);
  changed.envelopes[0]!.envelope.expires -= 1;
  await refused(changed, 422, 'ERR_ENVELOPES_SIGNATURE');
  const { organisation, clock } = gateway;
  const stranger = { ...organisation, keys: { ...organisation.keys, submit: organisation.keys.operator } };
  await refused(await submit(stranger, [envelope()], clock.now()), 422, 'ERR_ENVELOPES_SIGNATURE');
  await refused(
    await submit(organisation, [envelope()], clock.now(), { audience: 'elsewhere' }),
    422,
    'ERR_ENVELOPES_SIGNATURE',
  );
});

test('a statement replayed after its expiry is refused', async () => {
  const stale = await submit(gateway.organisation, [envelope()], gateway.clock.now(), {
    expires: gateway.clock.now() - 1,
  });
  await refused(stale, 409, 'ERR_ENVELOPES_STALE');
});

test('malformed, oversized, empty and unknown-field bodies are refused as problems', async () => {
  const good = await signed(envelope());
  await refused({ ...good, extra: 1 }, 400, 'ERR_HTTP_INVALID');
  await refused(
    { ...good, envelopes: [{ ...good.envelopes[0], envelope: { ...good.envelopes[0]!.envelope, extra: 1 } }] },
    400,
    'ERR_HTTP_INVALID',
  );
  await refused({ ...good, envelopes: [] }, 400, 'ERR_HTTP_INVALID');
  await refused('{"statement":', 400, 'ERR_HTTP_SYNTAX');
  await refused(`"${'x'.repeat(8_000_001)}"`, 413, 'ERR_HTTP_TOO_LARGE');
  const wrongType = await gateway.call('POST', PATH, '<a/>', undefined, 'application/xml');
  expect(wrongType).toMatchObject({ status: 415, json: { code: 'ERR_HTTP_MEDIA_TYPE' } });
});

test('intake stops while the log has no young head and goes on once it has one again', async () => {
  const { database, clock } = gateway;
  await database.query(
    't-freeze',
    "UPDATE log_state SET owner = 'frozen', epoch = epoch + 1, lease_until = 9000000000000000",
  );
  clock.advance(62_000);
  await refused(await signed(envelope()), 503, 'ERR_LOG_STALLED');
  await database.query('t-thaw', "UPDATE log_state SET owner = '', lease_until = 0");
  await expect.poll(async () => (await gateway.call('GET', '/readyz')).status, { timeout: 20_000 }).toBe(200);
  expect((await gateway.call('POST', PATH, await signed(envelope()))).status).toBe(202);
});
