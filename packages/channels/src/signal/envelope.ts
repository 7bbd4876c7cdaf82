/**
 * What arrived, in our terms. A receipt names messages by the time they were sent at, and so do we. It is the word of whoever
 * sent it: a person who guessed the time of another's message could confirm that one, as with every receipt of a vendor.
 */
import type { Inbound, InboundContent, ProviderReceipt } from '@sealpost/protocol/carriage';
import type { ProviderEvents } from '../adapter.ts';
import { contentOfText } from '../consent.ts';
import { e164Of } from '../webhook-request.ts';
import type { Received, SignalData, SignalReceipt } from './envelope-schema.ts';

const NOTHING: ProviderEvents = { receipts: [], inbound: [] };

export function eventsOf({ account, envelope }: Received, ours: string): ProviderEvents {
  if (typeof account === 'string' && account !== ours) return NOTHING;
  const { dataMessage, receiptMessage } = envelope;
  return {
    receipts: receiptMessage ? receiptsOf(receiptMessage) : [],
    inbound: dataMessage ? wordsOf(dataMessage, envelope, ours) : [],
  };
}

/** Nothing is delivered or read by a receipt that says neither. */
function receiptsOf({ when, isDelivery, isRead, isViewed, timestamps }: SignalReceipt): ProviderReceipt[] {
  const read = isRead || isViewed;
  if (!read && !isDelivery) return [];
  const said = read
    ? ({ status: 'read', code: 'READ' } as const)
    : ({ status: 'delivered', code: 'DELIVERED' } as const);
  const at = when ? { at: when } : {};
  return timestamps.map((timestamp) => ({ providerMessageIds: [String(timestamp)], ...said, ...at }));
}

function wordsOf(data: SignalData, from: Received['envelope'], ours: string): Inbound[] {
  // In a group one person's STOP is not everybody's.
  const inGroup = Boolean(data.groupInfo ?? data.groupV2);
  const person = from.sourceNumber ?? from.sourceUuid ?? from.source;
  if (!person || inGroup || data.reaction || data.remoteDelete) return [];
  const said = contentOfText(data.message ?? '');
  const contents = [...(said === undefined ? [] : [said]), ...(data.attachments ?? []).map(fileOf)];
  const common = { address: e164Of(person) ?? person, at: data.timestamp, ...aboutOf(data, ours) };
  // A time names a message only beside its sender.
  const id = `${from.sourceUuid ?? person}:${data.timestamp}`;
  return contents.map((content, index) => ({ id: index === 0 ? id : `${id}-${index}`, ...common, content }));
}

/** The quoted message, unless it is somebody else's. */
function aboutOf({ quote }: SignalData, ours: string): { about?: string } {
  if (!quote || (quote.authorNumber && quote.authorNumber !== ours)) return {};
  return { about: String(quote.id) };
}

function fileOf({ contentType, filename }: NonNullable<SignalData['attachments']>[number]): InboundContent {
  return { kind: 'file', ...(filename ? { name: filename } : {}), ...(contentType ? { mediaType: contentType } : {}) };
}
