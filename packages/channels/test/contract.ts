/**
 * What every channel adapter promises, whatever its provider: each test sets one condition at the provider, makes one
 * attempt, and states how it must end. A provider that cannot play a condition says why, and the test is skipped with
 * that reason. Every outcome and receipt is also searched for what must never be in one.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { attemptIdSchema } from '@sealpost/protocol';
import { type Outcome, outcomeSchema, type ProviderReceipt, providerReceiptSchema } from '@sealpost/protocol/carriage';
import { afterEach, describe, expect, it, type TestContext } from 'vitest';
import type { Adapter, Attempt, RawWebhook } from '../src/index.ts';

export type Condition =
  | 'fine'
  | 'busy'
  | 'busy-once'
  | 'failing'
  | 'silent-before-effect'
  | 'silent-after-effect'
  | 'link-dropped'
  | 'nonsense-after-effect'
  | 'never-takes'
  | 'cannot-reach'
  | 'credentials-refused'
  | 'connection-refused'
  | 'receipt-twice'
  | 'receipt-early'
  | 'receipt-late'
  | 'receipt-unknown';

export interface Stage {
  /** Started, with a sink that records. */
  readonly adapter: Adapter;
  readonly address: string;
  /** Every receipt the sink was given, or the webhook answered with, in order. */
  readonly receipts: readonly ProviderReceipt[];
  /** How many times the person was shown the message. */
  shown(): Promise<number>;
  /** Lets a held receipt go. */
  release(): Promise<void>;
  /** What no outcome may hold beside the address and the payload. */
  readonly secrets: readonly string[];
  /** The same adapter in another process. */
  readonly elsewhere: { name: string; settings: unknown; files: Readonly<Record<string, string>> };
  readonly webhooks?: {
    readonly forged: RawWebhook[];
    readonly malformed: RawWebhook[];
    readonly handshake: RawWebhook;
  };
  close(): Promise<void>;
}

export interface Provider {
  readonly name: string;
  /** Why none of this can run here. */
  readonly absent?: string | undefined;
  /** A stage under this condition, or why this provider cannot play it. */
  open(condition: Condition): Promise<Stage | { readonly cannot: string }>;
}

export async function until<T>(probe: () => T | undefined | Promise<T | undefined>, what: string): Promise<T> {
  const deadline = performance.now() + 10_000;
  while (performance.now() < deadline) {
    const value = await probe();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`never happened: ${what}`);
}

const TEXT = 'Something is waiting for you';
const URL_TOKEN = 'k3YmAaRkEr';

export function attemptTo(address: string, change: Partial<Attempt> = {}): Attempt {
  const payload = { kind: 'notice' as const, text: TEXT, url: `https://inbox.example/m/${URL_TOKEN}` };
  return { id: attemptIdSchema.parse(randomUUID()), address, payload, expires: Date.now() + 3_600_000, ...change };
}

/** One attempt; its outcome is in the published form and gives nobody away. */
async function send(stage: Stage, attempt = attemptTo(stage.address)): Promise<Outcome> {
  const outcome = outcomeSchema.parse(await stage.adapter.send(attempt));
  const said = JSON.stringify([outcome, stage.receipts]);
  for (const secret of [attempt.address.slice(1), TEXT, TEXT.slice(0, 20), URL_TOKEN, ...stage.secrets])
    expect(said).not.toContain(secret);
  return outcome;
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

    it.for(['busy', 'failing'] as const)(
      'says retry-after with a wait while the provider is %s, and nothing is shown',
      async (condition, context) => {
        const stage = await stageFor(condition, context);
        expect(await send(stage)).toMatchObject({
          kind: 'retry-after',
          afterMs: expect.toSatisfy((wait: number) => wait > 0),
        });
        expect(await stage.shown()).toBe(0);
      },
    );

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
      expect((await send(stage, attemptTo(stage.address, { payload }))).kind).toBe('accepted');
      await until(async () => ((await stage.shown()) > 0 ? true : undefined), 'the message is shown');
    });

    it('reports the delivery of a message under the name it was accepted by', async (context) => {
      const stage = await stageFor('fine', context);
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
      expect((await adapter.webhook(webhooks.handshake)).kind).toBe('handshake');
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
