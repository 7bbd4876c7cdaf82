/**
 * The matrix itself: for each fault, one message a provider through a real gateway's delivery and a real dispatcher, while
 * the fault lasts, until all of them have ended. The clock is moved, so that a flow's time passes in seconds.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FLOW } from '../../packages/gateway/test/delivery/fixtures.ts';
import { createStage, type Stage } from '../../packages/gateway/test/dispatcher/stage.ts';
import type { CompiledFlow, MessageId } from '../../packages/protocol/src/index.ts';
import { expiredCertificate } from './certificate.ts';
import { type Fake, openFake } from './fake.ts';
import { FAULT_KINDS, type FaultName } from './kinds.ts';
import { HTTP_PROVIDERS, type HttpProvider } from './providers.ts';

export interface Cell {
  readonly adapter: string;
  readonly fault: FaultName;
  /** How the message ended: `reason` of `message.ended`. */
  readonly ended: string;
  readonly effects: number;
  /** Why this provider cannot show this fault. */
  readonly cannot?: string;
  readonly right: boolean;
}

const EXPIRES_MS = 60_000;
/** Virtual milliseconds a look; a look takes some real ones, so that providers' timeouts are a small part of the time. */
const STEP_MS = 400;
const LOOK_MS = 15;
const MOST_LOOKS = 4_000;
const NO_DELIVERIES = 'its provider reports no deliveries, or none that can be proved here';

export interface Matrix extends AsyncDisposable {
  run(fault: FaultName): Promise<Cell[]>;
}

export async function openMatrix(): Promise<Matrix> {
  const folder = await mkdtemp(join(tmpdir(), 'sealpost-faults-'));
  let stage: Stage | undefined;
  const fake = await openFake({
    providers: HTTP_PROVIDERS,
    certificate: expiredCertificate(),
    now: () => stage?.clock.now() ?? 0,
    async report(vendor, { query = '', headers, body }) {
      const url = `${stage?.url}/webhooks/${vendor}${query === '' ? '' : `?${query}`}`;
      const answer = await fetch(url, { method: 'POST', headers, body });
      await answer.arrayBuffer();
      return answer.status;
    },
  });
  stage = await createStage({ vendors: await vendorsAt(fake, folder) });
  await stage.start();
  const running = stage;
  return {
    run: (fault) => runOne(running, fake, fault),
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      await fake.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** Each provider twice: as it is, and behind the certificate that has expired. */
async function vendorsAt({ url, expiredUrl }: Fake, folder: string): Promise<Record<string, object>> {
  const vendors: Record<string, object> = {};
  for (const provider of HTTP_PROVIDERS) {
    const files: Record<string, string> = {};
    for (const [name, content] of Object.entries(provider.files)) {
      files[name] = join(folder, `${provider.name}-${name}`);
      await writeFile(files[name], content, { mode: 0o600 });
    }
    for (const [vendor, root] of [
      [provider.name, url],
      [`${provider.name}-expired`, expiredUrl],
    ] as const) {
      const named = Object.entries(provider.settings(`${root}/${provider.name}`)).map(([setting, value]) => [
        setting,
        setting.endsWith('_file') ? files[value] : value,
      ]);
      vendors[vendor] = { adapter: provider.name, unsafe_private_hosts: ['127.0.0.1'], ...Object.fromEntries(named) };
    }
  }
  return vendors;
}

async function runOne(stage: Stage, fake: Fake, fault: FaultName): Promise<Cell[]> {
  await forget(stage);
  await fake.strike(fault);
  const able = HTTP_PROVIDERS.filter((provider) => canShow(provider, fault));
  const sent: { provider: HttpProvider; message: MessageId }[] = [];
  for (const provider of able) sent.push({ provider, message: await send(stage, fake, provider, fault) });
  await untilEnded(
    stage,
    sent.map(({ message }) => message),
  );
  const cells: Cell[] = [];
  for (const { provider, message } of sent) cells.push(await judge(stage, fake, fault, provider, message));
  const unable = HTTP_PROVIDERS.filter((provider) => !able.includes(provider));
  return [
    ...cells,
    ...unable.map(({ name }) => ({
      ...{ adapter: name, fault, ended: '', effects: 0 },
      cannot: NO_DELIVERIES,
      right: true,
    })),
  ];
}

function canShow(provider: HttpProvider, fault: FaultName): boolean {
  return !('receipts' in FAULT_KINDS[fault]) || provider.delivered !== undefined;
}

/** Circuits and reachability of the fault before. */
async function forget({ database }: Stage): Promise<void> {
  for (const table of ['vendor_health', 'capability', 'rate'])
    await database.query(`faults-forget-${table}`, `DELETE FROM ${table}`);
}

let people = 0;

async function send(stage: Stage, fake: Fake, provider: HttpProvider, fault: FaultName): Promise<MessageId> {
  people += 1;
  const expired = fault === 'expired-certificate';
  const vendor = expired ? `${provider.name}-expired` : provider.name;
  const root = `${expired ? fake.expiredUrl : fake.url}/${provider.name}`;
  stage.useFlow({
    ...FLOW,
    ladder: [FLOW.ladder[0], { channel: vendor, adapter: provider.name, use: 'notice', after: 0 }],
    ambiguous: 'at-most-once',
  } as unknown as CompiledFlow);
  const to = await stage.recipient(`person-${people}`, provider.address(people % 100, root));
  const expires = stage.clock.now() + EXPIRES_MS;
  const { message } = await stage.accept(to, { forms: [vendor], expires });
  await stage.settle();
  return message;
}

async function untilEnded(stage: Stage, messages: readonly MessageId[]): Promise<void> {
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    await stage.settle();
    const ends = await Promise.all(messages.map((message) => stage.eventsOf(message, 'message.ended')));
    if (ends.every(({ length }) => length > 0)) return;
    await delay(LOOK_MS);
    stage.clock.advance(STEP_MS);
  }
  throw new Error('some message has not ended long after its time');
}

async function judge(
  stage: Stage,
  fake: Fake,
  fault: FaultName,
  { name }: HttpProvider,
  message: MessageId,
): Promise<Cell> {
  const [end] = await stage.eventsOf(message, 'message.ended');
  const ended = end?.reason ?? '';
  const effects = fake.taken.get(name) ?? 0;
  const known: readonly string[] = FAULT_KINDS[fault].ends;
  const mayHave = ended === 'reached-no-device' ? 0 : 1;
  return { adapter: name, fault, ended, effects, right: known.includes(ended) && effects <= mayHave };
}
