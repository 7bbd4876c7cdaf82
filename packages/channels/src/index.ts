/**
 * `channels`: one folder per adapter behind one port (`adapter.ts`). An adapter knows one provider and nothing else:
 * it is handed what the route may carry and an address, and says how the attempt ended.
 *
 * Promises: `send` never throws for what a provider does; no reason, code or error holds an address, a token or text a
 * person wrote; a receipt is acknowledged to the provider only once the sink has stored it.
 * Does not: retry, choose routes, or remember anything beyond the attempts in flight.
 */
export type {
  Adapter,
  AdapterContext,
  Attempt,
  Capabilities,
  ContentLimits,
  EventSink,
  ProviderEvents,
  RawWebhook,
  Reach,
  Sent,
  WebhookResult,
} from './adapter.ts';
export { type ChannelAdapterName, createAdapter } from './create-adapter.ts';
export { type RcsGoogleSettings, rcsGoogleSettingsSchema } from './rcs-google/config.ts';
export { type SmsSmppSettings, smsSmppSettingsSchema } from './sms-smpp/config.ts';
