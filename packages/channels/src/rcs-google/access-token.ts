/**
 * The access token of a service account: a signed JWT grant exchanged at the token endpoint (RFC 7523 section 2.1;
 * Google, "Using OAuth 2.0 for server to server applications"), kept until shortly before it expires. Callers share one
 * exchange. The key file is read at each exchange, so a rotated key needs no restart.
 */
import { importPKCS8, SignJWT } from 'jose';
import type { AdapterContext } from '../adapter.ts';
import { httpCall } from '../http-call.ts';
import { parseServiceAccount, parseToken, parseTokenError, type ServiceAccount } from './answer-schema.ts';
import type { RcsGoogleSettings } from './config.ts';

const SCOPE = 'https://www.googleapis.com/auth/rcsbusinessmessaging';
/** Ask anew this long before a token ends, so that none ends on the way. */
const MARGIN_MS = 60_000;
const LIFETIME_SECONDS = 3600;

export type TokenResult =
  | { readonly kind: 'token'; readonly token: string }
  /** The token endpoint is away or busy; nothing was sent to anyone. */
  | { readonly kind: 'unavailable'; readonly afterMs: number | undefined; readonly reason: string }
  /** Google, or the key file, says these credentials do not work. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface AccessTokens {
  /** The token at hand, or a new one. Pass the token a 401 was answered to: it is never returned again. */
  get(refused?: string): Promise<TokenResult>;
}

export function createAccessTokens(settings: RcsGoogleSettings, context: AdapterContext): AccessTokens {
  let held: { token: string; until: number } | undefined;
  let exchange: Promise<TokenResult> | undefined;

  async function renew(): Promise<TokenResult> {
    const account = await readAccount(settings.service_account_file, context);
    if (account === undefined) return { kind: 'refused', reason: 'service account file unreadable' };
    const assertion = await signGrant(account, settings.token_url, context.now());
    if (assertion === undefined) return { kind: 'refused', reason: 'service account key unusable' };
    const asked = context.now();
    const result = await requestToken(settings, context, assertion);
    if (result.kind === 'issued') {
      held = { token: result.token, until: asked + result.lifetimeMs - MARGIN_MS };
      return { kind: 'token', token: result.token };
    }
    return result;
  }

  return {
    get(refused) {
      if (held !== undefined && (held.token === refused || context.now() >= held.until)) held = undefined;
      if (held !== undefined) return Promise.resolve({ kind: 'token', token: held.token });
      exchange ??= renew().finally(() => {
        exchange = undefined;
      });
      return exchange;
    },
  };
}

async function readAccount(path: string, context: AdapterContext): Promise<ServiceAccount | undefined> {
  try {
    return parseServiceAccount(await context.readSecret(path));
  } catch {
    return undefined;
  }
}

async function signGrant(account: ServiceAccount, audience: string, now: number): Promise<string | undefined> {
  const issued = Math.floor(now / 1000);
  const header =
    account.private_key_id === undefined ? { alg: 'RS256' } : { alg: 'RS256', kid: account.private_key_id };
  try {
    return await new SignJWT({ scope: SCOPE })
      .setProtectedHeader({ ...header, typ: 'JWT' })
      .setIssuer(account.client_email)
      .setAudience(audience)
      .setIssuedAt(issued)
      .setExpirationTime(issued + LIFETIME_SECONDS)
      .sign(await importPKCS8(account.private_key, 'RS256'));
  } catch {
    return undefined;
  }
}

type Exchange =
  | { readonly kind: 'issued'; readonly token: string; readonly lifetimeMs: number }
  | Exclude<TokenResult, { kind: 'token' }>;

async function requestToken(
  settings: RcsGoogleSettings,
  context: AdapterContext,
  assertion: string,
): Promise<Exchange> {
  const call = { fetch: context.fetch, now: context.now, timeoutMs: settings.timeout };
  const form = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion });
  const answer = await httpCall(call, settings.token_url, { method: 'POST', body: form });
  if (answer.kind !== 'answered')
    return { kind: 'unavailable', afterMs: undefined, reason: `token endpoint ${answer.code}` };
  if (answer.status === 200) {
    const token = parseToken(answer.body);
    if (token === undefined) return { kind: 'unavailable', afterMs: undefined, reason: 'token answer malformed' };
    return { kind: 'issued', token: token.access_token, lifetimeMs: token.expires_in * 1000 };
  }
  if (answer.status >= 400 && answer.status < 500 && answer.status !== 429 && answer.status !== 408)
    return { kind: 'refused', reason: `token endpoint ${answer.status} ${parseTokenError(answer.body)}` };
  return { kind: 'unavailable', afterMs: answer.retryAfterMs, reason: `token endpoint ${answer.status}` };
}
