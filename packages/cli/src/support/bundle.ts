/**
 * `sealpost support`: what somebody needs who helps from afar, and nothing about a person. Each part is collected on its
 * own and says so when it cannot be had, so a bundle can be made of a house that does not start.
 */
import { existsSync, readFileSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { controlConfigSchema } from '@sealpost/control/config';
import { gatewayConfigSchema } from '@sealpost/gateway/config';
import { loadConfig, type Surroundings } from '@sealpost/platform';
import { SealpostError } from '@sealpost/protocol';
import { parse, stringify } from 'yaml';
import { databaseFacts } from './database-facts.ts';
import { lastLines } from './last-lines.ts';
import { createRedaction, type Redaction } from './redact.ts';
import type { TextFile } from './tar.ts';

const SERVICES = ['control', 'gateway', 'dispatcher', 'simulator'] as const;

export interface BundleOptions {
  readonly data: string;
  readonly version: string;
  /** Of each service's log, counted from its end. */
  readonly lines: number;
  /** What `sealpost doctor` found. */
  readonly doctor: unknown;
  readonly surroundings: Surroundings;
}

export async function collectBundle(options: BundleOptions): Promise<TextFile[]> {
  const redaction = createRedaction(options.surroundings.random(32));
  return [
    { name: 'README.txt', text: README },
    json('about', about(options)),
    json('doctor', options.doctor),
    json('services', await servicesOf(options.data)),
    json('databases', await databasesOf(options)),
    ...SERVICES.flatMap((service) => configOf(options.data, service, redaction)),
    ...SERVICES.flatMap((service) => logOf(options, service, redaction)),
  ];
}

const README = `A support bundle of Sealpost. It holds versions, configuration without secrets, row counts and sizes of tables,
migrations, backlogs, the age of the checkpoint, the state of the services, what sealpost doctor found, and the last
lines of each log. It holds no message, name, telephone number, member, device, token or key. Ids in logs are
pseudonyms of this bundle alone. Look through it before you send it: it is text.
`;

function json(name: string, value: unknown): TextFile {
  return { name: `${name}.json`, text: `${JSON.stringify(value, null, 2)}\n` };
}

function about({ data, version, surroundings }: BundleOptions) {
  return {
    made: new Date(surroundings.now()).toISOString(),
    sealpost: version,
    node: process.versions.node,
    machine: { platform: platform(), release: release(), arch: arch(), cpus: cpus().length, memory: totalmem() },
    format: attempt(() => JSON.parse(readFileSync(join(data, 'format.json'), 'utf8')) as unknown),
    database: existsSync(join(data, 'database-url')) ? 'own server' : 'embedded',
  };
}

async function databasesOf({ data, surroundings }: BundleOptions) {
  const now = surroundings.now();
  const control = attempt(() => loadConfig(controlConfigSchema, runFile(data, 'control')).database);
  const gateway = attempt(() => loadConfig(gatewayConfigSchema, runFile(data, 'gateway')).database);
  return {
    control: 'unavailable' in control ? control : await databaseFacts(control, 'control', now),
    gateway: 'unavailable' in gateway ? gateway : await databaseFacts(gateway, 'gateway', now),
  };
}

/** What `/livez` and `/readyz` answer on this machine; a service that is down is a fact too. */
async function servicesOf(data: string): Promise<Record<string, unknown>> {
  const facts: Record<string, unknown> = {};
  for (const service of SERVICES) {
    const port = portOf(attempt(() => parse(readFileSync(runFile(data, service), 'utf8')) as unknown));
    const ask = async (path: string) =>
      fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(2000), redirect: 'error' }).then(
        ({ status }) => status,
        () => 'no answer',
      );
    facts[service] =
      port === undefined ? 'not configured yet' : { port, livez: await ask('/livez'), readyz: await ask('/readyz') };
  }
  return facts;
}

/** `listen.port`, the gateway's `listen.device.port`, or the simulator's `http_port`. */
function portOf(config: unknown): number | undefined {
  const at = (value: unknown, ...names: string[]): unknown =>
    names.reduce<unknown>(
      (inner, name) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, name) : undefined),
      value,
    );
  const found = [at(config, 'listen', 'port'), at(config, 'listen', 'device', 'port'), at(config, 'http_port')];
  return found.find((port) => typeof port === 'number');
}

function configOf(data: string, service: string, redaction: Redaction): TextFile[] {
  const file = runFile(data, service);
  if (!existsSync(file)) return [];
  const text = attempt(() => stringify(redaction.config(parse(readFileSync(file, 'utf8')))));
  return [{ name: `config/${service}.yaml`, text: typeof text === 'string' ? text : stringify(text) }];
}

function logOf({ data, lines }: BundleOptions, service: string, redaction: Redaction): TextFile[] {
  const file = join(data, 'logs', `${service}.log`);
  if (!existsSync(file)) return [];
  const kept = lastLines(file, lines).map((line) =>
    JSON.stringify(redaction.logLine(line) ?? { event: '(no log line, left out)' }),
  );
  return [{ name: `logs/${service}.jsonl`, text: kept.map((line) => `${line}\n`).join('') }];
}

const runFile = (data: string, service: string) => join(data, 'run', `${service}.yaml`);

/** The value, or the code of why there is none. */
function attempt<T>(read: () => T): T | { readonly unavailable: string } {
  try {
    return read();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    return { unavailable: cause instanceof SealpostError ? cause.code : (code ?? 'unreadable') };
  }
}
