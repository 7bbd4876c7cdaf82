/** The story's flows with markers for words: what comes by Alertmanager's webhook, by `POST /v1/messages`, and is refused. */
import type { Stage } from '../../packages/cli/src/story/stage.ts';
import { flowNameSchema, type MessageId, memberIdSchema, messageIdSchema } from '../../packages/protocol/src/index.ts';
import { type Answer, bearer, callJson } from '../support/call.ts';
import type { Markers } from './markers.ts';

export interface Sending {
  /** With a picture that control fetches from `image`. */
  alert(): Promise<MessageId>;
  message(): Promise<MessageId>;
  /** Each with a marker in it; answers the codes. */
  refused(): Promise<string[]>;
}

/** PNG by its first bytes, and then nothing but the marker. */
export function pictureOf(marker: string): Uint8Array {
  const magic = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  return Buffer.concat([magic, Buffer.from(`${marker} `.repeat(5000))]);
}

export async function createSending(stage: Stage, control: string, markers: Markers, image: string): Promise<Sending> {
  const sender = memberIdSchema.parse('alertmanager-canary');
  const secret = await stage.operator.registerAlertSender(sender, flowNameSchema.parse(stage.flow), stage.member);
  const post = (path: string, credential: string, json: unknown) =>
    callJson({
      method: 'POST',
      url: `${control}${path}`,
      headers: { ...bearer(credential), 'idempotency-key': stage.surroundings.uuid() },
      json,
    });
  const accepted = ({ status, text }: Answer): MessageId => {
    if (status !== 202) throw new Error(`answered ${status}: ${text}`);
    return messageIdSchema.parse((JSON.parse(text) as { message: unknown }).message);
  };
  const content = {
    subject: `About ${markers.subject}`,
    body: `All of it: ${markers.body}\n${`and more of ${markers.body} `.repeat(300)}`,
    facts: [{ name: 'where', value: markers.fact }],
    acknowledge: true,
  };
  const request = { flow: stage.flow, to: stage.member, content };
  return {
    alert: async () => accepted(await post('/v1/alerts', secret, alertOf(markers, image, stage.surroundings.uuid()))),
    message: async () => accepted(await post('/v1/messages', await stage.applicationToken(), request)),
    async refused() {
      const token = await stage.applicationToken();
      const { refused: word } = markers;
      const marked = { ...content, subject: word, body: word, facts: [{ name: word, value: word }] };
      const answers = [
        await post('/v1/messages', token, {
          ...request,
          content: marked,
          route: { channel: 'sms-main', use: 'carry' },
        }),
        await post('/v1/messages', token, { ...request, content: { ...marked, surprise: word } }),
        await post('/v1/messages', token, { ...request, content: marked, to: 'nobody-by-that-name' }),
        await post('/v1/messages', token, { ...request, content: { ...marked, body: `${word} ${PRIVATE_KEY}` } }),
        await post('/v1/messages', word, { ...request, content: marked }),
        await post('/v1/alerts', secret, { ...alertOf(markers, image, word), version: '3' }),
      ];
      return answers.map(({ code = 'none' }) => code);
    },
  };
}

/** What the demo's inspection blocks. */
const PRIVATE_KEY = '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----';

function alertOf(markers: Markers, image: string, group: string) {
  const labels = { alertname: markers.subject, where: markers.fact };
  const annotations = {
    summary: `${markers.body} on db1`,
    description: `More of ${markers.body}. `.repeat(200),
    dashboard_image: image,
  };
  return {
    version: '4',
    groupKey: `{}:{${markers.unused}}#${group}`,
    truncatedAlerts: 0,
    status: 'firing',
    receiver: markers.unused,
    groupLabels: { alertname: markers.subject },
    commonLabels: labels,
    commonAnnotations: annotations,
    externalURL: `http://alertmanager.acme.example/${markers.unused}`,
    alerts: [
      {
        status: 'firing',
        labels,
        annotations,
        startsAt: '2026-01-01T00:00:00Z',
        endsAt: '0001-01-01T00:00:00Z',
        generatorURL: `http://prometheus.acme.example/${markers.unused}`,
        fingerprint: markers.unused,
      },
    ],
  };
}
