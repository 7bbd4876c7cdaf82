/**
 * Identity: who is calling, from whichever credential it came, and what approvers have allowed. Every other module asks
 * here and nowhere else.
 */
import type { Signer } from '@sealpost/crypto/signer';
import type { Database, Surroundings } from '@sealpost/platform';
import { type ConsoleSession, type controlApi, type Principal, sessionIdSchema, type Trust } from '@sealpost/protocol';
import type { z } from 'zod';
import { createAccessTokens, type Grant, TOKEN_LIFETIME } from './access-token.ts';
import { claimedSender, secretMatches } from './alert-secret.ts';
import { type Approvals, createApprovals } from './approvals.ts';
import { createAssertions } from './assertion.ts';
import { type ConsoleSessions, createConsoleSessions } from './console-sessions.ts';
import { identityError } from './identity-errors.ts';
import { createRegistry, type Registry } from './registry.ts';

type TokenRequest = z.output<typeof controlApi.tokenRequestSchema>;
type TokenAnswer = z.output<typeof controlApi.tokenAnswerSchema>;

export interface RequestHeaders {
  readonly authorization?: string | undefined;
}

export interface Identity extends Approvals, Registry {
  /** Who is calling; `undefined` without a credential, or with one that is not valid now. */
  authenticate(headers: RequestHeaders): Promise<Principal | undefined>;
  /** The same, but throws ERR_IDENTITY_UNAUTHENTICATED. */
  authenticated(headers: RequestHeaders): Promise<Principal>;
  /** RFC 7523: an assertion for an access token of five minutes. */
  token(request: TokenRequest): Promise<TokenAnswer>;
  readonly console: ConsoleDoor;
}

/** What the console's listener asks, and no other: its tokens are no credential anywhere else. */
export interface ConsoleDoor extends Omit<ConsoleSessions, 'key'> {
  /** The browser that reads. Throws ERR_IDENTITY_UNAUTHENTICATED. */
  authenticated(headers: RequestHeaders): Promise<ConsoleSession>;
  /** RFC 7523 with a session's key; scope `console` alone. */
  token(request: TokenRequest): Promise<TokenAnswer>;
}

export interface IdentityDeps {
  readonly database: Database;
  readonly trust: Trust;
  /** Ed25519; signs access tokens. */
  readonly tokenSigner: Signer;
  /** 32 bytes; seals contact addresses at rest. */
  readonly storageKey: Uint8Array;
  /** What a client assertion may name as its audience. */
  readonly audiences: readonly string[];
  readonly surroundings: Surroundings;
}

export function createIdentity(deps: IdentityDeps): Identity {
  const { database: sql, trust, surroundings } = deps;
  const registry = createRegistry({ sql, storageKey: deps.storageKey, surroundings });
  const assertions = createAssertions({ sql, surroundings, audiences: deps.audiences });
  const tokens = createAccessTokens({ signer: deps.tokenSigner, organisation: trust.organisation, surroundings });

  const sessions = createConsoleSessions({ database: sql, trust, surroundings });

  const approverKey = (id: string) => trust.approvers.find((approver) => approver.id === id)?.jwk;
  const authenticate = async (headers: RequestHeaders) => {
    const credential = bearerOf(headers);
    if (credential === undefined) return undefined;
    const sender = claimedSender(credential);
    return sender === undefined ? principalOfToken(credential) : principalOfSecret(credential, sender);
  };
  const principalOfSecret = async (secret: string, id: string): Promise<Principal | undefined> => {
    const sender = await registry.alertSender(id);
    if (!secretMatches(secret, sender) || sender === undefined) return undefined;
    return { kind: 'alert-sender', id, flow: sender.flow, to: sender.recipient };
  };
  /** Registration is read again at each use: a flow taken from an application is gone at once, not in five minutes. */
  const principalOfToken = async (token: string): Promise<Principal | undefined> => {
    const grant = await tokens.read(token);
    if (grant === undefined || grant.scope === 'console') return undefined;
    if (grant.scope === 'operator')
      return approverKey(grant.sub) === undefined ? undefined : { kind: 'approver', key: grant.sub };
    const application = await registry.application(grant.sub);
    if (application === undefined || !application.flows.includes(grant.flow)) return undefined;
    return { kind: 'application', id: grant.sub, flows: [grant.flow] };
  };
  const provenGrant = async ({ client_assertion: assertion, scope }: TokenRequest): Promise<Grant> => {
    const subject = assertions.claimedSubject(assertion);
    if (scope === 'operator') {
      const key = approverKey(subject);
      if (key === undefined) throw identityError('ERR_IDENTITY_ASSERTION');
      await assertions.accept(assertion, subject, key);
      return { scope: 'operator', sub: subject };
    }
    const application = await registry.application(subject);
    if (application === undefined) throw identityError('ERR_IDENTITY_ASSERTION');
    await assertions.accept(assertion, subject, { crv: 'Ed25519', kty: 'OKP', x: application.publicKey });
    const flow = /^flow:([a-z0-9-]{1,63})$/.exec(scope)?.[1];
    if (flow === undefined || !application.flows.includes(flow)) throw identityError('ERR_IDENTITY_SCOPE');
    return { scope: 'flow', sub: subject, flow };
  };
  const answer = async (request: TokenRequest, grant: Grant): Promise<TokenAnswer> => ({
    access_token: await tokens.issue(grant),
    token_type: 'Bearer',
    expires_in: TOKEN_LIFETIME,
    scope: request.scope,
  });
  const provenSession = async ({ client_assertion: assertion, scope }: TokenRequest): Promise<Grant> => {
    const sub = sessionIdSchema.safeParse(assertions.claimedSubject(assertion)).data;
    const key = sub === undefined ? undefined : await sessions.key(sub);
    if (sub === undefined || key === undefined) throw identityError('ERR_IDENTITY_ASSERTION');
    await assertions.accept(assertion, sub, key);
    if (scope !== 'console') throw identityError('ERR_IDENTITY_SCOPE');
    return { scope, sub };
  };
  /** The session is looked up at each use: signed out is out at once. */
  const consoleSession = async (headers: RequestHeaders): Promise<ConsoleSession> => {
    const credential = bearerOf(headers);
    const grant = credential === undefined ? undefined : await tokens.read(credential);
    if (grant?.scope !== 'console' || (await sessions.key(grant.sub)) === undefined)
      throw identityError('ERR_IDENTITY_UNAUTHENTICATED');
    return { kind: 'console', session: grant.sub };
  };
  return {
    ...registry,
    ...createApprovals({ trust, surroundings }),
    authenticate,
    async authenticated(headers) {
      const principal = await authenticate(headers);
      if (principal === undefined) throw identityError('ERR_IDENTITY_UNAUTHENTICATED');
      return principal;
    },
    token: async (request) => answer(request, await provenGrant(request)),
    console: {
      ...sessions,
      authenticated: consoleSession,
      token: async (request) => answer(request, await provenSession(request)),
    },
  };
}

function bearerOf({ authorization = '' }: RequestHeaders): string | undefined {
  return /^Bearer ([A-Za-z0-9._-]{1,4096})$/.exec(authorization)?.[1];
}
