/**
 * What a signed-in browser reads, each call under a token of minutes that its key asked for. A session that control knows
 * no more is told once to `onEnded`; nothing is asked for under it again.
 */
import { signerFromCryptoKey, signJws } from '@sealpost/crypto/signer';
import {
  type ConsoleFlow,
  type ConsoleMessage,
  controlApi,
  type Evidence,
  gatewayApi,
  type MessageId,
  type MessageStatus,
  SealpostError,
} from '@sealpost/protocol';
import type { z } from 'zod';
import { consoleError } from '../console-errors.ts';
import type { Call, Http } from './http.ts';
import type { KeptSession } from './session-store.ts';

export interface Reads {
  messages(): Promise<readonly ConsoleMessage[]>;
  status(message: MessageId): Promise<MessageStatus>;
  evidence(message: MessageId): Promise<readonly Evidence[]>;
  flows(): Promise<{ readonly version: number; readonly flows: readonly ConsoleFlow[] }>;
  /** The newest signed head of the log. */
  checkpoint(): Promise<string>;
  /** Waits for an entry after that position, for a quarter of a minute at most. */
  changes(after: number, signal: AbortSignal): Promise<{ position: number; messages: readonly MessageId[] }>;
  signOut(): Promise<void>;
}

export interface ReadsDeps {
  readonly http: Http;
  readonly kept: KeptSession;
  readonly now: () => number;
  readonly onEnded: () => void;
}

const ASSERTION_LIFETIME = 60;
/** Tokens live five minutes. */
const RENEW_AFTER = 240_000;
const WAIT = 15_000;
const PAGE = 100;

export function createReads({ http, kept, now, onEnded }: ReadsDeps): Reads {
  let held: { readonly text: Promise<string>; readonly until: number } | undefined;

  const freshToken = async () => {
    const signer = await signerFromCryptoKey(kept.privateKey, kept.publicJwk);
    const iat = Math.floor(now() / 1000);
    const claims = { iss: kept.session, sub: kept.session, aud: 'control', iat, exp: iat + ASSERTION_LIFETIME };
    const body = {
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await signJws('JWT', { ...claims, jti: crypto.randomUUID() }, signer),
      scope: 'console',
    };
    return (await http.json('/v1/token', controlApi.tokenAnswerSchema, { method: 'POST', body })).access_token;
  };
  /** One request for many reads; a failed one is not kept. */
  const currentToken = (): Promise<string> => {
    if (held === undefined || held.until <= now()) {
      const text = freshToken();
      held = { text, until: now() + RENEW_AFTER };
      text.catch(() => {
        held = undefined;
      });
    }
    return held.text;
  };
  const read = async <Schema extends z.ZodType>(path: string, schema: Schema, call: Call = {}) => {
    try {
      return await http.json(path, schema, { ...call, token: await currentToken() });
    } catch (error) {
      if (!(error instanceof SealpostError) || error.kind !== 'unauthenticated') throw error;
      onEnded();
      throw consoleError('ERR_CONSOLE_ENDED', { cause: error });
    }
  };
  const evidencePage = (message: MessageId, after: number) =>
    read(`/v1/messages/${message}/evidence?after=${after}&limit=${PAGE}`, gatewayApi.messageEvidenceSchema);

  return {
    messages: async () => (await read('/v1/console/messages', controlApi.consoleMessagesSchema)).messages,
    status: (message) => read(`/v1/messages/${message}`, controlApi.messageStatusSchema),
    async evidence(message) {
      const all: Evidence[] = [];
      for (;;) {
        const { evidence } = await evidencePage(message, all.at(-1)?.position ?? -1);
        all.push(...evidence);
        if (evidence.length < PAGE) return all;
      }
    },
    flows: () => read('/v1/console/flows', controlApi.consoleFlowsSchema),
    checkpoint: async () => (await read('/v1/console/log', controlApi.consoleLogSchema)).checkpoint,
    changes: (after, signal) =>
      read(`/v1/console/changes?after=${after}&wait=${WAIT}`, controlApi.consoleChangesSchema, { signal }),
    signOut: async () =>
      void (await read('/v1/console/sessions/current', controlApi.adminAnswerSchema, { method: 'DELETE' })),
  };
}
