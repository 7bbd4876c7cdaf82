/**
 * Signal by an account of ours on signal-cli, or on signal-cli-rest-api before it: text and one file. signal-cli is one of the
 * two ends of Signal's encryption; it and whoever runs it hold everything in clear, nobody between it and the person does.
 * Signal offers no interface for businesses: the client is not its own, and stops working when it is not kept up to date.
 */
import type { Outcome, RevokeResult } from '@sealpost/protocol/carriage';
import type { Adapter, AdapterContext, Attempt, Capabilities, Sent } from '../adapter.ts';
import { fit } from '../fit.ts';
import { revocationOf } from './classify.ts';
import type { SignalSettings } from './config.ts';
import { type Events, openEvents } from './events.ts';
import { createJsonRpcServer } from './json-rpc.ts';
import { messageOf, SIGNAL_LIMITS } from './message.ts';
import { createRestServer } from './rest.ts';
import { readSignalWebhook } from './webhook.ts';

const CAPABILITIES: Omit<Capabilities, 'webhook'> = {
  protection: 'vendor-e2ee',
  readers: ['our server that runs signal-cli, and whoever administers it'],
  address: 'phone',
  content: SIGNAL_LIMITS,
  delivered: true,
  read: true,
  idempotent: false,
  maxTtl: 0,
  lookup: true,
  query: false,
  revoke: 'always',
  inbound: true,
};

/** A number, or the account's own id where the person hides it. Groups and user names are no address here. */
const ADDRESS = /^(\+[1-9]\d{4,14}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

/** Signal's clients delete for everyone only what was sent less than a day ago, and pass over later wishes. */
const DELETABLE_MS = 24 * 60 * 60_000;

export function createSignal(settings: SignalSettings, context: AdapterContext): Adapter {
  const server =
    settings.mode === 'rest' ? createRestServer(settings, context) : createJsonRpcServer(settings, context);
  let events: Events | undefined;

  async function send({ address, payload, expires }: Attempt): Promise<Outcome> {
    if (expires <= context.now()) return { kind: 'permanent', reason: 'expired' };
    if (!ADDRESS.test(address)) return { kind: 'downgrade', reason: 'no Signal address' };
    const fitted = fit(payload, SIGNAL_LIMITS, '');
    if (fitted.kind === 'refused') return { kind: 'permanent', reason: fitted.reason };
    return server.send(address, messageOf(fitted.message));
  }

  async function revoke({ address, providerMessageId = '' }: Sent): Promise<RevokeResult> {
    const timestamp = /^\d{1,16}$/.test(providerMessageId) ? Number(providerMessageId) : undefined;
    if (timestamp === undefined) return { kind: 'unknown', reason: 'no message id' };
    if (context.now() - timestamp >= DELETABLE_MS) return { kind: 'too-late', reason: 'older than a day' };
    return revocationOf(await server.remove(address, timestamp));
  }

  const common = { send, revoke, lookup: server.lookup };
  if (settings.mode === 'rest')
    return {
      ...common,
      capabilities: { ...CAPABILITIES, webhook: 'token' },
      async start() {},
      webhook: (request) => readSignalWebhook(request, settings, context),
      async stop() {},
    };
  return {
    ...common,
    capabilities: { ...CAPABILITIES, webhook: 'none' },
    async start(sink) {
      events ??= openEvents(settings, context, sink);
    },
    async stop() {
      await events?.close();
      events = undefined;
    },
  };
}
