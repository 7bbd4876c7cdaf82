/**
 * Slack by a bot of one workspace: text, titles and buttons as blocks, small files as uploads. The address is a member's or
 * a conversation's id. Slack tells no delivery and no reading, and a message can be deleted as long as it stands. Slack and
 * the workspace's administrators read it: `transport`, never more.
 */
import type { Outcome, RevokeResult } from '@sealpost/protocol/carriage';
import type { Adapter, AdapterContext, Attempt, Capabilities, Sent } from '../adapter.ts';
import { parsePosted } from './answer-schema.ts';
import { classifyDeleted, classifyEffect } from './classify.ts';
import type { SlackSettings } from './config.ts';
import { fitSlack, messageRequest, SLACK_LIMITS } from './request.ts';
import { sendFile } from './send-file.ts';
import { createWebApi } from './web-api.ts';
import { readSlackWebhook } from './webhook.ts';

const CAPABILITIES: Capabilities = {
  protection: 'transport',
  readers: ['Slack', 'the workspace’s administrators'],
  address: 'handle',
  content: SLACK_LIMITS,
  delivered: false,
  read: false,
  idempotent: false,
  maxTtl: 0,
  lookup: false,
  query: false,
  revoke: 'always',
  inbound: true,
  webhook: 'signed',
};

const TOKEN_UNREADABLE = 'bot token file unreadable';

export function createSlack(settings: SlackSettings, context: AdapterContext): Adapter {
  const api = createWebApi(settings, context);

  async function send({ address, payload, expires }: Attempt): Promise<Outcome> {
    if (expires <= context.now()) return { kind: 'permanent', reason: 'expired' };
    const fitted = fitSlack(payload, settings.button_text);
    if (fitted.kind === 'refused') return { kind: 'permanent', reason: fitted.reason };
    const { message } = fitted;
    if (message.file !== undefined) return sendFile(api, address, message.text, message.file);
    const result = await api.json('chat.postMessage', messageRequest(address, message));
    if (result === undefined) return { kind: 'auth-broken', reason: TOKEN_UNREADABLE };
    const step = classifyEffect(result, parsePosted);
    if (step.kind !== 'done') return step;
    return { kind: 'accepted', providerMessageId: `${step.value.channel}:${step.value.ts}` };
  }

  /** By the conversation and time stamp Slack answered with: a member's id names no conversation to delete in. */
  async function revoke({ providerMessageId = '' }: Sent): Promise<RevokeResult> {
    const [, place, name] = /^([^:]+):(.+)$/.exec(providerMessageId) ?? [];
    if (place === undefined || name === undefined) return { kind: 'unknown', reason: 'no message id' };
    const result =
      place === 'file'
        ? await api.json('files.delete', { file: name })
        : await api.json('chat.delete', { channel: place, ts: name });
    return result === undefined ? { kind: 'unknown', reason: TOKEN_UNREADABLE } : classifyDeleted(result);
  }

  return {
    capabilities: CAPABILITIES,
    async start() {},
    send,
    revoke,
    webhook: (request) => readSlackWebhook(request, settings, context),
    async stop() {},
  };
}
