/**
 * From Alertmanager's webhook to a message a person can act on: one line of subject, the annotations as text, the common
 * labels as facts. Everything is cut to what a message may hold, because a shortened alert is better than a refused one.
 */
import { sha256 } from '@sealpost/crypto/verify';
import { type AlertmanagerWebhook, canonicalBytes, type MessageRequest, toBase64url } from '@sealpost/protocol';

type Alert = AlertmanagerWebhook['alerts'][number];

/** Together well below the size of one message, in the widest characters too (three bytes a UTF-16 unit). */
const LIMITS = { subject: 200, body: 16_000, facts: 40, name: 60, value: 240 } as const;

/**
 * Alertmanager repeats a notification until it is taken, and again while it still holds: the same alerts in the same state
 * are one message within a `period`, which is as long as a message of the flow lives. After that somebody is told anew.
 */
export function alertIdentity(
  sender: string,
  { groupKey, status, alerts }: AlertmanagerWebhook,
  period: number,
): string {
  const states = alerts.map(({ fingerprint, status: state, startsAt, endsAt }) => [
    fingerprint,
    state,
    startsAt,
    endsAt,
  ]);
  states.sort(([a = ''], [b = '']) => (a < b ? -1 : a > b ? 1 : 0));
  return toBase64url(
    sha256(canonicalBytes({ sender, groupKey: groupKey.toWellFormed(), status, states: wellFormed(states), period })),
  );
}

/** `linked`: annotations that are fetched and attached, and so not written out. */
export function composeContent(webhook: AlertmanagerWebhook, linked: readonly string[]): MessageRequest['content'] {
  const { status, alerts, commonLabels, commonAnnotations } = webhook;
  const name = commonLabels.alertname ?? webhook.groupLabels.alertname ?? alerts[0]?.labels.alertname ?? 'alert';
  const text = (annotations: Record<string, string>) =>
    Object.entries(annotations)
      .filter(([key]) => !linked.includes(key))
      .map(([key, value]) => `${key}: ${value}`);
  const common = new Set(text(commonAnnotations));
  const lines = [
    ...common,
    ...alerts.flatMap((alert) => [headline(alert), ...text(alert.annotations).filter((line) => !common.has(line))]),
  ];
  return {
    subject: clip(`[${status.toUpperCase()}:${alerts.length}] ${name}`, LIMITS.subject),
    body: clip(lines.join('\n'), LIMITS.body),
    facts: Object.entries(commonLabels)
      .filter(([key]) => key !== '')
      .slice(0, LIMITS.facts)
      .map(([key, value]) => ({ name: clip(key, LIMITS.name), value: clip(value, LIMITS.value) })),
    acknowledge: status === 'firing',
  };
}

/** The values of the listed annotations, each once, in the order of the policy. */
export function linksOf({ commonAnnotations, alerts }: AlertmanagerWebhook, annotations: readonly string[]) {
  const found = annotations.flatMap((annotation) =>
    [commonAnnotations, ...alerts.map((alert) => alert.annotations)].flatMap((each) => {
      const link = each[annotation];
      return link === undefined || link === '' ? [] : [{ annotation, link }];
    }),
  );
  return [...new Map(found.map((each) => [each.link, each])).values()];
}

function headline({ status, labels, startsAt, endsAt }: Alert): string {
  const what = labels.instance ?? labels.job ?? labels.alertname ?? 'alert';
  return status === 'firing' ? `FIRING ${what} since ${startsAt}` : `RESOLVED ${what} at ${endsAt}`;
}

/** Cuts at a whole character; broken text is mended, an alert is never refused for it. */
function clip(text: string, limit: number): string {
  const whole = text.toWellFormed();
  if (whole.length <= limit) return whole;
  const cut = whole.slice(0, limit - 1);
  return `${cut.isWellFormed() ? cut : cut.slice(0, -1)}…`;
}

function wellFormed(states: readonly (readonly string[])[]): string[][] {
  return states.map((state) => state.map((text) => text.toWellFormed()));
}
