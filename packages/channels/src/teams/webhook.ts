/**
 * Activities of Teams: what a person writes to the bot, and taps on its buttons. Only personal chats are taken as a person's
 * words: in a channel, one person's STOP is not everybody's. A person is named by the Entra object id where Teams says it.
 */
import type { Inbound, InboundContent } from '@sealpost/protocol/carriage';
import type { RawWebhook, WebhookResult } from '../adapter.ts';
import { contentOfText } from '../consent.ts';
import { headerOf, MAX_WEBHOOK_BYTES, timeOf } from '../webhook-request.ts';
import type { TeamsBotSettings } from './config.ts';
import type { Verifier } from './token.ts';
import { type Activity, parseActivityBody, parseTap } from './webhook-schema.ts';

export async function readTeamsWebhook(
  request: RawWebhook,
  settings: TeamsBotSettings,
  verifier: Verifier,
): Promise<WebhookResult> {
  if (request.body.byteLength > MAX_WEBHOOK_BYTES) return { kind: 'malformed', reason: 'body too large' };
  const activity = request.method === 'POST' ? parseActivityBody(request.body) : undefined;
  if (activity === undefined) return { kind: 'malformed', reason: 'no activity' };
  const { serviceUrl, channelId, type } = activity;
  const isTheirs = settings.service_hosts.includes(new URL(serviceUrl).hostname) && channelId === 'msteams';
  if (!isTheirs || !(await verifier.proves(headerOf(request, 'authorization'), serviceUrl))) return { kind: 'forged' };
  if (type !== 'message') return { kind: 'ignored', reason: `activity ${type}` };
  const inbound = inboundOf(activity);
  return inbound.length === 0
    ? { kind: 'ignored', reason: 'nothing was said' }
    : { kind: 'events', receipts: [], inbound };
}

function inboundOf(activity: Activity): Inbound[] {
  const { id, from, conversation, timestamp, replyToId, value } = activity;
  if (id === undefined || from === undefined || conversation === undefined) return [];
  const personal = conversation.conversationType === 'personal';
  const tap = parseTap(value);
  const contents: InboundContent[] = tap === undefined ? (personal ? saidIn(activity) : []) : [tapOf(tap)];
  // A reply in a channel's thread carries the thread in the conversation's id.
  const [place = conversation.id] = conversation.id.split(';messageid=');
  const at = timeOf(timestamp);
  const common = {
    address: personal ? (from.aadObjectId?.toLowerCase() ?? from.id) : place,
    ...(at === undefined ? {} : { at }),
    ...aboutOf(place, replyToId),
  };
  // Activities are numbered within their conversation.
  const name = `${place}|${id}`.slice(-240);
  return contents.map((content, index) => ({ id: index === 0 ? name : `${name}-${index}`, ...common, content }));
}

function saidIn({ text, attachments }: Activity): InboundContent[] {
  const said = contentOfText(text ?? '');
  // Teams sends what was written a second time, as HTML.
  const files = (attachments ?? []).filter(({ contentType }) => contentType !== 'text/html');
  return [...(said === undefined ? [] : [said]), ...files.map(fileOf)];
}

function tapOf({ data, text }: { data: string; text?: string | undefined }): InboundContent {
  return { kind: 'suggestion', data, ...(text === undefined ? {} : { text }) };
}

function fileOf({ contentType, name, contentUrl }: NonNullable<Activity['attachments']>[number]): InboundContent {
  return {
    kind: 'file',
    mediaType: contentType.slice(0, 120),
    ...(name ? { name } : {}),
    ...(contentUrl ? { url: contentUrl } : {}),
  };
}

/** As `send` names a message. */
function aboutOf(place: string, replyToId: string | null | undefined): { about?: string } {
  const about = `${place}|${replyToId ?? ''}`;
  return replyToId && about.length <= 256 ? { about } : {};
}
