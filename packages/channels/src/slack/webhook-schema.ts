/**
 * What Slack posts to an app: events and the address check as JSON (Slack, "Events API"), taps on buttons as a form with
 * one field `payload` (Slack, "Handling user interaction"). Unknown members are ignored, every one taken out is bounded.
 */
import { z } from 'zod';
import { jsonOf, textOf } from '../webhook-request.ts';

const id = z.string().regex(/^[A-Z0-9]{2,64}$/);
const ts = z.string().regex(/^\d{1,16}\.\d{1,10}$/);

const checkSchema = z.object({ type: z.literal('url_verification'), challenge: z.string().regex(/^[\w.-]{1,512}$/) });

const messageSchema = z.object({
  type: z.literal('message'),
  subtype: z.string().max(64).optional(),
  channel: id,
  channel_type: z.string().max(32).optional(),
  user: id.optional(),
  bot_id: z.string().max(64).optional(),
  text: z.string().max(200_000).optional(),
  ts,
  thread_ts: ts.optional(),
  files: z
    .array(
      z.object({
        name: z.string().max(300).nullish(),
        mimetype: z.string().max(120).nullish(),
        url_private: z.string().max(4096).nullish(),
      }),
    )
    .max(50)
    .optional(),
});
const eventSchema = z.object({
  type: z.literal('event_callback'),
  team_id: z.string().max(64),
  event_id: z.string().min(1).max(128),
  event: z.unknown(),
});

const actionsSchema = z.object({
  type: z.literal('block_actions'),
  team: z.object({ id: z.string().max(64) }),
  user: z.object({ id }),
  channel: z.object({ id }).optional(),
  message: z.object({ ts }).optional(),
  actions: z
    .array(
      z.object({
        action_id: z.string().max(255),
        action_ts: ts,
        /** Absent from a button that opens a link. */
        value: z.string().max(2048).optional(),
        text: z.object({ text: z.string().max(300) }).optional(),
      }),
    )
    .max(25),
});
const otherSchema = z.object({ type: z.string().regex(/^[a-z_]{1,64}$/) });

export type SlackMessage = z.infer<typeof messageSchema>;
export type SlackActions = z.infer<typeof actionsSchema>;
export type SlackRequest =
  | { readonly kind: 'check'; readonly challenge: string }
  | { readonly kind: 'message'; readonly team: string; readonly message: SlackMessage }
  | { readonly kind: 'actions'; readonly team: string; readonly value: SlackActions }
  /** Something else Slack tells or lets people do. */
  | { readonly kind: 'other'; readonly type: string };

/** `undefined` when the body is in neither form. */
export function parseSlackRequest(body: Uint8Array): SlackRequest | undefined {
  const text = textOf(body) ?? '';
  const payload = text.startsWith('payload=') ? new URLSearchParams(text).get('payload') : undefined;
  return payload === undefined || payload === null ? eventOf(jsonOf(text)) : interactionOf(jsonOf(payload));
}

function eventOf(value: unknown): SlackRequest | undefined {
  const check = checkSchema.safeParse(value);
  if (check.success) return { kind: 'check', challenge: check.data.challenge };
  const event = eventSchema.safeParse(value);
  if (!event.success) return undefined;
  const message = messageSchema.safeParse(event.data.event);
  if (message.success) return { kind: 'message', team: event.data.team_id, message: message.data };
  return { kind: 'other', type: otherSchema.safeParse(event.data.event).data?.type ?? 'event' };
}

function interactionOf(value: unknown): SlackRequest | undefined {
  const actions = actionsSchema.safeParse(value);
  if (actions.success) return { kind: 'actions', team: actions.data.team.id, value: actions.data };
  const other = otherSchema.safeParse(value);
  return other.success ? { kind: 'other', type: other.data.type } : undefined;
}
