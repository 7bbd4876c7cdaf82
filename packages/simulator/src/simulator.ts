/**
 * Puts the carriers, the phones and the control API together and owns their lifetimes. The control API and the RCS for
 * Business API share one port; the latter can have a port of its own beside it, which the fault `refuse` really closes.
 */
import Fastify, { type FastifyInstance } from 'fastify';
import { createChanges } from './changes.ts';
import { createDelays } from './delays.ts';
import { CARRIERS, createFaults, type Faults } from './faults.ts';
import { controlRoutes } from './http/control.ts';
import { liveRoutes } from './http/live.ts';
import { refuseForeign } from './http/own-origin.ts';
import { createMonitoring, type MonitoringOptions } from './monitoring/monitoring.ts';
import { monitoringRoutes } from './monitoring/monitoring-routes.ts';
import { type PagesOptions, pageRoutes } from './pages.ts';
import { createPhones } from './phones.ts';
import { createRbm, type RbmOptions } from './rbm/rbm.ts';
import { type RbmRouteOptions, rbmRoutes } from './rbm/routes.ts';
import { type SmscOptions, startSmsc } from './smsc/smsc.ts';
import { createTraffic } from './traffic.ts';
import type { Written } from './written.ts';

export interface SimulatorOptions {
  /** 0 for any free port, here and below. */
  readonly httpPort: number;
  readonly smscPort: number;
  /** A port for the RCS for Business API alone, beside `httpPort`; the fault `refuse` closes it. */
  readonly rbmPort?: number | undefined;
  readonly host: string;
  readonly now: () => number;
  /** Uniform in [0, 1), as `Math.random`. */
  readonly random: () => number;
  readonly rbm: RbmOptions;
  readonly smsc: SmscOptions;
  /** The demo's pages; none are served without them. */
  readonly pages?: PagesOptions | undefined;
  /** The monitoring system that sends alerts; none does without it. */
  readonly monitoring?: MonitoringOptions | undefined;
}

export interface Simulator {
  readonly httpPort: number;
  readonly smscPort: number;
  readonly rbmPort: number | undefined;
  stop(): Promise<void>;
}

/** How often messages that wait are checked against the clock. */
const EXPIRY_CHECK_MS = 100;

export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { host, now, random } = options;
  const delays = createDelays();
  const changes = createChanges();
  const phones = createPhones(now, changes.happened);
  const traffic = createTraffic(now, changes.happened);
  const faults = { rbm: createFaults(random), smsc: createFaults(random) };
  for (const carrier of CARRIERS) faults[carrier].onChange(async () => changes.happened());
  const around = { random, phones, traffic, delays };

  const rbm = createRbm(options.rbm, { ...around, now, faults: faults.rbm });
  /** What is open, newest first. */
  const open: (() => Promise<void>)[] = [() => rbm.webhooks.ended];
  const stop = async (): Promise<void> => {
    delays.stop();
    for (const close of open.splice(0)) await close();
  };

  try {
    const smsc = await startSmsc(options.smsc, { ...around, host, port: options.smscPort, faults: faults.smsc });
    open.unshift(() => smsc.stop());
    const rbmApi: RbmRouteOptions = { rbm, faults: faults.rbm, delays };
    const status = () => ({ webhook: rbm.webhooks.state(), smppClients: smsc.bound() });
    const app = Fastify({ forceCloseConnections: true });
    open.unshift(() => app.close());
    refuseForeign(app, host);
    const write = (number: string, written: Written) =>
      written.channel === 'rcs' ? rbm.write(number, written) : smsc.write(number, written);
    await app.register(controlRoutes, { phones, traffic, faults, write, status });
    await app.register(liveRoutes, { phones, traffic, faults, changes, delays });
    if (options.pages !== undefined) await app.register(pageRoutes, options.pages);
    if (options.monitoring !== undefined) {
      const monitoring = createMonitoring(options.monitoring, {
        now,
        delays,
        imageUrl: (name) => `${app.listeningOrigin}/images/${name}.png`,
      });
      await app.register(monitoringRoutes, { monitoring });
    }
    await app.register(rbmRoutes, rbmApi);
    const httpPort = portOf(await app.listen({ host, port: options.httpPort }));
    const own =
      options.rbmPort === undefined ? undefined : await startOwnPort(host, options.rbmPort, rbmApi, faults.rbm);
    if (own !== undefined) open.unshift(() => own.stop());
    const expiring = setInterval(() => phones.expire(), EXPIRY_CHECK_MS);
    open.unshift(async () => clearInterval(expiring));
    return { httpPort, smscPort: smsc.port, rbmPort: own?.port, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface OwnPort {
  readonly port: number;
  stop(): Promise<void>;
}

async function startOwnPort(host: string, port: number, api: RbmRouteOptions, faults: Faults): Promise<OwnPort> {
  const open = async (at: number): Promise<{ app: FastifyInstance; port: number }> => {
    const app = Fastify({ forceCloseConnections: true });
    await app.register(rbmRoutes, api);
    return { app, port: portOf(await app.listen({ host, port: at })) };
  };
  const first = await open(port);
  let app: FastifyInstance | undefined = first.app;
  faults.onChange(async () => {
    const refusing = faults.holds('refuse');
    if (refusing && app !== undefined) {
      await app.close();
      app = undefined;
    } else if (!refusing && app === undefined && !api.delays.signal.aborted) ({ app } = await open(first.port));
  });
  return {
    port: first.port,
    async stop() {
      await faults.settled();
      await app?.close();
    },
  };
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
