/**
 * Teams, both ways: the Bot Connector v3 behind Entra ID's token endpoint, with activities proved as "Authenticate requests
 * from the Bot Connector service to your bot" says; and a workflow's URL, which answers 202 and nothing else. Members the
 * Connector's description does not name are refused.
 */
import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { z } from 'zod';
import {
  type Call,
  jsonReply,
  type ProviderDefinition,
  type ProviderEvent,
  type Recognised,
  type Reply,
} from '../provider-kit/definition.ts';

export interface TeamsBotOptions {
  readonly appId: string;
  readonly tenantId: string;
  readonly clientSecret: string;
  /** RSA; the Connector signs activities with it. */
  readonly signingKey: KeyObject;
  readonly now: () => number;
}

const TOKEN = 'token-of-the-connector';
const SCOPE = 'https://api.botframework.com/.default';
const ISSUER = 'https://api.botframework.com';
const SERVICE_URL = 'https://smba.trafficmanager.net/teams/';
const OPENID = '/v1/.well-known/openidconfiguration';
const KEYS = '/v1/.well-known/keys';
const KID = 'connector-1';

const runSchema = z.object({ text: z.string() });
const cardSchema = z.object({
  type: z.literal('AdaptiveCard'),
  version: z.literal('1.5'),
  body: z.array(z.object({ type: z.literal('RichTextBlock'), inlines: z.array(runSchema) })).min(1),
  actions: z.array(z.object({ type: z.enum(['Action.Submit', 'Action.OpenUrl']), title: z.string().min(1) })).max(6),
});
const attachmentSchema = z.strictObject({
  contentType: z.literal('application/vnd.microsoft.card.adaptive'),
  contentUrl: z.null().optional(),
  content: cardSchema,
});
const activitySchema = z.strictObject({
  type: z.literal('message'),
  textFormat: z.literal('plain').optional(),
  text: z.string().min(1).optional(),
  summary: z.string().optional(),
  attachments: z.array(attachmentSchema).max(1).default([]),
});
const workflowSchema = z.strictObject({ type: z.literal('message'), attachments: z.array(attachmentSchema).length(1) });

function conversationSchemaOf({ appId, tenantId }: TeamsBotOptions) {
  return z.strictObject({
    bot: z.strictObject({ id: z.literal(`28:${appId}`) }),
    isGroup: z.literal(false),
    members: z.array(z.strictObject({ id: z.string().min(1) })).length(1),
    tenantId: z.literal(tenantId),
    channelData: z.strictObject({ tenant: z.strictObject({ id: z.literal(tenantId) }) }),
  });
}

export function teamsBotDefinition(options: TeamsBotOptions): ProviderDefinition {
  /** Whom each conversation is with. */
  const people = new Map<string, string>();
  const conversationSchema = conversationSchemaOf(options);

  function token(body: string): Recognised {
    const { client_id, client_secret, grant_type, scope } = Object.fromEntries(new URLSearchParams(body));
    const known = client_id === options.appId && client_secret === options.clientSecret;
    if (!known || grant_type !== 'client_credentials' || scope !== SCOPE)
      return { kind: 'refused', answer: jsonReply(401, { error: 'invalid_client' }) };
    return prepared(jsonReply(200, { token_type: 'Bearer', expires_in: 3599, access_token: TOKEN }));
  }

  /** The same one each time it is named. */
  function conversation(body: string): Recognised {
    const asked = conversationSchema.safeParse(jsonOf(body)).data;
    const [member] = asked?.members ?? [];
    if (member === undefined) return { kind: 'refused', answer: refusal(400, 'BadSyntax') };
    const id = `a:${createHash('sha256').update(member.id).digest('base64url')}`;
    people.set(id, member.id);
    return prepared(jsonReply(201, { id }));
  }

  function activity(name: string, body: string): Recognised {
    const address = people.get(decodeURIComponent(name));
    if (address === undefined) return { kind: 'refused', answer: refusal(404, 'ConversationNotFound') };
    const said = activitySchema.safeParse(jsonOf(body)).data;
    const text = said === undefined ? '' : [said.text ?? '', ...said.attachments.map(textOfCard)].join('\n').trim();
    if (text === '') return { kind: 'refused', answer: refusal(400, 'BadSyntax') };
    return { kind: 'message', address, text };
  }

  return {
    idOf: (serial) => String(1_563_480_968_434 + serial),
    recognise({ method, path, headers, body }: Call) {
      if (method === 'POST' && path === `/${options.tenantId}/oauth2/v2.0/token`) return token(body);
      if (method === 'GET' && path === OPENID)
        return prepared(jsonReply(200, { issuer: ISSUER, jwks_uri: `http://${headers.host}${KEYS}` }));
      if (method === 'GET' && path === KEYS) return prepared(jsonReply(200, { keys: [publicKeyOf(options)] }));
      if (headers.authorization !== `Bearer ${TOKEN}`) return { kind: 'refused', answer: jsonReply(401, {}) };
      if (method === 'POST' && path === '/v3/conversations') return conversation(body);
      const [, name] = /^\/v3\/conversations\/([^/]+)\/activities$/.exec(path) ?? [];
      return method === 'POST' && name !== undefined
        ? activity(name, body)
        : { kind: 'refused', answer: refusal(404, 'ServiceNotFound') };
    },
    answers: {
      taken: ({ id }) => jsonReply(201, { id }),
      busy: jsonReply(429, { error: { code: 'Throttled', message: 'too many' } }, { 'retry-after': '7' }),
      failing: refusal(502, 'BadGateway'),
      unauthorized: jsonReply(401, { error: 'invalid_client' }),
      rejected: refusal(413, 'MessageSizeTooBig'),
      unreachable: refusal(403, 'BotNotInConversationRoster'),
    },
    webhooks: {
      bodyOf: (event) => activityOf(event, options),
      prove: (_body, genuine) => ({
        headers: { 'content-type': 'application/json', authorization: `Bearer ${proofOf(options, genuine)}` },
      }),
    },
  };
}

export interface TeamsWorkflowOptions {
  readonly path: string;
  /** Of the URL: who knows it may post. */
  readonly signature: string;
  /** The name the channel behind the workflow has with its user. */
  readonly address: string;
}

export function teamsWorkflowDefinition({ path, signature, address }: TeamsWorkflowOptions): ProviderDefinition {
  return {
    idOf: (serial) => `run-${serial}`,
    recognise(call: Call) {
      if (call.method !== 'POST' || call.path !== path)
        return { kind: 'refused', answer: refusal(404, 'WorkflowNotFound') };
      if (call.query.get('sig') !== signature) return { kind: 'refused', answer: refusal(401, 'AuthorizationFailed') };
      const [card] = workflowSchema.safeParse(jsonOf(call.body)).data?.attachments ?? [];
      return card === undefined
        ? { kind: 'refused', answer: refusal(400, 'TriggerInputSchemaMismatch') }
        : { kind: 'message', address, text: textOfCard(card) };
    },
    answers: {
      taken: () => ({ status: 202, body: '' }),
      nonsense: '<html>It works!</html>',
      busy: jsonReply(429, { error: { code: 'TooManyRequests' } }, { 'retry-after': '7' }),
      failing: refusal(502, 'BadGateway'),
      unauthorized: refusal(401, 'AuthorizationFailed'),
      rejected: refusal(400, 'TriggerInputSchemaMismatch'),
    },
  };
}

const prepared = (answer: Reply): Recognised => ({ kind: 'preparation', answer });
const refusal = (status: number, code: string): Reply => jsonReply(status, { error: { code, message: 'refused' } });

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a person reads on it, a line for each block and button. */
function textOfCard({ content: { body, actions } }: z.infer<typeof attachmentSchema>): string {
  const lines = body.map(({ inlines }) => inlines.map(({ text }) => text).join(''));
  return [...lines, ...actions.map(({ title }) => title)].join('\n');
}

/** Teams tells a bot what people write, and neither deliveries nor readings. */
function activityOf(event: ProviderEvent, { appId, tenantId, now }: TeamsBotOptions): string | undefined {
  if (event.kind !== 'said') return undefined;
  return JSON.stringify({
    type: 'message',
    id: event.id,
    timestamp: new Date(now()).toISOString(),
    channelId: 'msteams',
    serviceUrl: SERVICE_URL,
    from: { id: '29:somebody', aadObjectId: event.address },
    conversation: { id: 'a:personal-chat', conversationType: 'personal', tenantId },
    recipient: { id: `28:${appId}` },
    text: event.text,
  });
}

function publicKeyOf({ signingKey }: TeamsBotOptions): object {
  const jwk = createPublicKey(signingKey).export({ format: 'jwk' });
  return { ...jwk, kid: KID, use: 'sig', endorsements: ['msteams'] };
}

/** RS256 (RFC 7515); what is not genuine is signed over other words. */
function proofOf({ appId, signingKey, now }: TeamsBotOptions, genuine: boolean): string {
  const issued = Math.floor(now() / 1000);
  const header = { typ: 'JWT', alg: 'RS256', kid: KID };
  const claims = { iss: ISSUER, aud: appId, serviceurl: SERVICE_URL, nbf: issued, exp: issued + 3600 };
  const input = [header, claims].map((each) => Buffer.from(JSON.stringify(each)).toString('base64url')).join('.');
  const signature = sign('RSA-SHA256', Buffer.from(genuine ? input : `${input}.`), signingKey);
  return `${input}.${signature.toString('base64url')}`;
}
