/** A contract provider out of a definition for the kit: conditions become faults, and the rest is the same for all. */
import { type Provider as Fake, type ProviderDefinition, type ProviderFault, startProvider } from '@sealpost/simulator';
import { type ChannelAdapterName, createAdapter, type RawWebhook } from '../../src/index.ts';
import { fetchInstead } from '../fetch-instead.ts';
import { contextOf } from '../recorded-provider.ts';
import type { Condition, Provider, Stage } from '../stage.ts';
import { recordingSink } from '../stages.ts';
import { startWebhookServer } from '../webhook-server.ts';

export interface HttpProvider {
  readonly adapter: ChannelAdapterName;
  readonly address: string;
  readonly files: Readonly<Record<string, string>>;
  definition(webhookUrl: string): ProviderDefinition;
  settings(url: string, webhookUrl: string): object;
  /** The adapter's way to this provider, where it has several. */
  readonly way?: string;
  /** Where the adapter asks an origin of the provider's alone, the fake is asked in its place. */
  readonly origin?: string;
  /** Conditions this provider cannot play, and why. */
  readonly cannot?: Partial<Record<Condition, string>>;
}

const FAULTS: Readonly<Record<Condition, ProviderFault | undefined>> = {
  fine: undefined,
  busy: 'busy',
  'busy-once': 'busy',
  failing: 'failing',
  'silent-before-effect': 'timeout-before-effect',
  'silent-after-effect': 'timeout-after-effect',
  'link-dropped': 'reset',
  'nonsense-after-effect': 'malformed',
  'oversized-after-effect': 'oversized',
  'drip-after-effect': 'drip',
  'never-takes': 'rejected',
  'cannot-reach': 'capability-withdrawn',
  'credentials-refused': 'unauthorized',
  'connection-refused': 'refuse',
  'receipt-twice': 'duplicate-receipt',
  'receipt-early': 'early-receipt',
  'receipt-late': 'late-receipt',
  'receipt-reordered': 'reordered-receipt',
  'receipt-unknown': 'unknown-receipt',
  'receipt-forged': 'forged-signature',
};

const NO_REACH = 'its answer never says that a person cannot be reached';
const NO_RECEIPTS = 'this provider reports no deliveries';

export function httpProvider(provider: HttpProvider): Provider {
  const { adapter: name, address, files } = provider;

  async function open(condition: Condition): Promise<Stage | { cannot: string }> {
    const reason = provider.cannot?.[condition];
    if (reason !== undefined) return { cannot: reason };
    const sink = recordingSink();
    const hook = await startWebhookServer(() => adapter, sink);
    const definition = provider.definition(hook.url);
    const fake = await startProvider({ host: '127.0.0.1', port: 0, definition, webhookUrl: hook.url });
    const settings = { ...provider.settings(fake.url, hook.url), timeout: '400ms' };
    const instead = provider.origin === undefined ? undefined : { origin: provider.origin, by: fake.url };
    const adapter = createAdapter(name, settings, contextOf(files, { fetch: fetchInstead(instead) }));
    const close = async () => {
      await fake.stop();
      await hook.close();
    };
    const cannot = cannotPlay(condition, definition, adapter.capabilities.delivered);
    if (cannot !== undefined) {
      await close();
      return { cannot };
    }
    await adapter.start(sink);
    await fake.setFault(FAULTS[condition], condition === 'busy-once' ? 1 : undefined);
    const { webhooks } = definition;
    return {
      adapter,
      address,
      receipts: sink.receipts,
      shown: async () => fake.messages().length,
      texts: () => fake.messages().map(({ text }) => text),
      release: () => fake.release(),
      ...(definition.answers.unreachable && { withdraw: () => fake.setFault('capability-withdrawn') }),
      ...(adapter.capabilities.inbound && { inbound: sink.inbound, say: saying(fake, address) }),
      forgeries: hook.forgeries,
      secrets: Object.values(files),
      elsewhere: { name, settings, files, ...(instead && { instead }) },
      ...(webhooks && { webhooks: { forged: forgedOf(webhooks, address), malformed: malformedOf(webhooks) } }),
      close,
    };
  }

  const way = provider.way === undefined ? '' : ` (${provider.way})`;
  return { name: `${name}${way} against its fake`, adapter: name, failing: 'ambiguous', open };
}

function cannotPlay(condition: Condition, definition: ProviderDefinition, delivered: boolean): string | undefined {
  if (condition === 'cannot-reach' && definition.answers.unreachable === undefined) return NO_REACH;
  return condition.startsWith('receipt-') && !delivered ? NO_RECEIPTS : undefined;
}

const saying = (fake: Fake, address: string) => (id: string, text: string) => fake.say(id, address, text);

type Webhooks = NonNullable<ProviderDefinition['webhooks']>;

function requestOf({ prove }: Webhooks, body: string, genuine: boolean): RawWebhook {
  const { headers, query = '' } = prove(body, genuine);
  return { method: 'POST', query, headers, body: new TextEncoder().encode(body) };
}

/** An event under another key, and one without any proof. */
function forgedOf(webhooks: Webhooks, address: string): RawWebhook[] {
  const body = webhooks.bodyOf({ kind: 'said', id: SAID_ID, address, text: 'On my way' });
  if (body === undefined) return [];
  const forged = requestOf(webhooks, body, false);
  return [forged, { ...forged, query: '', headers: {} }];
}

/** Proved, and in no published form; the last is larger than any event. */
function malformedOf(webhooks: Webhooks): RawWebhook[] {
  return ['', 'x', '[]', '7', 'null', '{', 'A'.repeat(600_000)].map((body) => requestOf(webhooks, body, true));
}

/** Has the form of every provider's message ids. */
const SAID_ID = `SM${'9'.repeat(32)}`;
