/**
 * Alerts: what Alertmanager posts becomes a message of the sender's flow to the sender's recipient. Alertmanager repeats
 * what is answered 5xx and drops what is answered 4xx, so only what no repetition can help is a 4xx here.
 */
import type { Logger, Surroundings } from '@sealpost/platform';
import {
  type AlertmanagerWebhook,
  type CompiledFlow,
  type ErrorKind,
  flowNameSchema,
  memberIdSchema,
  type Principal,
  SealpostError,
} from '@sealpost/protocol';
import type { GatewayClient } from '../../gateway/gateway-client.ts';
import type { Flows } from '../flows/index.ts';
import type { MessageAccepted, Messages } from '../messages/index.ts';
import { alertsError } from './alerts-errors.ts';
import { attachLinks } from './attach.ts';
import { alertIdentity, composeContent, linksOf } from './compose.ts';

export interface Alerts {
  /** Answers once the gateway has taken the message; the same alerts answer the same one. */
  take(principal: Principal, webhook: AlertmanagerWebhook): Promise<MessageAccepted>;
}

export interface AlertsDeps {
  readonly messages: Pick<Messages, 'send'>;
  readonly flows: Pick<Flows, 'flow'>;
  readonly gateway: Pick<GatewayClient, 'putBlob'>;
  readonly surroundings: Surroundings;
  readonly logger: Logger;
}

/** Further links are left out, so that a policy's bound on attachments never costs the alert itself. */
const MOST_LINKS = 8;
/** Where the flow is not known the message is refused anyway. */
const NO_PERIOD = 1;
const RETRY_AFTER = 30;
const FINAL: readonly ErrorKind[] = ['invalid', 'unauthenticated', 'denied', 'too-large', 'media-type'];

export function createAlerts(deps: AlertsDeps): Alerts {
  const { messages, flows } = deps;

  const preparation = (webhook: AlertmanagerWebhook, flow: CompiledFlow | undefined) => {
    const policy = flow?.links;
    const links = policy === undefined ? [] : linksOf(webhook, policy.annotations).slice(0, MOST_LINKS);
    return {
      attachments: links.length,
      prepare: async () => (policy === undefined ? { attachments: [], lines: [] } : attachLinks(links, policy, deps)),
    };
  };

  return {
    async take(principal, webhook) {
      if (principal.kind !== 'alert-sender') throw alertsError('ERR_ALERTS_SENDER');
      const flow = flows.flow(principal.flow);
      const request = {
        flow: flowNameSchema.parse(principal.flow),
        to: memberIdSchema.parse(principal.to),
        content: composeContent(webhook, flow?.links?.annotations ?? []),
      };
      const period = Math.floor(deps.surroundings.now() / (flow?.expires ?? NO_PERIOD));
      const identity = alertIdentity(principal.id, webhook, period);
      try {
        return await messages.send(principal, request, identity, {
          kind: 'alert',
          identity,
          ...preparation(webhook, flow),
        });
      } catch (error) {
        throw repeatable(error);
      }
    },
  };
}

/** The same code, said so that Alertmanager tries again where that may help. */
function repeatable(error: unknown): unknown {
  if (!(error instanceof SealpostError) || FINAL.includes(error.kind)) return error;
  const { code, message: sentence, hint, details, retryAfter = RETRY_AFTER } = error;
  return new SealpostError(code, { kind: 'unavailable', sentence, hint }, { cause: error, details, retryAfter });
}
