/**
 * Requests of Slack: the check of our address, what a person writes to the app, and taps on its buttons. Slack tells no
 * delivery and no reading. A body in no published form is malformed, one that Slack did not sign in the last five minutes is
 * forged. Only direct messages are taken as a person's words: in a channel, one person's STOP is not everybody's.
 */
import type { Inbound, InboundContent } from '@sealpost/protocol/carriage';
import type { AdapterContext, RawWebhook, WebhookResult } from '../adapter.ts';
import { contentOfText } from '../consent.ts';
import { secretText } from '../secret-text.ts';
import { headerOf, MAX_WEBHOOK_BYTES } from '../webhook-request.ts';
import type { SlackSettings } from './config.ts';
import { verifySlackSignature } from './signature.ts';
import { parseSlackRequest, type SlackActions, type SlackMessage } from './webhook-schema.ts';

/** Subtypes that are still a person's own words; edits, deletions and joins are not. */
const SPOKEN: ReadonlySet<string | undefined> = new Set([undefined, 'file_share']);

export async function readSlackWebhook(
  request: RawWebhook,
  settings: SlackSettings,
  context: AdapterContext,
): Promise<WebhookResult> {
  if (request.body.byteLength > MAX_WEBHOOK_BYTES) return { kind: 'malformed', reason: 'body too large' };
  const asked = request.method === 'POST' ? parseSlackRequest(request.body) : undefined;
  if (asked === undefined) return { kind: 'malformed', reason: 'no event and no interaction' };
  const secret = (await secretText(context, settings.signing_secret_file)) ?? '';
  const signature = headerOf(request, 'x-slack-signature');
  const timestamp = headerOf(request, 'x-slack-request-timestamp');
  if (!verifySlackSignature(signature, timestamp, request.body, secret, context.now())) return { kind: 'forged' };
  if (asked.kind === 'check') return { kind: 'handshake', answer: asked.challenge };
  if (asked.kind === 'other') return { kind: 'ignored', reason: `event ${asked.type}` };
  if (asked.team !== settings.team_id) return { kind: 'ignored', reason: 'another workspace' };
  const inbound = asked.kind === 'message' ? wordsOf(asked.message) : tapsOf(asked.value);
  return inbound.length === 0
    ? { kind: 'ignored', reason: 'nothing was said' }
    : { kind: 'events', receipts: [], inbound };
}

function wordsOf({
  channel,
  channel_type,
  user,
  bot_id,
  subtype,
  text,
  ts,
  thread_ts,
  files,
}: SlackMessage): Inbound[] {
  if (channel_type !== 'im' || user === undefined || bot_id !== undefined || !SPOKEN.has(subtype)) return [];
  const about = thread_ts === undefined ? {} : { about: `${channel}:${thread_ts}` };
  const common = { address: user, at: timeOfTs(ts), ...about };
  const said = contentOfText(unescapeText(text ?? ''));
  const contents = [...(said === undefined ? [] : [said]), ...(files ?? []).map(fileOf)];
  // The time stamp names a message within its conversation; what else it brings counts on from there.
  return contents.map((content, index) => ({
    id: index === 0 ? `${channel}:${ts}` : `${channel}:${ts}-${index}`,
    ...common,
    content,
  }));
}

/** In a direct message the person is addressed; in a channel, the channel, whoever tapped. */
function tapsOf({ user, channel, message, actions }: SlackActions): Inbound[] {
  const address = channel === undefined || channel.id.startsWith('D') ? user.id : channel.id;
  const about = channel === undefined || message === undefined ? {} : { about: `${channel.id}:${message.ts}` };
  return actions.flatMap(({ action_id, action_ts, value, text }) => {
    if (value === undefined) return [];
    const content: InboundContent = {
      kind: 'suggestion',
      data: value,
      ...(text === undefined ? {} : { text: text.text }),
    };
    const id = `${action_ts}:${user.id}:${action_id}`.slice(0, 256);
    return [{ id, address, at: timeOfTs(action_ts), ...about, content }];
  });
}

function fileOf({ name, mimetype, url_private }: NonNullable<SlackMessage['files']>[number]): InboundContent {
  return {
    kind: 'file',
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof mimetype === 'string' ? { mediaType: mimetype } : {}),
    ...(typeof url_private === 'string' ? { url: url_private } : {}),
  };
}

function timeOfTs(ts: string): number {
  return Math.min(Math.trunc(Number(ts) * 1000), 8.64e15);
}

function unescapeText(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
