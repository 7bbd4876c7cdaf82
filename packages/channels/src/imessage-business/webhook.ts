/**
 * What people say to the business, and that they ended the conversation, which is their wish to be left alone. Apple tells no
 * delivery and no reading. It is unpacked only once it is proved to come from Apple.
 */
import type { Inbound, InboundContent } from '@sealpost/protocol/carriage';
import type { AdapterContext, RawWebhook, WebhookResult } from '../adapter.ts';
import { contentOfText } from '../consent.ts';
import { headerOf, MAX_WEBHOOK_BYTES } from '../webhook-request.ts';
import type { ImessageBusinessSettings } from './config.ts';
import { isFromApple } from './token.ts';
import { type BusinessMessage, type Interaction, parseInteraction, parseMessage } from './webhook-schema.ts';

export async function readBusinessWebhook(
  request: RawWebhook,
  settings: ImessageBusinessSettings,
  context: AdapterContext,
): Promise<WebhookResult> {
  if (request.body.byteLength > MAX_WEBHOOK_BYTES) return { kind: 'malformed', reason: 'body too large' };
  if (!(await isFromApple(headerOf(request, 'authorization'), settings, context))) return { kind: 'forged' };
  const message = request.method === 'POST' ? parseMessage(request.body) : undefined;
  if (message === undefined) return { kind: 'malformed', reason: 'no message' };
  // One MSP serves many businesses under one secret.
  if (message.destinationId !== settings.business_id) return { kind: 'ignored', reason: 'another business' };
  const inbound = wordsOf(message);
  return inbound.length === 0
    ? { kind: 'ignored', reason: `message ${message.type}` }
    : { kind: 'events', receipts: [], inbound };
}

function wordsOf(message: BusinessMessage): Inbound[] {
  const interaction = message.type === 'interactive' ? parseInteraction(message.interactiveData) : undefined;
  const about = interaction?.requestIdentifier ? { about: interaction.requestIdentifier } : {};
  return contentsOf(message, interaction).map((content, index) => ({
    id: index === 0 ? message.id : `${message.id}-${index}`,
    address: message.sourceId,
    ...about,
    content,
  }));
}

function contentsOf({ type, body, attachments }: BusinessMessage, interaction?: Interaction): InboundContent[] {
  if (type === 'close') return [{ kind: 'opt-out' }];
  if (interaction !== undefined) return picksOf(interaction);
  if (type !== 'text') return [];
  // U+FFFC stands in the text where an attachment is shown.
  const said = contentOfText((body ?? '').replaceAll('\uFFFC', ''));
  return [...(said === undefined ? [] : [said]), ...(attachments ?? []).map(fileOf)];
}

function picksOf({ 'quick-reply': quick, listPicker }: Interaction): InboundContent[] {
  if (quick) {
    const { selectedIdentifier, items } = quick;
    const picked = items.find(({ identifier }) => identifier === selectedIdentifier);
    return [pickOf(selectedIdentifier, picked?.title)];
  }
  // Of a list, only what was picked comes back.
  return (listPicker?.sections ?? []).flatMap(({ items }) =>
    items.map(({ identifier, title }) => pickOf(identifier, title)),
  );
}

function pickOf(data: string, title: string | null | undefined): InboundContent {
  return { kind: 'suggestion', data, ...(title ? { text: title } : {}) };
}

/** Without its place: it lies there encrypted, and can be fetched by the MSP alone. */
function fileOf({ name, mimeType }: NonNullable<BusinessMessage['attachments']>[number]): InboundContent {
  return { kind: 'file', ...(name ? { name } : {}), ...(mimeType ? { mediaType: mimeType } : {}) };
}
