/**
 * A file with its comment, in the four calls Slack asks for ("Working with files", "Uploading files"): the conversation with
 * a person, a place for the bytes, the bytes, and the completion that shows them. Only the last has an effect anyone sees.
 */
import type { CarriedFile, Outcome } from '@sealpost/protocol/carriage';
import type { HttpResult } from '../http-call.ts';
import { parseCompleted, parseOpened, parseUploadPlace } from './answer-schema.ts';
import { classifyEffect, classifyPreparation, type Step } from './classify.ts';
import { escapeText } from './request.ts';
import type { WebApi } from './web-api.ts';

const RETRY_MS = 30_000;
const TOKEN_UNREADABLE: Outcome = { kind: 'auth-broken', reason: 'bot token file unreadable' };

export async function sendFile(api: WebApi, address: string, text: string, file: CarriedFile): Promise<Outcome> {
  const bytes = new Uint8Array(file.source.kind === 'bytes' ? Buffer.from(file.source.data, 'base64url') : []);
  const conversation = await openConversation(api, address);
  if (conversation.kind !== 'done') return conversation;
  const asked = { filename: file.name, length: String(bytes.byteLength) };
  const place = prepared(await api.form('files.getUploadURLExternal', asked), parseUploadPlace);
  if (place.kind !== 'done') return place;
  const uploaded = await api.upload(place.value.upload_url, bytes);
  if (uploaded.kind !== 'answered' || uploaded.status !== 200)
    return { kind: 'retry-after', afterMs: RETRY_MS, reason: `upload ${reasonOfUpload(uploaded)}` };
  const completed = await api.json('files.completeUploadExternal', {
    files: [{ id: place.value.file_id, title: file.name }],
    channel_id: conversation.value,
    initial_comment: escapeText(text),
  });
  if (completed === undefined) return TOKEN_UNREADABLE;
  const step = classifyEffect(completed, parseCompleted);
  return step.kind === 'done' ? { kind: 'accepted', providerMessageId: `file:${step.value}` } : step;
}

/** A file is shared into a conversation; a person's has to be opened first, which shows nothing. */
async function openConversation(api: WebApi, address: string): Promise<Step<string>> {
  if (!/^[UW]/.test(address)) return { kind: 'done', value: address };
  return prepared(await api.json('conversations.open', { users: address }), parseOpened);
}

function prepared<T>(result: HttpResult | undefined, parse: (body: string) => T | undefined): Step<T> {
  return result === undefined ? TOKEN_UNREADABLE : classifyPreparation(result, parse);
}

function reasonOfUpload(result: HttpResult): string | number {
  return result.kind === 'answered' ? result.status : result.code;
}
