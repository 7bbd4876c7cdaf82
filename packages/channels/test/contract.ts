/**
 * What every channel adapter promises, whatever its provider: each test sets one condition at the provider, makes one
 * attempt, and states how it must end. A provider that cannot play a condition says why, and the test is skipped with
 * that reason. Every outcome and receipt is also searched for what must never be in one.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { addressKindOf, isIdempotent, protectionOf, revocationOf } from '@sealpost/protocol';
import { inboundSchema, type Outcome, outcomeSchema, providerReceiptSchema } from '@sealpost/protocol/carriage';
import { afterEach, describe, expect, it, type TestContext } from 'vitest';
import { clearOf, PAYLOADS } from './payloads.ts';
import { attemptTo, type Condition, type Provider, type Stage, TEXT, URL_TOKEN, until } from './stage.ts';

export { attemptTo, until };

/** One attempt; its outcome is in the published form and gives nobody away. */
async function send(stage: Stage, attempt = attemptTo(stage.address)): Promise<Outcome> {
  const outcome = outcomeSchema.parse(await stage.adapter.send(attempt));
  const said = JSON.stringify([outcome, stage.receipts]);
  for (const secret of [attempt.address.slice(1), TEXT, TEXT.slice(0, 20), URL_TOKEN, ...stage.secrets])
    expect(said).not.toContain(secret);
  return outcome;
}

/** Two ids of people's messages, in the form of every provider. */
const SAID = [`SM${'8'.repeat(32)}`, `SM${'7'.repeat(32)}`] as const;

/** What must arrive of a payload: each text, and what a tap brings or opens where it can be seen. */
function partsOf(payload: (typeof PAYLOADS)['notice' | 'link' | 'text' | 'card']): string[] {
  if (payload.kind !== 'clear') return [payload.text];
  const titles = payload.title === undefined ? [] : [payload.title];
  return [...titles, payload.text, ...payload.suggestions.map(({ text }) => text)];
}

const matching = (stage: Stage, id: string) =>
  stage.receipts.filter(({ providerMessageIds }) => providerMessageIds.includes(id));

export function describeContract(provider: Provider): void {
  describe(`channel contract: ${provider.name}`, () => {
    let open: Stage | undefined;
    afterEach(async () => {
      await open?.adapter.stop();
      await open?.close();
      open = undefined;
    });

    async function stageFor(condition: Condition, context: TestContext): Promise<Stage> {
      if (provider.absent !== undefined) return context.skip(provider.absent);
      const stage = await provider.open(condition);
      if ('cannot' in stage) return context.skip(stage.cannot);
      open = stage;
      return stage;
    }

    it('says accepted, by the name of the provider, once the message is taken, and the person is shown it once', async (context) => {
      const stage = await stageFor('fine', context);
      const outcome = await send(stage);
      expect(outcome).toEqual({ kind: 'accepted', providerMessageId: expect.any(String) });
      await until(async () => ((await stage.shown()) === 1 ? true : undefined), 'the message is shown');
    });

    it('says retry-after with a wait while the provider is busy, and nothing is shown', async (context) => {
      const stage = await stageFor('busy', context);
      expect(await send(stage)).toMatchObject({
        kind: 'retry-after',
        afterMs: expect.toSatisfy((wait: number) => wait > 0),
      });
      expect(await stage.shown()).toBe(0);
    });

    it('calls a failing provider ambiguous where a failure may have had its effect, else retry-after', async (context) => {
      const stage = await stageFor('failing', context);
      expect((await send(stage)).kind).toBe(provider.failing ?? 'retry-after');
      expect(await stage.shown()).toBe(0);
    });

    it('is accepted under the same attempt after a retry-after', async (context) => {
      const stage = await stageFor('busy-once', context);
      const attempt = attemptTo(stage.address);
      expect((await send(stage, attempt)).kind).toBe('retry-after');
      expect((await send(stage, attempt)).kind).toBe('accepted');
      await until(async () => ((await stage.shown()) === 1 ? true : undefined), 'the message is shown');
    });

    it.for([
      ['silent-before-effect', 0],
      ['silent-after-effect', 1],
      ['nonsense-after-effect', 1],
      ['oversized-after-effect', 1],
      ['drip-after-effect', 1],
    ] as const)('says ambiguous when the provider is %s', async ([condition, shown], context) => {
      const stage = await stageFor(condition, context);
      expect((await send(stage)).kind).toBe('ambiguous');
      expect(await stage.shown()).toBe(shown);
    });

    it('says ambiguous when the connection drops after the message was sent', async (context) => {
      expect((await send(await stageFor('link-dropped', context))).kind).toBe('ambiguous');
    });

    it('may repeat an ambiguous attempt without a second showing where it calls itself idempotent', async (context) => {
      const stage = await stageFor('silent-after-effect', context);
      if (!stage.adapter.capabilities.idempotent) context.skip('this provider has no idempotency key');
      const attempt = attemptTo(stage.address);
      await send(stage, attempt);
      await send(stage, attempt);
      expect(await stage.shown()).toBe(1);
    });

    it('says permanent when the provider will never take this message', async (context) => {
      const stage = await stageFor('never-takes', context);
      expect((await send(stage)).kind).toBe('permanent');
      expect(await stage.shown()).toBe(0);
    });

    it('says downgrade when this channel cannot reach this address', async (context) => {
      const stage = await stageFor('cannot-reach', context);
      expect((await send(stage)).kind).toBe('downgrade');
      expect(await stage.shown()).toBe(0);
    });

    it('says auth-broken when the provider refuses our credentials', async (context) => {
      const stage = await stageFor('credentials-refused', context);
      expect((await send(stage)).kind).toBe('auth-broken');
      expect(await stage.shown()).toBe(0);
    });

    it('starts though the provider refuses connections, and says retry-after', async (context) => {
      const stage = await stageFor('connection-refused', context);
      expect((await send(stage)).kind).toBe('retry-after');
    });

    it('never hands over a message whose time has passed', async (context) => {
      const stage = await stageFor('fine', context);
      expect((await send(stage, attemptTo(stage.address, { expires: Date.now() - 1 }))).kind).toBe('permanent');
      expect(await stage.shown()).toBe(0);
    });

    it('never lets a long text fail: it arrives whole or is refused', async (context) => {
      const stage = await stageFor('fine', context);
      const payload = {
        kind: 'notice' as const,
        text: 'ä{Ω'.repeat(100),
        url: `https://inbox.example/${'x'.repeat(2000)}`,
      };
      const outcome = await send(stage, attemptTo(stage.address, { payload }));
      if (outcome.kind === 'permanent') return expect(await stage.shown()).toBe(0);
      expect(outcome.kind).toBe('accepted');
      await until(async () => ((await stage.shown()) > 0 ? true : undefined), 'the message is shown');
      if (stage.texts !== undefined) expect(stage.texts().join('\n')).toContain(payload.text);
    });

    it('refuses a text over the limit it declares and sends nothing of it', async (context) => {
      const stage = await stageFor('fine', context);
      const payload = clearOf({ text: 'x'.repeat(stage.adapter.capabilities.content.text + 1) });
      expect((await send(stage, attemptTo(stage.address, { payload }))).kind).toBe('permanent');
      expect(await stage.shown()).toBe(0);
    });

    it.for(['notice', 'link', 'text', 'card'] as const)(
      'carries a %s whole, whatever it cannot show as such',
      async (kind, context) => {
        const stage = await stageFor('fine', context);
        const { texts } = stage;
        if (texts === undefined) return context.skip('this stage does not tell what arrived');
        const payload = PAYLOADS[kind];
        expect((await send(stage, attemptTo(stage.address, { payload }))).kind).toBe('accepted');
        const [arrived = ''] = await until(() => (texts().length > 0 ? texts() : undefined), 'the message is shown');
        for (const part of partsOf(payload)) expect(arrived).toContain(part);
      },
    );

    it('says downgrade from when the person can no longer be reached', async (context) => {
      const stage = await stageFor('fine', context);
      if (stage.withdraw === undefined) return context.skip('its answer never says that a person cannot be reached');
      expect((await send(stage)).kind).toBe('accepted');
      await stage.withdraw();
      expect((await send(stage)).kind).toBe('downgrade');
      expect(await stage.shown()).toBe(1);
    });

    it('declares the protection, address and idempotency the protocol says, and has the methods it declares', async (context) => {
      const { adapter } = await stageFor('fine', context);
      const { capabilities } = adapter;
      expect([capabilities.protection, capabilities.address, capabilities.idempotent]).toEqual([
        protectionOf('carry', provider.adapter),
        addressKindOf(provider.adapter),
        isIdempotent(provider.adapter),
      ]);
      // One adapter may have ways without it (a workflow of Teams); none takes back what the table says it does not.
      expect(['no', revocationOf(provider.adapter)]).toContain(capabilities.revoke);
      expect([adapter.lookup !== undefined, adapter.query !== undefined, adapter.revoke !== undefined]).toEqual([
        capabilities.lookup,
        capabilities.query,
        capabilities.revoke !== 'no',
      ]);
    });

    it('tells what people write once each, under one id however often it is told, and STOP as the wish it is', async (context) => {
      const { say, inbound, address } = await stageFor('fine', context);
      if (say === undefined || inbound === undefined) return context.skip('nobody writes back on this stage');
      for (const text of ['On my way', 'On my way', 'STOP']) await say(text === 'STOP' ? SAID[1] : SAID[0], text);
      expect(inbound.map((said) => inboundSchema.parse(said).content)).toEqual([
        { kind: 'text', text: 'On my way' },
        { kind: 'text', text: 'On my way' },
        { kind: 'opt-out' },
      ]);
      expect(inbound.map((said) => said.address)).toEqual([address, address, address]);
      expect(inbound[0]?.id).toBe(inbound[1]?.id);
      expect(inbound[2]?.id).not.toBe(inbound[0]?.id);
    });

    it('reports the delivery of a message under the name it was accepted by', async (context) => {
      const stage = await stageFor('fine', context);
      if (!stage.adapter.capabilities.delivered) return context.skip('this provider reports no deliveries');
      const outcome = await send(stage);
      const id = outcome.kind === 'accepted' ? outcome.providerMessageId : '';
      const [receipt] = await until(
        () => (matching(stage, id).length > 0 ? matching(stage, id) : undefined),
        'a receipt',
      );
      expect(providerReceiptSchema.parse(receipt).status).toBe('delivered');
      expect(JSON.stringify(receipt)).not.toContain(TEXT.slice(0, 20));
    });

    it('passes on a duplicate receipt as it came', async (context) => {
      const stage = await stageFor('receipt-twice', context);
      await send(stage);
      await until(() => stage.receipts[1], 'two receipts');
      expect(stage.receipts[1]?.providerMessageIds).toEqual(stage.receipts[0]?.providerMessageIds);
    });

    it('passes on a receipt that comes before the answer', async (context) => {
      const stage = await stageFor('receipt-early', context);
      const outcome = await send(stage);
      expect(matching(stage, outcome.kind === 'accepted' ? outcome.providerMessageId : '')).toHaveLength(1);
    });

    it('passes on a receipt that comes late', async (context) => {
      const stage = await stageFor('receipt-late', context);
      await send(stage);
      expect(stage.receipts).toEqual([]);
      await stage.release();
      await until(() => stage.receipts[0], 'the late receipt');
    });

    it('passes on receipts out of order as they came', async (context) => {
      const stage = await stageFor('receipt-reordered', context);
      await send(stage);
      const statuses = () => stage.receipts.map(({ status }) => status);
      await until(() => (statuses().includes('delivered') ? true : undefined), 'the delivery, told last');
      expect(statuses()).toEqual(statuses().length > 1 ? ['read', 'delivered'] : ['delivered']);
      if (stage.adapter.capabilities.read) expect(statuses()).toHaveLength(2);
    });

    it('passes on nothing of a forged receipt', async (context) => {
      const stage = await stageFor('receipt-forged', context);
      await send(stage);
      await until(() => ((stage.forgeries?.() ?? 0) > 0 ? true : undefined), 'a forged webhook');
      expect(stage.receipts).toEqual([]);
    });

    it('passes on a receipt for a message it never sent, under that name', async (context) => {
      const stage = await stageFor('receipt-unknown', context);
      const outcome = await send(stage);
      const id = outcome.kind === 'accepted' ? outcome.providerMessageId : '';
      await until(() => stage.receipts[1], 'two receipts');
      expect(matching(stage, id)).toHaveLength(1);
    });

    it('tells forged webhooks from malformed ones and answers the handshake', async (context) => {
      const { adapter, webhooks } = await stageFor('fine', context);
      if (webhooks === undefined || adapter.webhook === undefined) return context.skip('this provider has no webhooks');
      for (const request of webhooks.forged) expect(await adapter.webhook(request)).toEqual({ kind: 'forged' });
      for (const request of webhooks.malformed) expect((await adapter.webhook(request)).kind).toBe('malformed');
      if (webhooks.handshake !== undefined) expect((await adapter.webhook(webhooks.handshake)).kind).toBe('handshake');
    });

    it('leaves nothing open after stop: a process that did the same ends by itself', async (context) => {
      const { elsewhere, address } = await stageFor('fine', context);
      const job = JSON.stringify({ ...elsewhere, attempt: attemptTo(address) });
      const child = spawn(process.execPath, [join(import.meta.dirname, 'one-attempt.ts'), job], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const said: Buffer[] = [];
      child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
      const [code] = await once(child, 'close');
      expect([code, JSON.parse(Buffer.concat(said).toString()).kind]).toEqual([0, 'accepted']);
    });
  });
}
