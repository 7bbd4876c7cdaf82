/**
 * The proof of an inbound activity (Microsoft, "Authenticate requests from the Bot Connector service to your bot"): a JWT in
 * `Authorization`, RS256 under a key of the Connector's OpenID document that is endorsed for Teams, from its issuer, for our
 * app, and for the `serviceUrl` the activity names. The token does not cover the body: whoever holds one could use it for
 * another body until it ends, which is why it must come over TLS.
 */
import { errors, importJWK, jwtVerify } from 'jose';
import { z } from 'zod';
import type { AdapterContext } from '../adapter.ts';
import { httpCall } from '../http-call.ts';
import type { TeamsBotSettings } from './config.ts';
import { type ConnectorKey, parseDocument, parseKeys } from './keys-schema.ts';

const CHANNEL = 'msteams';
const CLOCK_TOLERANCE_SECONDS = 300;
/** Keys are kept for a day, and asked for anew for an unknown one at most once in five minutes. */
const KEEP_MS = 86_400_000;
const RENEW_MS = 300_000;

const headerSchema = z.object({ alg: z.literal('RS256'), kid: z.string().max(256) });
const claimsSchema = z.object({ serviceurl: z.string().max(2048) });

export interface Verifier {
  /** Whether the Bot Connector vouches for an activity of this `serviceUrl`. */
  proves(authorization: string | undefined, serviceUrl: string): Promise<boolean>;
}

interface Held {
  readonly issuer: string;
  readonly keys: readonly ConnectorKey[];
  readonly at: number;
}

export function createVerifier(settings: TeamsBotSettings, context: AdapterContext): Verifier {
  const http = { fetch: context.fetch, now: context.now, timeoutMs: settings.timeout };
  let held: Held | undefined;
  let underWay: Promise<Held | undefined> | undefined;

  async function ask(): Promise<Held | undefined> {
    const at = context.now();
    const named = await httpCall(http, settings.openid_url, { method: 'GET' });
    const document = named.kind === 'answered' && named.status === 200 ? parseDocument(named.body) : undefined;
    if (document === undefined) return held;
    const answer = await httpCall(http, document.jwks_uri, { method: 'GET' });
    const keys = answer.kind === 'answered' && answer.status === 200 ? parseKeys(answer.body) : undefined;
    if (keys !== undefined) held = { issuer: document.issuer, keys, at };
    return held;
  }

  async function keyOf(kid: string): Promise<{ key: ConnectorKey; issuer: string } | undefined> {
    const find = ({ keys, issuer }: Held) => {
      const key = keys.find((candidate) => candidate.kid === kid && candidate.endorsements.includes(CHANNEL));
      return key === undefined ? undefined : { key, issuer };
    };
    const age = held === undefined ? Number.POSITIVE_INFINITY : context.now() - held.at;
    const known = held !== undefined && age < KEEP_MS ? find(held) : undefined;
    if (known !== undefined || age < RENEW_MS) return known;
    underWay ??= ask().finally(() => {
      underWay = undefined;
    });
    const asked = await underWay;
    return asked === undefined ? undefined : find(asked);
  }

  return {
    async proves(authorization, serviceUrl) {
      const [, token] = /^Bearer ([A-Za-z0-9._-]{1,8192})$/i.exec(authorization ?? '') ?? [];
      const header = token === undefined ? undefined : headerOfToken(token);
      if (token === undefined || header === undefined) return false;
      const found = await keyOf(header.kid);
      if (found === undefined) return false;
      try {
        const { payload } = await jwtVerify(token, await importJWK(found.key.jwk, 'RS256'), {
          algorithms: ['RS256'],
          issuer: found.issuer,
          audience: settings.app_id,
          requiredClaims: ['exp'],
          clockTolerance: CLOCK_TOLERANCE_SECONDS,
          currentDate: new Date(context.now()),
        });
        return claimsSchema.safeParse(payload).data?.serviceurl === serviceUrl;
      } catch (error) {
        if (error instanceof errors.JOSEError || error instanceof TypeError) return false;
        throw error;
      }
    },
  };
}

function headerOfToken(token: string): z.infer<typeof headerSchema> | undefined {
  try {
    const text = Buffer.from(token.split('.', 1)[0] ?? '', 'base64url').toString();
    return headerSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
