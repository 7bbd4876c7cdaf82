/**
 * A whole life (DESIGN section 15): accepted under control's signature, decided, the notice opened and sent through the real
 * RCS adapter over HTTP, the provider's receipt by its webhook, the device's signed one, the end. Gateway, dispatcher,
 * provider and callers are one process here, so its rate is what one core gives.
 */
import { rmSync } from 'node:fs';
import { sealCarrier } from '@sealpost/crypto/seal';
import { signJws } from '@sealpost/crypto/signer';
import { channelNameSchema, DEVICE_RECEIPT_TYPE, type Envelope, keyIdSchema } from '@sealpost/protocol';
import { carriageSchema } from '@sealpost/protocol/carriage';
import { startDispatcher } from '../packages/gateway/src/dispatcher/app.ts';
import { dispatcherConfigSchema } from '../packages/gateway/src/dispatcher/config.ts';
import { createDispatcherFolder } from '../packages/gateway/test/dispatcher/trust.ts';
import { deviceOf, submit } from '../packages/gateway/test/support/envelopes.ts';
import { measureBaseline } from './support/baseline.ts';
import { CONVERSATIONS, type House, withHouse } from './support/house.ts';
import { type Measured, type Meter, makeMany, makeManyAsync, until } from './support/load.ts';
import { CLIENT_TOKEN, PROVIDER_AGENT, startProvider } from './support/provider.ts';
import type { BenchOptions, Result } from './support/report.ts';
import { type BenchServer, withServer } from './support/server.ts';

const BATCH = 100;
const AMOUNTS = { usual: 2_000, quick: 50 };
const CHANNEL = channelNameSchema.parse('rcs-main');
const ADDRESS = '+4915112345678';
const LINK = 'https://inbox.acme.example/';

export function run(options: BenchOptions): Promise<Result> {
  return withServer(options, (server) =>
    withHouse(server, { noticeAfter: 0 }, (house) => measure(server, house, options)),
  );
}

async function measure(server: BenchServer, house: House, { quick }: BenchOptions): Promise<Result> {
  const base = await measureBaseline(server, 2_048);
  const lives = await makeManyAsync(quick ? AMOUNTS.quick : AMOUNTS.usual, (at) => prepare(house, at % CONVERSATIONS));
  const life = await withCarriers(server, house, lives, () => live(server.meter, house, lives));
  await house.settle();
  return {
    bench: 'life',
    about: [`${lives.length} messages, end-to-end sealed, with an RCS notice at once; Kannel not measured`],
    lines: [
      ...base.lines,
      { name: 'accept, decide, dispatch, provider and device receipts', unit: 'lives/s', ...life },
    ],
    budgets: [
      { name: 'a whole life ÷ one-row transaction', value: life.rate / base.oneRow, budget: 1.5, bound: 'least' },
    ],
    counted: await endings(house),
  };
}

interface Life {
  readonly envelope: Envelope;
  /** What its device says once it was told; signed beforehand, because that is the device's work. */
  readonly receipt: string;
  readonly device: ReturnType<typeof deviceOf>;
}

async function prepare({ organisation, dispatch, device: signer, surroundings, ...house }: House, number: number) {
  const envelope = house.envelope(number);
  const { message, flow, expires, conversation, commitment } = envelope;
  const around = { organisation: organisation.trust.organisation, message };
  const payload = { kind: 'notice', text: 'A message is waiting.', url: `${LINK}${message}` };
  const carriage = carriageSchema.parse({ v: 1, message, channel: CHANNEL, address: ADDRESS, expires, payload });
  const notice = await sealCarrier(carriage, {
    ...{ ...around, flow, channel: CHANNEL, use: 'notice', publicKey: dispatch.publicKey },
    dispatchKeyId: keyIdSchema.parse(dispatch.id),
  });
  const device = deviceOf(number);
  const said = { v: 1, ...around, kind: 'read', device, conversation, commitment, at: surroundings.now() };
  const life: Life = {
    envelope: { ...envelope, parts: envelope.parts.map((part) => (part.form === 'carrier' ? notice : part)) },
    receipt: await signJws(DEVICE_RECEIPT_TYPE, said, signer),
    device,
  };
  return life;
}

/** Runs `work` with a provider, a dispatcher connected to it, and devices that read what they are told of. */
async function withCarriers<T>(
  { connection: { host, port, database, user, password } }: BenchServer,
  { organisation, dispatch, delivery, logger }: House,
  lives: readonly Life[],
  work: () => Promise<T>,
): Promise<T> {
  const folder = await createDispatcherFolder(organisation, dispatch);
  const byLink = new Map(lives.map((life) => [`${LINK}${life.envelope.message}`, life]));
  let webhook = '';
  const failures: unknown[] = [];
  const provider = await startProvider({
    webhook: () => webhook,
    async delivered(link) {
      const life = byLink.get(link);
      if (life === undefined) throw new Error('a notice nobody sent');
      const { outcome } = await delivery.deviceReceipt(life.receipt, life.device);
      if (outcome !== 'recorded') throw new Error(`a receipt was ${outcome}`);
    },
    failed: (cause) => void failures.push(cause),
  });
  const config = dispatcherConfigSchema.parse({
    organisation: organisation.trust.organisation,
    database: { host, port, database, user, password_file: await folder.secret('db', password) },
    listen: { host: '127.0.0.1', port: 0 },
    trust_file: folder.trust_file,
    root_file: folder.root_file,
    keys: folder.keys,
    vendors: {
      [CHANNEL]: {
        adapter: 'rcs-google',
        unsafe_private_hosts: ['127.0.0.1'],
        base_url: provider.url,
        token_url: `${provider.url}/token`,
        agent_id: PROVIDER_AGENT,
        service_account_file: await folder.secret('account.json', provider.serviceAccountJson),
        client_token_file: await folder.secret('client-token', CLIENT_TOKEN),
      },
    },
  });
  const dispatcher = await startDispatcher(config, { logger });
  webhook = `http://127.0.0.1:${dispatcher.port}/webhooks/${CHANNEL}`;
  await delivery.start();
  try {
    const result = await work();
    if (failures.length > 0) throw failures[0];
    return result;
  } finally {
    await delivery.stop();
    await dispatcher.stop();
    await provider.stop();
    rmSync(folder.path, { recursive: true, force: true });
  }
}

async function live(meter: Meter, house: House, lives: readonly Life[]): Promise<Measured> {
  const { organisation, envelopes, surroundings, database } = house;
  const batches = makeMany(Math.ceil(lives.length / BATCH), (at) => lives.slice(at * BATCH, (at + 1) * BATCH));
  const ready = await Promise.all(
    batches.map((batch) =>
      submit(
        organisation,
        batch.map(({ envelope }) => envelope),
        surroundings.now(),
      ),
    ),
  );
  return meter.timed(async () => {
    for (const submission of ready) await envelopes.submit(submission);
    await until(async () => {
      const { ended, tried, heard } = await endings({ database });
      return ended === lives.length && tried === lives.length && heard === lives.length;
    }, 'every message has ended');
    return lives.length;
  });
}

const ENDINGS = `
SELECT (SELECT count(*)::int FROM envelope) AS accepted,
  count(*) FILTER (WHERE kind = 'attempt.ended')::int AS tried,
  count(*) FILTER (WHERE kind = 'receipt.provider')::int AS heard,
  count(*) FILTER (WHERE kind = 'receipt.device')::int AS "read",
  count(*) FILTER (WHERE kind = 'message.ended')::int AS ended
FROM lane_event`;

async function endings({ database }: Pick<House, 'database'>): Promise<Record<string, number>> {
  const [row] = await database.query<Record<string, number>>('bench-endings', ENDINGS);
  return row ?? {};
}
