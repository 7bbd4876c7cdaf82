/**
 * The one place that knows which adapters there are. Settings arrive as written in the channel's manifest and are parsed
 * by the adapter's own strict schema; settings that do not parse throw, because no channel may start half understood.
 */
import type { AdapterName } from '@sealpost/protocol';
import type { Adapter, AdapterContext } from './adapter.ts';
import { emailSettingsSchema } from './email/config.ts';
import { createEmail } from './email/email.ts';
import { imessageSettingsSchema } from './imessage/config.ts';
import { createImessage } from './imessage/imessage.ts';
import { imessageBusinessSettingsSchema } from './imessage-business/config.ts';
import { createImessageBusiness } from './imessage-business/imessage-business.ts';
import { rcsAwsSettingsSchema } from './rcs-aws/config.ts';
import { createRcsAws } from './rcs-aws/rcs-aws.ts';
import { rcsGoogleSettingsSchema } from './rcs-google/config.ts';
import { createRcsGoogle } from './rcs-google/rcs-google.ts';
import { rcsInfobipSettingsSchema } from './rcs-infobip/config.ts';
import { createRcsInfobip } from './rcs-infobip/rcs-infobip.ts';
import { rcsMaapSettingsSchema } from './rcs-maap/config.ts';
import { createRcsMaap } from './rcs-maap/rcs-maap.ts';
import { rcsSinchSettingsSchema } from './rcs-sinch/config.ts';
import { createRcsSinch } from './rcs-sinch/rcs-sinch.ts';
import { rcsTwilioSettingsSchema } from './rcs-twilio/config.ts';
import { createRcsTwilio } from './rcs-twilio/rcs-twilio.ts';
import { rcsVonageSettingsSchema } from './rcs-vonage/config.ts';
import { createRcsVonage } from './rcs-vonage/rcs-vonage.ts';
import { signalSettingsSchema } from './signal/config.ts';
import { createSignal } from './signal/signal.ts';
import { slackSettingsSchema } from './slack/config.ts';
import { createSlack } from './slack/slack.ts';
import { smsSmppSettingsSchema } from './sms-smpp/config.ts';
import { createSmsSmpp } from './sms-smpp/sms-smpp.ts';
import { smsTwilioSettingsSchema } from './sms-twilio/config.ts';
import { createSmsTwilio } from './sms-twilio/sms-twilio.ts';
import { teamsSettingsSchema } from './teams/config.ts';
import { createTeams } from './teams/teams.ts';
import { webpushSettingsSchema } from './webpush/config.ts';
import { createWebpush } from './webpush/webpush.ts';
import { whatsappCloudSettingsSchema } from './whatsapp-cloud/config.ts';
import { createWhatsappCloud } from './whatsapp-cloud/whatsapp-cloud.ts';

const ADAPTERS = {
  'rcs-google': (settings: unknown, context: AdapterContext) =>
    createRcsGoogle(rcsGoogleSettingsSchema.parse(settings), context),
  'sms-smpp': (settings: unknown, context: AdapterContext) =>
    createSmsSmpp(smsSmppSettingsSchema.parse(settings), context),
  'rcs-twilio': (settings: unknown, context: AdapterContext) =>
    createRcsTwilio(rcsTwilioSettingsSchema.parse(settings), context),
  'rcs-infobip': (settings: unknown, context: AdapterContext) =>
    createRcsInfobip(rcsInfobipSettingsSchema.parse(settings), context),
  'rcs-sinch': (settings: unknown, context: AdapterContext) =>
    createRcsSinch(rcsSinchSettingsSchema.parse(settings), context),
  'sms-twilio': (settings: unknown, context: AdapterContext) =>
    createSmsTwilio(smsTwilioSettingsSchema.parse(settings), context),
  'rcs-vonage': (settings: unknown, context: AdapterContext) =>
    createRcsVonage(rcsVonageSettingsSchema.parse(settings), context),
  'rcs-aws': (settings: unknown, context: AdapterContext) =>
    createRcsAws(rcsAwsSettingsSchema.parse(settings), context),
  'rcs-maap': (settings: unknown, context: AdapterContext) =>
    createRcsMaap(rcsMaapSettingsSchema.parse(settings), context),
  'whatsapp-cloud': (settings: unknown, context: AdapterContext) =>
    createWhatsappCloud(whatsappCloudSettingsSchema.parse(settings), context),
  slack: (settings: unknown, context: AdapterContext) => createSlack(slackSettingsSchema.parse(settings), context),
  teams: (settings: unknown, context: AdapterContext) => createTeams(teamsSettingsSchema.parse(settings), context),
  email: (settings: unknown, context: AdapterContext) => createEmail(emailSettingsSchema.parse(settings), context),
  imessage: (settings: unknown, context: AdapterContext) =>
    createImessage(imessageSettingsSchema.parse(settings), context),
  'imessage-business': (settings: unknown, context: AdapterContext) =>
    createImessageBusiness(imessageBusinessSettingsSchema.parse(settings), context),
  signal: (settings: unknown, context: AdapterContext) => createSignal(signalSettingsSchema.parse(settings), context),
  webpush: (settings: unknown, context: AdapterContext) =>
    createWebpush(webpushSettingsSchema.parse(settings), context),
} as const;

export type ChannelAdapterName = keyof typeof ADAPTERS;

/**
 * Throws a `ZodError` naming the setting when `settings` are not in the adapter's form, and TypeError for a name nothing here
 * speaks for: `app` is the gateway's own.
 */
export function createAdapter(name: AdapterName, settings: unknown, context: AdapterContext): Adapter {
  if (!isHere(name)) throw new TypeError(`no adapter is called ${name}`);
  return ADAPTERS[name](settings, context);
}

function isHere(name: AdapterName): name is ChannelAdapterName {
  return Object.hasOwn(ADAPTERS, name);
}
