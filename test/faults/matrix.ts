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
import { FAULT_KINDS, FAULTS, type FaultName } from './kinds.ts';
import { type Hook, HTTP_PROVIDERS, type HttpProvider } from './providers.ts';
import { type Peer, SOCKET_PROVIDERS, type SocketProvider } from './sockets.ts';

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

/** One adapter, whatever it speaks. */
interface Row {
  readonly adapter: string;
  /** Why its provider cannot show this fault. */
  cannot(fault: FaultName): string | undefined;
  /** The account that leads to this fault. */
  vendor(fault: FaultName): string;
  address(number: number, fault: FaultName): string;
  taken(fault: FaultName): number;
}

export async function openMatrix(): Promise<Matrix> {
  const folder = await mkdtemp(join(tmpdir(), 'sealpost-faults-'));
  const certificate = expiredCertificate();
  let stage: Stage | undefined;
  const report = async (vendor: string, { query = '', headers, body }: Hook): Promise<number> => {
    const url = `${stage?.url}/webhooks/${vendor}${query === '' ? '' : `?${query}`}`;
    const answer = await fetch(url, { method: 'POST', headers, body });
    await answer.arrayBuffer();
    return answer.status;
  };
  const now = () => stage?.clock.now() ?? 0;
  const fake = await openFake({ providers: HTTP_PROVIDERS, certificate, now, report });
  const vendors: Record<string, object> = {};
  const rows: Row[] = [];
  const peers: Peer[] = [];
  for (const provider of HTTP_PROVIDERS) {
    const files = await filesOf(folder, provider);
    Object.assign(vendors, vendorsOf(provider, fake, files));
    rows.push(rowOf(provider, fake));
  }
  for (const provider of SOCKET_PROVIDERS) {
    const files = await filesOf(folder, provider);
    const opened = new Map<FaultName, Peer>();
    for (const fault of FAULTS) {
      const vendor = `${provider.name}-${fault}`;
      const expired = fault === 'expired-certificate';
      const shown = { certificate: expired ? certificate : undefined, report: (hook: Hook) => report(vendor, hook) };
      const peer = await provider.open(fault, shown);
      vendors[vendor] = { adapter: provider.name, ...named(provider.settings(peer.port, expired), files) };
      opened.set(fault, peer);
      peers.push(peer);
    }
    rows.push(socketRowOf(provider, opened));
  }
  stage = await createStage({ vendors });
  await stage.start();
  const running = stage;
  return {
    run: (fault) => runOne(running, fake, rows, fault),
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      await fake.close();
      for (const peer of peers) await peer.close();
      await rm(folder, { recursive: true });
    },
  };
}

type Files = Readonly<Record<string, string>>;

/** Where each secret lies, by the name settings give it. */
async function filesOf(folder: string, { name, files }: { name: string; files: Files }): Promise<Files> {
  const paths: Record<string, string> = {};
  for (const [file, content] of Object.entries(files)) {
    const path = join(folder, `${name}-${file}`);
    await writeFile(path, content, { mode: 0o600 });
    paths[file] = path;
  }
  return paths;
}

function named(settings: object, files: Files): object {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [name, name.endsWith('_file') ? files[value] : value]),
  );
}

/** Each provider twice: as it is, and behind the certificate that has expired. */
function vendorsOf(provider: HttpProvider, { url, expiredUrl }: Fake, files: Files): Record<string, object> {
  const { name: adapter } = provider;
  const vendorAt = (root: string) => ({
    adapter,
    unsafe_private_hosts: ['127.0.0.1'],
    ...named(provider.settings(`${root}/${adapter}`), files),
  });
  return { [adapter]: vendorAt(url), [`${adapter}-expired`]: vendorAt(expiredUrl) };
}

function rowOf(provider: HttpProvider, fake: Fake): Row {
  const { name: adapter } = provider;
  const expired = (fault: FaultName) => fault === 'expired-certificate';
  return {
    adapter,
    cannot: (fault) =>
      'receipts' in FAULT_KINDS[fault] && provider.delivered === undefined ? NO_DELIVERIES : undefined,
    vendor: (fault) => (expired(fault) ? `${adapter}-expired` : adapter),
    address: (number, fault) => provider.address(number, `${expired(fault) ? fake.expiredUrl : fake.url}/${adapter}`),
    taken: () => fake.taken.get(adapter) ?? 0,
  };
}

function socketRowOf({ name, cannot, address }: SocketProvider, peers: ReadonlyMap<FaultName, Peer>): Row {
  return {
    adapter: name,
    cannot: (fault) => cannot[fault],
    vendor: (fault) => `${name}-${fault}`,
    address,
    taken: (fault) => peers.get(fault)?.taken() ?? 0,
  };
}

async function runOne(stage: Stage, fake: Fake, rows: readonly Row[], fault: FaultName): Promise<Cell[]> {
  await forget(stage);
  await fake.strike(fault);
  const sent = new Map<Row, MessageId>();
  for (const row of rows) if (row.cannot(fault) === undefined) sent.set(row, await send(stage, row, fault));
  await untilEnded(stage, [...sent.values()]);
  const cells: Cell[] = [];
  for (const row of rows) {
    const message = sent.get(row);
    const cannot = row.cannot(fault) ?? '';
    cells.push(
      message === undefined
        ? { adapter: row.adapter, fault, ended: '', effects: 0, cannot, right: true }
        : await judge(stage, fault, row, message),
    );
  }
  return cells;
}

/** Circuits and reachability of the fault before. */
async function forget({ database }: Stage): Promise<void> {
  for (const table of ['vendor_health', 'capability', 'rate'])
    await database.query(`faults-forget-${table}`, `DELETE FROM ${table}`);
}

let people = 0;

async function send(stage: Stage, { adapter, vendor, address }: Row, fault: FaultName): Promise<MessageId> {
  people += 1;
  const channel = vendor(fault);
  stage.useFlow({
    ...FLOW,
    ladder: [FLOW.ladder[0], { channel, adapter, use: 'notice', after: 0 }],
    ambiguous: 'at-most-once',
  } as unknown as CompiledFlow);
  const to = await stage.recipient(`person-${people}`, address(people % 100, fault));
  const expires = stage.clock.now() + EXPIRES_MS;
  const { message } = await stage.accept(to, { forms: [channel], expires });
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

async function judge(stage: Stage, fault: FaultName, { adapter, taken }: Row, message: MessageId): Promise<Cell> {
  const [end] = await stage.eventsOf(message, 'message.ended');
  const ended = end?.reason ?? '';
  const effects = taken(fault);
  const known: readonly string[] = FAULT_KINDS[fault].ends;
  const mayHave = ended === 'reached-no-device' ? 0 : 1;
  return { adapter, fault, ended, effects, right: known.includes(ended) && effects <= mayHave };
}
