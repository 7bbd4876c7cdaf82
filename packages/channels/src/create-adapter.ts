/**
 * The one place that knows which adapters there are. Settings arrive as written in the channel's manifest and are parsed
 * by the adapter's own strict schema; settings that do not parse throw, because no channel may start half understood.
 */
import type { Adapter, AdapterContext } from './adapter.ts';
import { rcsGoogleSettingsSchema } from './rcs-google/config.ts';
import { createRcsGoogle } from './rcs-google/rcs-google.ts';
import { smsSmppSettingsSchema } from './sms-smpp/config.ts';
import { createSmsSmpp } from './sms-smpp/sms-smpp.ts';

const ADAPTERS = {
  'rcs-google': (settings: unknown, context: AdapterContext) =>
    createRcsGoogle(rcsGoogleSettingsSchema.parse(settings), context),
  'sms-smpp': (settings: unknown, context: AdapterContext) =>
    createSmsSmpp(smsSmppSettingsSchema.parse(settings), context),
} as const;

export type ChannelAdapterName = keyof typeof ADAPTERS;

/** Throws a `ZodError` naming the setting when `settings` are not in the adapter's form. */
export function createAdapter(name: ChannelAdapterName, settings: unknown, context: AdapterContext): Adapter {
  return ADAPTERS[name](settings, context);
}
