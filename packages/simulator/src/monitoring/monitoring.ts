/**
 * A monitoring system as a peer: it holds an alert sender's secret, as Alertmanager does, and posts alerts to control. The
 * secret is read at each send and kept nowhere else; without it there is nothing to send with.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Delays } from '../delays.ts';
import { type AlertStatus, alertmanagerBody } from './alertmanager-body.ts';

export interface MonitoringOptions {
  /** Control's address for webhooks, as `url` of Alertmanager's webhook_config. */
  readonly url: string;
  readonly secretFile: string;
}

export interface MonitoringSurroundings {
  readonly now: () => number;
  readonly delays: Delays;
  /** Where a graph of this name can be fetched. */
  readonly imageUrl: (name: string) => string;
}

/** What became of an alert. */
export type AlertAnswer =
  | { readonly kind: 'taken'; readonly alert: string; readonly status: AlertStatus; readonly message: string }
  /** Control said no, or not now. */
  | { readonly kind: 'refused'; readonly code: string; readonly sentence: string }
  | { readonly kind: 'no-answer' }
  | { readonly kind: 'no-secret' }
  /** Only what fires can be resolved. */
  | { readonly kind: 'nothing-firing' };

export interface Monitoring {
  send(status: AlertStatus): Promise<AlertAnswer>;
}

const TIMEOUT_MS = 20_000;

interface Alert {
  readonly name: string;
  readonly description: string;
}

/** What it sends, in turn. */
const ALERTS: readonly Alert[] = [
  { name: 'DiskFull', description: 'The data volume is 97 % full and grows by 1 % a minute.' },
  { name: 'ReplicaLag', description: 'The replica is 340 s behind its primary and falls back further.' },
  { name: 'CertificateExpiry', description: 'The certificate of the write endpoint expires in six hours.' },
];

const takenSchema = z.object({ message: z.string().max(64) });
const problemSchema = z.object({ code: z.string().max(100), title: z.string().max(500) });

export function createMonitoring(options: MonitoringOptions, around: MonitoringSurroundings): Monitoring {
  const { now, delays, imageUrl } = around;
  /** What fires, the newest last; at most each alert once. */
  let firing: readonly Alert[] = [];
  let fired = 0;

  async function post(secret: string, alert: Alert, status: AlertStatus): Promise<AlertAnswer> {
    const response = await fetch(options.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
      body: JSON.stringify(alertmanagerBody({ ...alert, status, image: imageUrl(alert.name), now: now() })),
      signal: AbortSignal.any([delays.signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const answer: unknown = await response.json().catch(() => undefined);
    const taken = takenSchema.safeParse(answer);
    if (response.status === 202 && taken.success)
      return { kind: 'taken', alert: alert.name, status, message: taken.data.message };
    const refusal = problemSchema.safeParse(answer);
    return refusal.success
      ? { kind: 'refused', code: refusal.data.code, sentence: refusal.data.title }
      : { kind: 'no-answer' };
  }

  return {
    async send(status) {
      const alert = status === 'firing' ? ALERTS[fired % ALERTS.length] : firing.at(-1);
      if (alert === undefined) return { kind: 'nothing-firing' };
      const secret = await readFile(options.secretFile, 'utf8').catch(() => undefined);
      if (secret === undefined) return { kind: 'no-secret' };
      const answer = await post(secret.trim(), alert, status).catch((): AlertAnswer => ({ kind: 'no-answer' }));
      if (answer.kind !== 'taken') return answer;
      firing = firing.filter((other) => other !== alert);
      if (status === 'firing') {
        firing = [...firing, alert];
        fired += 1;
      }
      return answer;
    },
  };
}
