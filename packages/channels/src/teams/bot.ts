/**
 * Teams by a bot (Bot Connector v3). An address is a person's Entra object id or Teams id, for whom the conversation is named
 * first, or a conversation's own id. Teams tells no delivery and no reading to a bot; a message can be deleted as long as it
 * stands. Microsoft and the tenant's administrators (eDiscovery, compliance export) read it: `transport`, never more.
 */
import type { Outcome, RevokeResult } from '@sealpost/protocol/carriage';
import type { Adapter, AdapterContext, Attempt, Capabilities, Sent } from '../adapter.ts';
import type { Fitted } from '../fit.ts';
import { withToken } from '../oauth-token.ts';
import { activityOf, fitTeams, TEAMS_LIMITS } from './card.ts';
import { classifyConversation, classifyDeleted, classifyPosted } from './classify.ts';
import type { TeamsBotSettings } from './config.ts';
import { createConnector } from './connector.ts';
import { createVerifier } from './token.ts';
import { readTeamsWebhook } from './webhook.ts';

/** "Limits and specifications": some 40 KB a message for a bot. */
const MAX_BYTES = 40_000;
const PERSON = /^(?:29:|8:|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$)/i;
/** Between the conversation and the activity; in neither of them. */
const JOINT = '|';

const CAPABILITIES: Capabilities = {
  protection: 'transport',
  readers: ['Microsoft', 'the tenant’s administrators'],
  address: 'handle',
  content: TEAMS_LIMITS,
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

export function createTeamsBot(settings: TeamsBotSettings, context: AdapterContext): Adapter {
  const connector = createConnector(settings, context);
  const verifier = createVerifier(settings, context);

  async function conversationWith(token: string, address: string): Promise<ReturnType<typeof classifyConversation>> {
    if (!PERSON.test(address)) return { kind: 'done', value: address };
    const { app_id, tenant_id } = settings;
    const body = {
      bot: { id: `28:${app_id}` },
      isGroup: false,
      members: [{ id: address }],
      tenantId: tenant_id,
      channelData: { tenant: { id: tenant_id } },
    };
    return classifyConversation(await connector.call(token, 'POST', '', body));
  }

  function post(address: string, message: Fitted): Promise<Outcome> {
    return withToken(connector.tokens, async (token) => {
      const conversation = await conversationWith(token, address);
      if (conversation.kind !== 'done') return conversation;
      const path = `/${encodeURIComponent(conversation.value)}/activities`;
      const posted = classifyPosted(await connector.call(token, 'POST', path, activityOf(message)));
      if (posted.kind !== 'done') return posted;
      return { kind: 'accepted', providerMessageId: `${conversation.value}${JOINT}${posted.value}` };
    });
  }

  async function send({ address, payload, expires }: Attempt): Promise<Outcome> {
    if (expires <= context.now()) return { kind: 'permanent', reason: 'expired' };
    if (address.length > 200) return { kind: 'permanent', reason: 'no conversation' };
    const fitted = fitTeams(payload, settings.button_text, MAX_BYTES, activityOf);
    if (fitted.kind === 'refused') return { kind: 'permanent', reason: fitted.reason };
    return post(address, fitted.message);
  }

  async function revoke({ providerMessageId = '' }: Sent): Promise<RevokeResult> {
    const [conversation, activity, ...rest] = providerMessageId.split(JOINT);
    if (!conversation || !activity || rest.length > 0) return { kind: 'unknown', reason: 'no message id' };
    const path = `/${encodeURIComponent(conversation)}/activities/${encodeURIComponent(activity)}`;
    let refused: string | undefined;
    for (const _try of ['with the token at hand', 'with a fresh one']) {
      const token = await connector.tokens.get(refused);
      if (token.kind !== 'token') return { kind: 'unknown', reason: token.reason };
      const deleted = classifyDeleted(await connector.call(token.token, 'DELETE', path));
      if (deleted.kind !== 'unauthorized') return deleted;
      refused = token.token;
    }
    return { kind: 'unknown', reason: '401 with a fresh token' };
  }

  return {
    capabilities: CAPABILITIES,
    async start() {},
    send,
    revoke,
    webhook: (request) => readTeamsWebhook(request, settings, verifier),
    async stop() {},
  };
}
